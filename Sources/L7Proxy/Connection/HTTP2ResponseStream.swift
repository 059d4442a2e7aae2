internal import HTTPScan
internal import NIOCore
internal import NIOHTTP2

/// The server's answer to one request of HTTP/2.
final class HTTP2ResponseStream: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload

    private let request: HTTP2RequestStream
    private let limits: ScanLimits
    private var hasBegun = false
    private var interims = 0
    /// Why the answer goes no further.
    private var fault: HTTP2Fault?
    /// Whether the server has said that it has not looked at the request: of the stream alone, or of all behind the last one that it takes.
    private var isRefused = false

    init(_ request: HTTP2RequestStream, limits: ScanLimits) {
        self.request = request
        self.limits = limits
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !hasBegun {
            hasBegun = true
            if let stream = try? context.channel.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID) {
                request.responds(on: stream)
            }
        }
        switch unwrapInboundIn(data) {
        case .headers(let block): take(block, context)
        case .data(let data): request.responded(data.data, ends: data.endStream)
        case .windowUpdate: request.granted()
        case .rstStream, .priority, .settings, .pushPromise, .ping, .goAway, .alternativeService, .origin: break
        }
    }

    private func take(_ block: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext) {
        do throws(Refusal) {
            for (name, value, _) in block.headers where name.utf8.first != UInt8(ascii: ":") {
                try HTTP2Head.check(name, value)
            }
        } catch {
            return context.close(promise: nil)
        }
        guard let status = block.headers.first(name: ":status").flatMap({ Int($0) }) else {
            return request.responded(trailers: block.headers)
        }
        if status < 200 { interims += 1 }
        guard interims <= limits.interims else {
            fault = .interims
            return context.close(promise: nil)
        }
        request.responded(block.headers, status: status, ends: block.endStream)
    }

    func channelReadComplete(context: ChannelHandlerContext) { request.flush() }

    func channelWritabilityChanged(context: ChannelHandlerContext) { request.serverTakesMore() }

    func channelInactive(context: ChannelHandlerContext) { request.responseCut(fault, isRefused: isRefused) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let closed = error as? NIOHTTP2Errors.StreamClosed {
            // Of a stream behind the last one of a GOAWAY the codec says that it was cancelled, and there was no frame of it. After frames
            // it says so of what the server, or this end, has given up: a request that was looked at.
            isRefused = closed.errorCode == .refusedStream || !hasBegun && closed.errorCode == .cancel
        }
        context.close(promise: nil)
    }
}
