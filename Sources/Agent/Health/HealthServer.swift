import NIOCore
import NIOHTTP1
import NIOPosix
public import ServiceLifecycle
public import Support
import Synchronization

/// Answers probes over HTTP: `GET /readyz` with 200 while the node enforces, `GET /livez` with 200 while the agent works;
/// 503 and the reasons, one a line, otherwise.
///
/// Every process of the node can connect: connections are few, short, and answered from a value at hand.
public final class HealthServer: Service {
    /// Connections at once. The oldest ends for a further one: whoever holds connections keeps no probe out.
    static let connectionLimit = 32
    /// How long a connection may take, whatever it sends.
    static let timeLimit = TimeAmount.seconds(5)

    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel

    /// Begins to listen; the answers come from `health`, which is called on the server's thread and must return at once.
    ///
    /// - Throws: when the address cannot be listened on.
    public init(_ address: HealthAddress, health: @escaping @Sendable () -> Health?) async throws(SystemError) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let open = OpenConnections()
        self.group = group
        do {
            channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 32)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    open.add(channel)
                    channel.eventLoop.scheduleTask(in: HealthServer.timeLimit) { channel.close(promise: nil) }
                    return channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                        try channel.pipeline.syncOperations.addHandler(Probe(health: health))
                    }
                }
                .bind(host: "\(address.address)", port: Int(address.port)).get()
        } catch {
            try? await group.shutdownGracefully()
            throw SystemError(
                "listen on", "\(address.address) port \(address.port)", nil, detail: "\(error)",
                hint: "choose another --health-address")
        }
    }

    /// The port that is listened on.
    var port: Int { channel.localAddress?.port ?? 0 }

    /// Answers until it is told to shut down or the task is cancelled.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskCancellationHandler {
                try? await self.channel.closeFuture.get()
            } onCancel: {
                self.channel.close(promise: nil)
            }
        }
        try? await group.shutdownGracefully()
    }

    /// The open connections, the oldest first.
    private final class OpenConnections: Sendable {
        private let channels = Mutex<[any Channel]>([])

        func add(_ channel: any Channel) {
            let oldest: (any Channel)? = channels.withLock { open in
                open.append(channel)
                return open.count > HealthServer.connectionLimit ? open.removeFirst() : nil
            }
            oldest?.close(promise: nil)
            channel.closeFuture.whenComplete { _ in self.channels.withLock { $0.removeAll { $0 === channel } } }
        }
    }

    /// One request, one answer, and the end.
    private final class Probe: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let health: @Sendable () -> Health?

        init(health: @escaping @Sendable () -> Health?) { self.health = health }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            // A body is nothing to wait for.
            guard case .head(let head) = unwrapInboundIn(data) else { return }
            let answer = Answer(head.method, head.uri, health())
            var headers = HTTPHeaders([
                ("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close"),
                ("Content-Length", "\(answer.body.utf8.count)"), ("Cache-Control", "no-store"),
            ])
            if answer.status == .methodNotAllowed { headers.add(name: "Allow", value: "GET, HEAD") }
            context.write(
                wrapOutboundOut(
                    .head(HTTPResponseHead(version: head.version, status: answer.status, headers: headers))),
                promise: nil)
            if head.method != .HEAD {
                context.write(
                    wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(string: answer.body)))),
                    promise: nil)
            }
            let channel = context.channel
            context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// What a request is answered with.
    struct Answer {
        let status: HTTPResponseStatus
        let body: String

        /// `health` is `nil` while the agent is only starting.
        init(_ method: HTTPMethod, _ path: String, _ health: Health?) {
            let wrong: [Health.Problem]
            switch path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first {
            case "/readyz": wrong = health?.faults ?? [.init(subject: "agent", message: "it is starting")]
            case "/livez": wrong = health.flatMap(\.standstill).map { [$0] } ?? []
            default:
                status = .notFound
                body = "/readyz or /livez\n"
                return
            }
            guard method == .GET || method == .HEAD else {
                status = .methodNotAllowed
                body = "GET or HEAD\n"
                return
            }
            status = wrong.isEmpty ? .ok : .serviceUnavailable
            body = wrong.isEmpty ? "ok\n" : wrong.map { "\($0.subject): \($0.message)\n" }.joined()
        }
    }
}
