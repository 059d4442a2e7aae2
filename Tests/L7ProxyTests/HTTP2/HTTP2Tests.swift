import L7Proxy
import NIOCore
import NIOHPACK
import NIOPosix
import PolicyAPI
import ProxyRules
import Synchronization
import Testing

@Suite("HTTP/2 and gRPC through the proxy", .serialized)
struct HTTP2Tests {
    private typealias Client = HTTP2TestClient

    private struct Fixture {
        let group: MultiThreadedEventLoopGroup
        let server: HTTP2EchoServer
        let proxy: ProxyFixture
        let client: HTTP2TestClient

        static func start(_ rules: [HTTPRule], limits: ProxyLimits = ProxyLimits()) async throws -> Fixture {
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let server = try await HTTP2EchoServer.start(group)
            let proxy = try await ProxyFixture.start(rules, limits: limits, to: server.address)
            guard let address = proxy.proxy.address else { throw ProxyFixture.Broken() }
            let client = try await HTTP2TestClient.connect(group, to: address)
            return Fixture(group: group, server: server, proxy: proxy, client: client)
        }

        func stop() async throws {
            try? await client.channel.close()
            try await proxy.stop()
            try await server.stop()
            try await group.shutdownGracefully()
        }
    }

    private let rules = [HTTPRule(method: "GET|POST", path: "/public(/.*)?")]

    @Test("each stream is decided by itself; a denied one never reaches the server")
    func streams() async throws {
        let fixture = try await Fixture.start(rules)
        let allowed = try await fixture.client.begin(Client.request("GET", "/public/1", [("x-tag", "7")]))
        let denied = try await fixture.client.begin(Client.request("GET", "/admin"))
        let again = try await fixture.client.begin(Client.request("GET", "/public/2"))
        let first = try await allowed.response()
        #expect(first.status == "200" && first.trailers["x-sum"] == "1")
        let second = try await denied.response()
        #expect(second.status == "403" && second.body == Array("Access denied\r\n".utf8))
        #expect(try await again.response().status == "200")
        #expect(fixture.server.requests.withLock { $0 } == ["GET /public/1", "GET /public/2"])
        let counters = try await fixture.proxy.proxy.counters()
        #expect(counters.http2 == 1 && counters.allowed == 2 && counters.denied == 1)
        try await fixture.stop()
    }

    @Test("a denied gRPC call gets status 7 in place of 403")
    func grpcDenied() async throws {
        let fixture = try await Fixture.start(rules)
        let call = try await fixture.client.begin(
            Client.request("POST", "/shop.Orders/Delete", [("content-type", "application/grpc"), ("te", "trailers")]),
            ends: false)
        let response = try await call.response()
        #expect(response.status == "200" && response.fields["content-type"] == "application/grpc")
        #expect(response.fields["grpc-status"] == "7" && response.fields["grpc-message"] == "Access denied")
        #expect(fixture.server.requests.withLock { $0.isEmpty })
        try await fixture.stop()
    }

    @Test("a call that streams both ways, with trailers of both sides")
    func streaming() async throws {
        let fixture = try await Fixture.start(rules)
        let call = try await fixture.client.begin(
            Client.request("POST", "/public/Chat", [("content-type", "application/grpc+proto"), ("te", "trailers")]),
            ends: false)
        for number in 1...3 {
            try await call.send([UInt8(number)])
            let answer = try await call.response { $0.body.count == number }
            #expect(answer.body == Array(1...UInt8(number)) && !answer.isComplete)
        }
        try await call.end(HPACKHeaders([("x-client-sum", "3")]))
        let response = try await call.response()
        #expect(response.trailers["grpc-status"] == "0")
        #expect(fixture.server.lastFields.withLock { $0.contains("x-client-sum: 3") && $0.contains("te: trailers") })
        try await fixture.stop()
    }

    @Test("large bodies pass both ways within the streams' windows")
    func large() async throws {
        let fixture = try await Fixture.start(rules)
        let call = try await fixture.client.begin(Client.request("POST", "/public"), ends: false)
        let piece = [UInt8](repeating: 0x61, count: 1 << 16)
        for _ in 0..<32 { try await call.send(piece) }
        try await call.send([], ends: true)
        let response = try await call.response()
        #expect(response.isComplete && response.body.count == 32 << 16)
        try await fixture.stop()
    }

