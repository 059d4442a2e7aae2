import KubeTestServer
import NIOCore
import NIOPosix
import NIOSSL

/// Sends bytes over TLS and gives what comes back, byte for byte.
enum RawClient {
    /// What came, and how it ended.
    struct Exchange: Sendable {
        var bytes: [UInt8]
        /// Whether TLS was closed by close_notify.
        var isClean: Bool

        var answer: RawAnswer { RawAnswer(bytes) }
    }

    /// One request on a connection of its own, up to its end or for a time.
    static func send(
        _ request: String, to port: Int, certificate: (chain: String, key: String)? = nil,
        during limit: TimeAmount = .seconds(8)
    ) async throws -> Exchange {
        try await send(Array(request.utf8), to: port, certificate: certificate, during: limit)
    }

    /// One request on a connection of its own, up to its end or for a time.
    static func send(
        _ request: [UInt8], to port: Int, certificate: (chain: String, key: String)? = nil,
        during limit: TimeAmount = .seconds(8)
    ) async throws -> Exchange {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates([
            try NIOSSLCertificate(bytes: Array(TestCertificates.authority.utf8), format: .pem)
        ])
        configuration.applicationProtocols = ["http/1.1"]
        if let certificate {
            configuration.certificateChain = [
                .certificate(try NIOSSLCertificate(bytes: Array(certificate.chain.utf8), format: .pem))
            ]
            configuration.privateKey = .privateKey(
                try NIOSSLPrivateKey(bytes: Array(certificate.key.utf8), format: .pem))
        }
        let tls = try NIOSSLContext(configuration: configuration)
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let promise = loop.makePromise(of: Exchange.self)
        let connecting = ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        try NIOSSLClientHandler(context: tls, serverHostname: nil), Collector(promise))
                }
            }
            .connect(host: "127.0.0.1", port: port)
        connecting.cascadeFailure(to: promise)
        let channel = try await connecting.get()
        channel.writeAndFlush(ByteBuffer(bytes: request), promise: nil)
        let timer = loop.scheduleTask(in: limit) { channel.close(promise: nil) }
        let exchange = try await promise.futureResult.get()
        timer.cancel()
        return exchange
    }

    /// A watch whose client reads nothing while `body` runs: what it gets when it reads at last, up to the end or for a time.
    static func watchWithoutReading(
        _ path: String, from server: TestAPIServer, during limit: TimeAmount = .seconds(60),
        _ body: () async throws -> Void
    ) async throws -> Exchange {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.applicationProtocols = ["http/1.1"]
        let tls = try NIOSSLContext(configuration: configuration)
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let promise = loop.makePromise(of: Exchange.self)
        let connecting = ClientBootstrap(group: loop)
            // Otherwise the kernel's buffer grows to tcp_rmem's maximum, 32 MiB and more on some machines.
            .channelOption(.socketOption(.so_rcvbuf), value: 64 << 10)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        try NIOSSLClientHandler(context: tls, serverHostname: nil), Collector(promise))
                }
            }
            .connect(host: "127.0.0.1", port: server.port)
        connecting.cascadeFailure(to: promise)
        let channel = try await connecting.get()
        let timer = loop.scheduleTask(in: limit) { channel.close(promise: nil) }
        defer { timer.cancel() }
        let request =
            "GET \(path) HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer admin-token\r\nConnection: close\r\n\r\n"
        try await channel.writeAndFlush(ByteBuffer(string: request))
        for _ in 0..<2_000 where server.watchCount == 0 { try await Task.sleep(for: .milliseconds(2)) }
        try await channel.setOption(.autoRead, value: false).get()
        try await body()
        try await channel.setOption(.autoRead, value: true).get()
        return try await promise.futureResult.get()
    }

    /// `GET` with the token of the administrator.
    static func get(
        _ path: String, from server: TestAPIServer, headers: String = "", during limit: TimeAmount = .seconds(8)
    ) async throws -> Exchange {
        try await send(
            "GET \(path) HTTP/1.1\r\nHost: test\r\nAccept: application/json\r\nAuthorization: Bearer admin-token\r\nConnection: close\r\n\(headers)\r\n",
            to: server.port, during: limit)
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let promise: EventLoopPromise<Exchange>
        private var bytes: [UInt8] = []
        private var isClean = true

        init(_ promise: EventLoopPromise<Exchange>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += unwrapInboundIn(data).readableBytesView
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let error = error as? NIOSSLError, error == .uncleanShutdown { isClean = false }
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            promise.succeed(Exchange(bytes: bytes, isClean: isClean))
        }
    }
}
