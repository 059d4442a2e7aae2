internal import NIOCore

/// Hands the events of a server's channel to its connection.
final class ServerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: ProxyConnection
    /// Whether the read that ends now brought something.
    private var hasRead = false

    init(_ connection: ProxyConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasRead = true
        connection.serverSent(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // What came has been taken, and the next read asked for.
        guard !hasRead else { return hasRead = false }
        connection.serverReading = false
        connection.readOn()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { connection.readOn() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { connection.serverInputEnded() }
    }

    func channelInactive(context: ChannelHandlerContext) { connection.serverGone() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connection.serverFailed = true
        context.close(promise: nil)
    }
}
