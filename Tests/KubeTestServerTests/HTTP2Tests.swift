import KubeTestServer
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization
import Testing

/// The same answers over HTTP/2.
struct HTTP2Tests {
    @Test func listsWatchesAndGoingAway() async throws {
        let server = try await TestAPIServer.start()
        let connection = try await H2Connection.open(server.port)
        let list = try await connection.get("/api/v1/pods?limit=5").get()
        #expect(list.code == 200 && list.text.contains("\"kind\":\"PodList\""))
        #expect(list.headers["transfer-encoding"].isEmpty && list.headers["connection"].isEmpty)
        #expect(try await connection.get("/apis/nothere.example.com/v1/things").get().code == 404)
        let watch = connection.get("/api/v1/pods?watch=1&timeoutSeconds=1&resourceVersion=\(server.version)")
        for _ in 0..<1_000 where server.watchCount == 0 { try await Task.sleep(for: .milliseconds(2)) }
        // An open stream goes on after GOAWAY.
        server.goAway()
        try server.apply(
            "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}, spec: {containers: []}, status: {}}")
        let seen = try await watch.get()
        #expect(seen.code == 200 && seen.text.contains("\"type\":\"ADDED\""))
        #expect(connection.hasGoneAway)
        await server.stop()
    }

    @Test func aCutEndsEveryStream() async throws {
        let server = try await TestAPIServer.start()
        let connection = try await H2Connection.open(server.port)
        let watch = connection.get("/api/v1/pods?watch=1&timeoutSeconds=8")
        for _ in 0..<1_000 where server.watchCount == 0 { try await Task.sleep(for: .milliseconds(2)) }
        server.cutConnections()
        await #expect(throws: (any Error).self) { try await watch.get() }
        await server.stop()
    }
}

/// One HTTP/2 connection as a client.
private final class H2Connection: Sendable {
    /// An answer, whole.
    struct Answer: Sendable {
        var code = 0
        var headers = HTTPHeaders()
        var text = ""
    }

    private struct Cut: Error {}

    private let channel: any Channel
    private let streams: NIOHTTP2Handler.StreamMultiplexer
    private let notes: Notes

    private final class Notes: Sendable {
        let hasGoneAway = Mutex(false)
    }

    private init(_ channel: any Channel, _ streams: NIOHTTP2Handler.StreamMultiplexer, _ notes: Notes) {
        self.channel = channel
        self.streams = streams
        self.notes = notes
    }

    var hasGoneAway: Bool { notes.hasGoneAway.withLock { $0 } }

    static func open(_ port: Int) async throws -> H2Connection {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates([
            try NIOSSLCertificate(bytes: Array(TestCertificates.authority.utf8), format: .pem)
        ])
        configuration.applicationProtocols = ["h2"]
        let tls = try NIOSSLContext(configuration: configuration)
        let notes = Notes()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        try NIOSSLClientHandler(context: tls, serverHostname: nil),
                        NIOHTTP2Handler(
                            mode: .client, eventLoop: channel.eventLoop, connectionConfiguration: .init(),
                            streamConfiguration: .init(),
                            inboundStreamInitializer: { $0.eventLoop.makeSucceededVoidFuture() }),
                        FrameWatcher(notes))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let streams = try await channel.pipeline.handler(type: NIOHTTP2Handler.self).flatMap { $0.multiplexer }.get()
        return H2Connection(channel, streams, notes)
    }

    /// Sends a request with the administrator's token.
    func get(_ path: String) -> EventLoopFuture<Answer> {
        let promise = channel.eventLoop.makePromise(of: Answer.self)
        let opened = channel.eventLoop.makePromise(of: (any Channel).self)
        streams.createStreamChannel(promise: opened) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandlers(
                    HTTP2FramePayloadToHTTP1ClientCodec(httpProtocol: .https), Collector(promise))
            }
        }
        opened.futureResult.cascadeFailure(to: promise)
        opened.futureResult.whenSuccess { stream in
            let head = HTTPRequestHead(
                version: .http1_1, method: .GET, uri: path,
                headers: ["host": "test", "authorization": "Bearer admin-token", "accept": "application/json"])
            stream.write(HTTPClientRequestPart.head(head), promise: nil)
            stream.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        }
        return promise.futureResult
    }

    private final class FrameWatcher: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame

        private let notes: Notes

        init(_ notes: Notes) { self.notes = notes }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if case .goAway = unwrapInboundIn(data).payload { notes.hasGoneAway.withLock { $0 = true } }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart

        private let promise: EventLoopPromise<Answer>
        private var answer = Answer()

        init(_ promise: EventLoopPromise<Answer>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                answer.code = Int(head.status.code)
                answer.headers = head.headers
            case .body(let buffer): answer.text += String(buffer: buffer)
            case .end: promise.succeed(answer)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { promise.fail(Cut()) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
    }
}
