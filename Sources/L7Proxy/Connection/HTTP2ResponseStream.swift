internal import HTTPScan
internal import NIOCore
internal import NIOHTTP2

/// The server's answer to one request of HTTP/2.
final class HTTP2ResponseStream: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload

    private let request: HTTP2RequestStream
    private var channel: (any Channel)?

    init(_ request: HTTP2RequestStream) { self.request = request }

    func channelActive(context: ChannelHandlerContext) {
        channel = context.channel
        request.response = self
        readOn()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let block):
            do throws(Refusal) {
                for (name, value, _) in block.headers where name.utf8.first != UInt8(ascii: ":") {
                    try HTTP2Head.check(name, value)
                }
            } catch {
                return context.close(promise: nil)
            }
            request.responded(
                .headers(.init(headers: block.headers, endStream: block.endStream)),
                status: block.headers.first(name: ":status").flatMap { Int($0) }, ends: block.endStream)
        case .data(let data):
            request.responded(
                .data(.init(data: data.data, endStream: data.endStream)), status: nil, ends: data.endStream)
        case .priority, .rstStream, .settings, .pushPromise, .ping, .goAway, .windowUpdate, .alternativeService,
            .origin:
            break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        request.flush()
        readOn()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { request.readOn() }

    func channelInactive(context: ChannelHandlerContext) { request.responseCut() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// Reads on when the client takes what comes.
    func readOn() {
        if request.isWritable { channel?.read() }
    }
}
