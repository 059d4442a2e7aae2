internal import NIOCore

/// Hands the events of a client's channel to its connection.
final class ClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: ProxyConnection

    init(_ connection: ProxyConnection) { self.connection = connection }

    /// The first read: one that is asked for before is lost.
    func channelActive(context: ChannelHandlerContext) { connection.readOn() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { connection.clientSent(unwrapInboundIn(data)) }

    func channelReadComplete(context: ChannelHandlerContext) {
        // A read that brought nothing.
        connection.clientReading = false
        connection.readOn()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { connection.readOn() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { connection.clientInputEnded() }
    }

    func channelInactive(context: ChannelHandlerContext) { connection.clientGone() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { connection.abort() }
}