    @Test("a client that resets its stream resets the server's")
    func cancelled() async throws {
        let fixture = try await Fixture.start(rules)
        let call = try await fixture.client.begin(Client.request("POST", "/public"), ends: false)
        _ = try await call.response { !$0.status.isEmpty }
        try? await call.channel.close()
        for _ in 0..<1_000 where fixture.server.cut.withLock({ $0 }) == 0 {
            try await Task.sleep(nanoseconds: 2_000_000)
        }
        #expect(fixture.server.cut.withLock { $0 } == 1)
        try await fixture.stop()
    }

    @Test(
        "fields that HTTP/1 reads as something else are refused",
        arguments: [
            (":path", "/public HTTP/1.1\r\nX: 1"), (":path", "/public\r\n"), (":path", "public"),
            (":path", "/a/../public"),
            (":path", "http://a/public"), (":method", "GET /public"), (":authority", "a\r\nX: 1"), (":scheme", "file"),
            ("x-a", "1\r\ncontent-length: 5"), ("x-a", "1\0"), ("x-a", "1\r"), ("x-a", "1\n"), ("x-a", " 1"),
            ("X-Capital", "1"), ("", "1"), (":authority", ""), (":method", "get"), (":path", ""), ("x a", "1"),
            ("host", "other"),
            ("connection", "close"), ("transfer-encoding", "chunked"), ("upgrade", "h2c"), ("te", "gzip"), (":x", "1"),
            ("content-length", "+5"), ("content_length", "5"),
        ])
    func refused(name: String, value: String) async throws {
        let fixture = try await Fixture.start([HTTPRule()])
        var fields = Client.request("GET", "/public")
        if let index = fields.firstIndex(where: { $0.0 == name }) {
            fields[index].1 = value
        } else if name.hasPrefix(":") {
            fields.insert((name, value), at: 0)
        } else {
            fields.append((name, value))
        }
        let request = try? await fixture.client.begin(fields)
        // Some are errors of the frame layer already, which end the stream or the connection.
        let response = try await request?.response { $0.isComplete || request?.channel.isActive == false }
        #expect(["400", "", nil].contains(response?.status))
        #expect(fixture.server.requests.withLock { $0.isEmpty })
        try await fixture.stop()
    }

    @Test(
        "a pseudo field twice is refused: servers differ in which they take",
        arguments: [":method", ":path", ":scheme"])
    func twice(name: String) async throws {
        let fixture = try await Fixture.start([HTTPRule()])
        let fields = Client.request("GET", "/public")
        let again = fields.filter { $0.0 == name }.map {
            ($0.0, name == ":scheme" ? "https" : $0.1 == "GET" ? "PUT" : "/x")
        }
        let request = try? await fixture.client.begin(again + fields)
        let response = try await request?.response { $0.isComplete || request?.channel.isActive == false }
        #expect(["400", "", nil].contains(response?.status))
        #expect(fixture.server.requests.withLock { $0.isEmpty })
        try await fixture.stop()
    }

    @Test(
        "trailers that servers may take for a part of the head end their request before its end",
        arguments: [
            ("authorization", "a"), ("cookie", "a=b"), ("content-length", "5"), ("host", "b"), ("content-type", "a"),
            ("te", "trailers"), ("x-a", "1\r\nb: 2"), ("x-a", "1\0"), ("X-A", "1"), (":path", "/x"),
            ("transfer-encoding", "chunked"),
        ])
    func refusedTrailers(name: String, value: String) async throws {
        let fixture = try await Fixture.start([HTTPRule()])
        let request = try await fixture.client.begin(Client.request("POST", "/public"), ends: false)
        _ = try await request.response { !$0.status.isEmpty }
        try? await request.end(HPACKHeaders([(name, value)]))
        let response = try await request.response { $0.isComplete || !request.channel.isActive }
        #expect(!response.isComplete)
        for _ in 0..<2_000 where fixture.server.cut.withLock({ $0 }) == 0 {
            try await Task.sleep(nanoseconds: 2_000_000)
        }
        #expect(fixture.server.cut.withLock { $0 } == 1)
        #expect(fixture.server.lastFields.withLock { !$0.contains("\(name): \(value)") })
        try await fixture.stop()
    }

    @Test("changed rules hold for the next stream of an open connection")
    func changed() async throws {
        let fixture = try await Fixture.start(rules)
        #expect(try await fixture.client.begin(Client.request("GET", "/public")).response().status == "200")
        fixture.proxy.rules.replace(with: try ProxyFixture.book([HTTPRule(method: "PUT")], revision: 2))
        #expect(try await fixture.client.begin(Client.request("GET", "/public")).response().status == "403")
        try await fixture.stop()
    }

