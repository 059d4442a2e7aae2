internal import NIOCore

/// Hands the events of a client's channel to its connection.
final class ClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: ProxyConnection
    /// Whether the read that ends now brought something.
    private var hasRead = false

    init(_ connection: ProxyConnection) { self.connection = connection }

    /// The first read: one that is asked for before is lost.
    func channelActive(context: ChannelHandlerContext) { connection.readOn() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if connection.isHTTP2 {
            // Behind the last answer it is for nobody.
            if connection.phase != .lingering { context.fireChannelRead(data) }
            return
        }
        hasRead = true
        connection.clientSent(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if connection.isHTTP2 { return context.fireChannelReadComplete() }
        // What came has been taken, and the next read asked for.
        guard !hasRead else { return hasRead = false }
        connection.clientReading = false
        connection.readOn()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if connection.isHTTP2 { return context.fireChannelWritabilityChanged() }
        connection.readOn()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if connection.isHTTP2 { return context.fireUserInboundEventTriggered(event) }
        if let event = event as? ChannelEvent, event == .inputClosed { connection.clientInputEnded() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if connection.isHTTP2 { context.fireChannelInactive() }
        connection.clientGone()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { connection.abort() }
}
