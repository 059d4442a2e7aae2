import NIOCore
import NIOHTTP2

/// Gives the bytes of each DATA frame a buffer of their own.
///
/// They come as slices of the buffer that TLS is read into. That one grows with what comes at a time, to 2 MiB where a list does, and
/// while a slice of it waits for its reader the next bytes are read into another one of that size: a list of 10,000 Pods held 400 MiB.
final class CompactFrames: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var frame = unwrapInboundIn(data)
        if case .data(var payload) = frame.payload, case .byteBuffer(let bytes) = payload.data {
            payload.data = .byteBuffer(context.channel.allocator.buffer(bytes: bytes.readableBytesView))
            frame.payload = .data(payload)
        }
        context.fireChannelRead(wrapInboundOut(frame))
    }

    /// Puts it into an HTTP/2 connection, behind the one that makes frames of bytes.
    static func add(to channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            let frames = try pipeline.handler(type: NIOHTTP2Handler.self)
            try pipeline.addHandler(CompactFrames(), position: .after(frames))
        }
    }
}
