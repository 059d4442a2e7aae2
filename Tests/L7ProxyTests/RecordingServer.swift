import Glibc
import HTTPScan
import HTTPTestSupport
import NIOCore
import NIOPosix
import Synchronization

/// A server that keeps what each connection sends, and answers each complete request with 200, `websocket` with 101 and an echo, and
/// `Expect` with 100.
final class RecordingServer: Sendable {
    /// What the connections sent, by the order in which they came.
    let received = Mutex<[[UInt8]]>([])
    /// The connections that are open.
    let open = Mutex(0)
    private let channel: any Channel

    private init(_ channel: any Channel) { self.channel = channel }

    var address: SocketAddress? { channel.localAddress }

    static func start(_ group: any EventLoopGroup, answer: [UInt8]? = nil) async throws -> RecordingServer {
        let made = Mutex<RecordingServer?>(nil)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let server = made.withLock({ $0 }) else { throw ChannelError.eof }
                    let index = server.received.withLock { received in
                        received.append([])
                        return received.count - 1
                    }
                    try channel.pipeline.syncOperations.addHandler(Handler(server, index, answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = RecordingServer(channel)
        made.withLock { $0 = server }
        return server
    }

    func take() -> [[UInt8]] {
        received.withLock { received in
            defer { received = received.map { _ in [] } }
            return received.filter { !$0.isEmpty }
        }
    }

    func stop() async throws { try await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let server: RecordingServer
        private let index: Int
        private let answer: [UInt8]?
        private var bytes: [UInt8] = []
        private var answered = 0
        private var continued = 0
        private var isEcho = false

        init(_ server: RecordingServer, _ index: Int, _ answer: [UInt8]?) {
            self.server = server
            self.index = index
            self.answer = answer
        }

        func handlerAdded(context: ChannelHandlerContext) { server.open.withLock { $0 += 1 } }

        func channelInactive(context: ChannelHandlerContext) { server.open.withLock { $0 -= 1 } }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            let new = Array(buffer.readableBytesView)
            server.received.withLock { $0[index] += new }
            if isEcho, new.contains(0xff) {
                // Ends with a reset.
                if let options = context.channel as? any SocketOptionProvider {
                    _ = options.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                }
                context.close(promise: nil)
                return
            }
            if isEcho {
                context.writeAndFlush(NIOAny(buffer), promise: nil)
                return
            }
            bytes += new
            let events = ScannedStream.events(bytes)
            var output: [UInt8] = []
            for (number, event) in events.enumerated() where number >= answered {
                switch event {
                case .message(let message):
                    answered += 1
                    if message.remarks.contains("upgrade=websocket") {
                        output += Array(
                            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".utf8
                        )
                        isEcho = true
                    } else {
                        output +=
                            answer
                            ?? Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Number: \(answered)\r\n\r\n".utf8)
                    }
                case .moreBody(let message) where message.remarks.contains("continue") && continued <= answered:
                    continued = answered + 1
                    output += Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
                case .moreBody, .moreHead, .http2, .refused, .refusedInBody: break
                }
            }
            if !output.isEmpty { context.writeAndFlush(NIOAny(ByteBuffer(bytes: output)), promise: nil) }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
        }
    }
}
