internal import NIOCore
internal import NIOHTTP2

/// The last handler of a connection that speaks HTTP/2: sees that it ends.
final class HTTP2ConnectionEnd: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let session: HTTP2Session
    private let isServer: Bool

    init(_ session: HTTP2Session, isServer: Bool) {
        self.session = session
        self.isServer = isServer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data).payload {
        // The server takes no more streams, so the client must look for another connection.
        case .goAway: if isServer { session.drain() }
        case .windowUpdate: session.granted(isServer: isServer)
        case .settings(.settings(let settings)): session.settled(settings, isServer: isServer)
        case .data, .headers, .priority, .rstStream, .settings, .pushPromise, .ping, .alternativeService, .origin: break
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) { session.ended(isServer: isServer) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // One stream alone: it was reset.
        if error is NIOHTTP2Errors.StreamError { return }
        // A reset of the connection is none of HTTP/2.
        if !(error is IOError || error is ChannelError) { session.faulted(HTTP2Fault(error), isServer: isServer) }
        context.close(promise: nil)
    }
}
