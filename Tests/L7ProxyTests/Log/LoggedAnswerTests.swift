import L7Proxy
import NIOCore
import NIOPosix
import PolicyAPI
import PolicyIR
import ProxyRules
import Testing

/// What the access log says of a request is what its client got.
@Suite("the access log and the client's answers agree", .serialized)
struct LoggedAnswerTests {
    private typealias Line = LoggedLines.Line
    private let get = HTTPRule(method: "GET|POST", path: "/public")

    private func adding(_ name: String, _ value: String) -> HTTPRule {
        HTTPRule(headerMatches: [HeaderMatch(name: name, value: value, mismatch: "ADD", secret: nil)])
    }

    /// One request of HTTP/2 to a server that speaks it.
    private func request(
        _ rule: HTTPRule, _ fields: [(String, String)], trailers: [(String, String)]? = nil
    ) async throws -> (HTTP2TestClient.Response, [Line], [String]) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await HTTP2EchoServer.start(group)
        let lines = try LoggedLines()
        let proxy = try await ProxyFixture.start([rule], log: lines.log, to: server.address)
        let address = try #require(proxy.proxy.address)
        let client = try await HTTP2TestClient.connect(group, to: address)
        let stream = try await client.begin(fields, ends: trailers == nil)
        if let trailers { try? await stream.end(.init(trailers)) }
        let response = try await stream.response { $0.isComplete || !stream.channel.isActive }
        try? await client.channel.close()
        try await proxy.stop()
        let requests = server.requests.withLock { $0 }
        try await server.stop()
        try await group.shutdownGracefully()
        return (response, lines.take(), requests)
    }

    @Test(
        "an action whose header HTTP/2 cannot carry is answered 403 and logged as denied",
        arguments: [("Keep-Alive", "5"), ("Proxy-Connection", "x"), ("TE", "gzip")])
    func unfitAction(name: String, value: String) async throws {
        let fields = HTTP2TestClient.request("GET", "/public")
        let (response, lines, requests) = try await request(adding(name, value), fields)
        #expect(response.status == "403" && requests.isEmpty)
        #expect(lines == [Line("denied", 403, path: "/public", reason: "header-action")])
    }

    @Test("the same of gRPC: status 7, which the log writes as 403")
    func unfitActionOfGRPC() async throws {
        let fields = HTTP2TestClient.request("POST", "/shop.Cart/Add", [("content-type", "application/grpc")])
        let (response, lines, requests) = try await request(adding("Keep-Alive", "5"), fields)
        #expect(response.fields["grpc-status"] == "7" && requests.isEmpty)
        #expect(lines == [Line("denied", 403, path: "/shop.Cart/Add", reason: "header-action")])
    }

    @Test("HTTP/1: an action that makes another message of a request is answered 403 and logged as denied")
    func breakingAction() async throws {
        let lines = try LoggedLines()
        let proxy = try await ProxyFixture.start([adding("Content-Length", "5")], log: lines.log)
        do {
            let client = try proxy.client(patience: 10_000)
            client.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.read(until: "Access denied\r\n").text.hasPrefix("HTTP/1.1 403 "))
        }
        try await proxy.stop()
        #expect(proxy.server.received.withLock { $0.isEmpty })
        #expect(lines.take() == [Line("denied", 403, path: "/public", reason: "header-action")])
    }

    @Test("trailers of HTTP/2 that are refused: the request's one line says so, and its server sees no end")
    func refusedTrailers() async throws {
        let fields = HTTP2TestClient.request("POST", "/public")
        let (response, lines, _) = try await request(get, fields, trailers: [("x-a", "1\u{1}")])
        #expect(!response.isComplete)
        #expect(lines.count == 1)
        #expect(lines.first.map { $0.decision == "refused" && $0.path == "/public" } == true)
    }

    @Test("a body that is not understood: one line for the one answer")
    func refusedBody() async throws {
        let lines = try LoggedLines()
        let proxy = try await ProxyFixture.start([get], log: lines.log, answer: [])
        do {
            let client = try proxy.client(patience: 10_000)
            client.send("POST /public HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.send("zz\r\n")
            #expect(client.read().text.hasPrefix("HTTP/1.1 400 "))
        }
        try await proxy.settle()
        try await proxy.stop()
        #expect(lines.take() == [Line("refused", 400, path: "/public", reason: "chunk-size")])
    }

    @Test("no server: 503 has its line, also where the receiver's rules are not known before it answers")
    func noServer() async throws {
        let lines = try LoggedLines()
        let absent = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        let resolver = IncompleteResolver(server: absent)
        let proxy = try await ProxyFixture.start([get], log: lines.log, to: absent, resolver: resolver)
        do {
            let client = try proxy.client(patience: 10_000)
            client.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.read().text.hasPrefix("HTTP/1.1 503 "))
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let address = try #require(proxy.proxy.address)
        let client = try await HTTP2TestClient.connect(group, to: address)
        let response = try await client.begin(HTTP2TestClient.request("GET", "/public")).response()
        #expect(response.status == "503")
        try? await client.channel.close()
        try await group.shutdownGracefully()
        try await proxy.stop()
        let line = Line("error", 503, path: "/public")
        #expect(lines.take() == [line, line])
    }

    @Test("pods are named as the resolver knows them when the line is written")
    func pods() async throws {
        let lines = try LoggedLines()
        let server = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        let names = PodNames()
        let resolver = NamingResolver(server: server, names: names)
        let proxy = try await ProxyFixture.start([get], log: lines.log, to: server, resolver: resolver)
        do {
            let client = try proxy.client(patience: 10_000)
            client.send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = client.read(until: "Access denied\r\n")
            names.replace(with: [.init(namespace: "shop", name: "web", addresses: ["127.0.0.1"])])
            client.send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = client.read(until: "Access denied\r\n")
        }
        try await proxy.stop()
        let found = lines.take()
        #expect(found.map(\.clientPod) == [nil, "shop/web"])
        #expect(found.map(\.serverPod) == [nil, "shop/web"])
    }

    @Test("an address that two pods claim names neither; one that nobody has any more, nobody")
    func contestedAddress() {
        let names = PodNames()
        names.replace(with: [
            .init(namespace: "shop", name: "web", addresses: ["10.0.0.1", "fd00::1"]),
            .init(namespace: "shop", name: "db", addresses: ["10.0.0.2", "10.0.0.3"]),
            .init(namespace: "other", name: "db", addresses: ["10.0.0.3"]),
        ])
        #expect(names.name(of: "fd00::1") == "shop/web")
        #expect(names.name(of: "10.0.0.2") == "shop/db")
        #expect(names.name(of: "10.0.0.3") == nil)
        names.replace(with: [])
        #expect(names.name(of: "fd00::1") == nil)
    }

    @Test("a flood has a line: no answer, and why")
    func flood() async throws {
        let lines = try LoggedLines()
        // A rate that a busy machine reaches too.
        var limits = ProxyLimits()
        limits.controlFrames = 500
        let proxy = try await ProxyFixture.start([get], limits: limits, log: lines.log)
        do {
            let client = try proxy.client(patience: 3_000)
            let ping = RawFrames.frame(6, 0, 0, [UInt8](repeating: 0, count: 8))
            client.send(RawFrames.preface + (0..<30_000).flatMap { _ in ping })
            #expect(client.read().isClosed)
        }
        try await proxy.stop()
        #expect(lines.take() == [Line("refused", 0, reason: "http2-control-frames")])
    }
}

/// Names both ends by their addresses.
private struct NamingResolver: FlowResolver {
    let server: SocketAddress
    let names: PodNames

    func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow? {
        var flow = ProxiedFlow(destination: server)
        flow.ingress = RuleBook.Selection(policy: 1, rules: [0])
        flow.client = client.ipAddress.flatMap(names.name(of:)) ?? ""
        flow.server = server.ipAddress.flatMap(names.name(of:)) ?? ""
        return flow
    }
}

/// Knows the sender's end alone.
private struct IncompleteResolver: FlowResolver {
    let server: SocketAddress

    func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow? {
        var flow = ProxiedFlow(destination: server)
        flow.egress = RuleBook.Selection(policy: 1, rules: [0])
        flow.isComplete = false
        return flow
    }
}