    @Test(
        "a flow of which an end is not known any more, on an open connection, passes nothing", arguments: [true, false])
    func incompleteAgain(isHTTP2: Bool) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let echo = try await HTTP2EchoServer.start(group)
        let recorder = try await ProxyFixture.start([HTTPRule()])
        let server = try #require(isHTTP2 ? echo.address : recorder.server.address)
        let resolver = IncompleteResolver(server: server)
        let proxy = try await ProxyFixture.start([HTTPRule()], resolver: resolver)
        let address = try #require(proxy.proxy.address)
        if isHTTP2 {
            let client = try await Client.connect(group, to: address)
            #expect(try await client.begin(Client.request("GET", "/1")).response().status == "200")
            resolver.isLost.withLock { $0 = true }
            #expect(try await client.begin(Client.request("GET", "/2")).response().status == "403")
            try? await client.channel.close()
            #expect(echo.requests.withLock { $0 } == ["GET /1"])
        } else {
            let client = try proxy.client(patience: 10_000)
            client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.read(until: "X-Number: 1\r\n\r\n").text.hasPrefix("HTTP/1.1 200"))
            resolver.isLost.withLock { $0 = true }
            client.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.read(until: "Access denied\r\n").text.hasPrefix("HTTP/1.1 403"))
        }
        try await proxy.stop()
        try await recorder.stop()
        try await echo.stop()
        try await group.shutdownGracefully()
    }

    @Test("header actions change fields of HTTP/2")
    func headerActions() async throws {
        let rule = HTTPRule(
            headerMatches: [HeaderMatch(name: "X-Team", value: "shop", mismatch: "ADD", secret: nil)])
        let fixture = try await Fixture.start([rule])
        #expect(try await fixture.client.begin(Client.request("GET", "/")).response().status == "200")
        #expect(fixture.server.lastFields.withLock { $0.contains("x-team: shop") })
        try await fixture.stop()
    }

    @Test("what is never indexed stays so, whether its head is written anew or not", arguments: [true, false])
    func neverIndexed(isRewritten: Bool) async throws {
        let match = HeaderMatch(name: "X-Team", value: "shop", mismatch: "ADD", secret: nil)
        let fixture = try await Fixture.start([HTTPRule(headerMatches: isRewritten ? [match] : [])])
        var fields = HPACKHeaders(Client.request("GET", "/", [("x-a", "1")]))
        fields.add(name: "authorization", value: "secret", indexing: .neverIndexed)
        fields.add(name: "cookie", value: "a=1", indexing: .neverIndexed)
        fields.add(name: "cookie", value: "b=1")
        #expect(try await fixture.client.begin(fields).response().status == "200")
        #expect(fixture.server.lastFields.withLock { $0.contains("x-team: shop") } == isRewritten)
        #expect(Set(fixture.server.neverIndexed.withLock { $0 }) == ["authorization", "cookie"])
        try await fixture.stop()
    }

    @Test("a server that cannot be reached is said to be so: 503, gRPC status 14")
    func noServer() async throws {
        let fixture = try await Fixture.start(rules)
        let absent = try await ProxyFixture.start(rules, to: try SocketAddress(ipAddress: "127.0.0.1", port: 1))
        guard let address = absent.proxy.address else { throw ProxyFixture.Broken() }
        for (type, isGRPC) in [("text/plain", false), ("application/grpc", true)] {
            let client = try await HTTP2TestClient.connect(fixture.group, to: address)
            let request = Client.request("GET", "/public", [("content-type", type)])
            let response = try await client.begin(request).response()
            #expect(isGRPC ? response.fields["grpc-status"] == "14" : response.status == "503")
            try? await client.channel.close()
        }
        try await absent.stop()
        try await fixture.stop()
    }
}

/// Knows both ends until one is lost, as where the kernel's entry of the flow begins anew.
private final class IncompleteResolver: FlowResolver {
    private let server: SocketAddress
    let isLost = Mutex(false)

    init(server: SocketAddress) { self.server = server }

    func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow? {
        var flow = ProxiedFlow(destination: server)
        flow.egress = RuleBook.Selection(policy: 1, rules: [0])
        flow.isComplete = !isLost.withLock { $0 }
        return flow
    }
}
