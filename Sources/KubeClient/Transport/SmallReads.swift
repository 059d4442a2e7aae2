import NIOCore
import NIOHTTP2

/// Hands what was read to HTTP/2 in small pieces.
///
/// What TLS makes of the bytes that are there comes as one buffer, 16 MiB while a list of 10,000 Pods does. swift-nio-http2 (1.46.0) keeps
/// one of that size for as long as the connection lives. And the frames' bytes are slices of it: while one waits for its reader, the
/// next bytes need another buffer of that size, which was 400 MiB for that list.
final class SmallReads: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Bytes of a piece. HTTP/2's frames have as many at most.
    static let pieceBytes = 16 << 10

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        while bytes.readableBytes > 0, let piece = bytes.readSlice(length: min(Self.pieceBytes, bytes.readableBytes)) {
            context.fireChannelRead(wrapInboundOut(piece))
        }
    }

    /// Puts it into an HTTP/2 connection, before the one that makes frames of bytes.
    static func add(to channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            let frames = try pipeline.handler(type: NIOHTTP2Handler.self)
            try pipeline.addHandler(SmallReads(), position: .before(frames))
        }
    }
}
