import NIOCore
import NIOPosix
import Synchronization

/// A server of DNS over TCP that keeps what it gets and answers each message with itself, as a response, and 8 bytes behind it.
final class DNSStreamServer: Sendable {
    /// What each connection sent, by the order in which they came.
    let received = Mutex<[[UInt8]]>([])
    private let channel: any Channel
    private let answer: @Sendable ([UInt8]) -> [UInt8]

    private init(_ channel: any Channel, _ answer: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        self.channel = channel
        self.answer = answer
    }

    var address: SocketAddress? { channel.localAddress }

    /// The bytes that it answers a message with, both with their length.
    static func answer(_ message: [UInt8]) -> [UInt8] {
        var answer = message + [UInt8](repeating: 0xee, count: 8)
        answer[4] |= 0x80
        answer[0] = UInt8((answer.count - 2) >> 8)
        answer[1] = UInt8((answer.count - 2) & 0xff)
        return answer
    }

    /// Starts one; `answer`: what it answers a message with, both with their length.
    static func start(
        _ group: any EventLoopGroup, _ answer: @escaping @Sendable ([UInt8]) -> [UInt8] = DNSStreamServer.answer
    ) async throws -> DNSStreamServer {
        let made = Mutex<DNSStreamServer?>(nil)
        let channel = try await ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let server = made.withLock({ $0 }) else { throw ChannelError.eof }
                    let index = server.received.withLock { received in
                        received.append([])
                        return received.count - 1
                    }
                    try channel.pipeline.syncOperations.addHandler(Handler(server, index))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = DNSStreamServer(channel, answer)
        made.withLock { $0 = server }
        return server
    }

    func stop() async throws { try await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let server: DNSStreamServer
        private let index: Int
        private var bytes: [UInt8] = []

        init(_ server: DNSStreamServer, _ index: Int) {
            self.server = server
            self.index = index
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let new = Array(unwrapInboundIn(data).readableBytesView)
            server.received.withLock { $0[index] += new }
            bytes += new
            while bytes.count >= 2 {
                let count = 2 + (Int(bytes[0]) << 8 | Int(bytes[1]))
                guard bytes.count >= count else { return }
                let answer = server.answer(Array(bytes[..<count]))
                bytes.removeFirst(count)
                context.writeAndFlush(NIOAny(ByteBuffer(bytes: answer)), promise: nil)
            }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
        }
    }
}
