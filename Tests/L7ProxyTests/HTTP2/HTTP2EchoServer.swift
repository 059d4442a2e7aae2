import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import Synchronization

/// A server of HTTP/2 that echoes bodies as they come, behind one of its own, and ends with trailers, and keeps the heads that it got.
final class HTTP2EchoServer: Sendable {
    /// `METHOD path` of each request.
    let requests = Mutex<[String]>([])
    /// The fields of the last request.
    let lastFields = Mutex<[String]>([])
    /// The names of those of them that are never indexed.
    let neverIndexed = Mutex<[String]>([])
    /// Streams that were reset before they ended.
    let cut = Mutex(0)
    private let channel = Mutex<(any Channel)?>(nil)

    var address: SocketAddress? { channel.withLock { $0?.localAddress } }

    /// The body of its own.
    private let body: ByteBuffer

    private init(_ body: ByteBuffer) { self.body = body }

    /// `size`: bytes of the body of its own.
    static func start(_ group: any EventLoopGroup, size: Int = 0) async throws -> HTTP2EchoServer {
        let server = HTTP2EchoServer(ByteBuffer(repeating: 0x61, count: size))
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = NIOHTTP2Handler(mode: .server, eventLoop: channel.eventLoop) { stream in
                        stream.eventLoop.makeCompletedFuture {
                            try stream.pipeline.syncOperations.addHandler(Echo(server))
                        }
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.channel.withLock { $0 = channel }
        return server
    }

    func stop() async throws { try await channel.withLock { $0 }?.close() }

    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame.FramePayload
        typealias OutboundOut = HTTP2Frame.FramePayload

        private let server: HTTP2EchoServer
        private var hasHead = false
        private var hasEnded = false

        init(_ server: HTTP2EchoServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .headers(let block):
                if !hasHead {
                    hasHead = true
                    let request = [":method", ":path"].map { block.headers.first(name: $0) ?? "" }
                    server.requests.withLock { $0.append(request.joined(separator: " ")) }
                    server.lastFields.withLock { $0 = block.headers.map { "\($0.name): \($0.value)" } }
                    let secret = block.headers.filter { $0.indexable == .neverIndexed }.map(\.name)
                    server.neverIndexed.withLock { $0 = secret }
                    let head = HPACKHeaders([(":status", "200"), ("content-type", "application/grpc")])
                    context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: head))), promise: nil)
                    if server.body.readableBytes > 0 {
                        let data = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(server.body)))
                        context.writeAndFlush(wrapOutboundOut(data), promise: nil)
                    }
                } else {
                    let names = block.headers.map { "\($0.name): \($0.value)" }
                    server.lastFields.withLock { $0 += names }
                }
                if block.endStream { end(context) }
            case .data(let data):
                context.writeAndFlush(wrapOutboundOut(.data(.init(data: data.data))), promise: nil)
                if data.endStream { end(context) }
            default: break
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            if !hasEnded { server.cut.withLock { $0 += 1 } }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func end(_ context: ChannelHandlerContext) {
            hasEnded = true
            let trailers = HPACKHeaders([("grpc-status", "0"), ("x-sum", "1")])
            context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: trailers, endStream: true))), promise: nil)
        }
    }
}
