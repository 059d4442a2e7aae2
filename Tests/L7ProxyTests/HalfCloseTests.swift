import L7Proxy
import NIOCore
import PolicyAPI
import ProxyRules
import Testing

/// Clients that end their side behind their last request: each request is answered, then the connection ends.
@Suite("clients that end their side", .serialized)
struct HalfCloseTests {
    private func get(_ path: String, _ more: String = "") -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\(more)\r\n" }

    /// What a client gets that sends this and ends its side at once.
    private func ask(_ text: String, of proxy: ProxyFixture, after milliseconds: Int = 0) async throws -> (String, Bool)
    {
        let client = try proxy.client(patience: 5_000)
        client.send(text)
        if milliseconds > 0 { try await Task.sleep(for: .milliseconds(milliseconds)) }
        client.finish()
        let answer = client.read()
        try await proxy.settle()
        return answer
    }

    @Test("before the server is connected, whose end has rules of its own")
    func beforeConnected() async throws {
        let recorder = try await ProxyFixture.start([HTTPRule()])
        let resolver = CompleteLater(server: try #require(recorder.server.address))
        let proxy = try await ProxyFixture.start([HTTPRule()], resolver: resolver)
        proxy.rules.replace(with: try ProxyFixture.book([HTTPRule()], [HTTPRule(path: "/[12]")]))
        let (text, isClosed) = try await ask(get("/1") + get("/2") + get("/3"), of: proxy)
        #expect(isClosed && text.contains("X-Number: 1") && text.contains("X-Number: 2"))
        #expect(text.hasSuffix("Access denied\r\n"))
        try await proxy.stop()
        try await recorder.stop()
    }

    @Test("more requests than may wait for their answers are all answered", arguments: [1, 32])
    func many(pipelined: Int) async throws {
        var limits = ProxyLimits()
        limits.pipelined = pipelined
        let proxy = try await ProxyFixture.start([HTTPRule()], limits: limits)
        let (text, isClosed) = try await ask((0..<100).map { get("/\($0)") }.joined(), of: proxy)
        #expect(isClosed && text.contains("X-Number: 100\r\n"))
        try await proxy.stop()
    }

    @Test("a denied request at the end is answered, and the connection ends")
    func denied() async throws {
        let proxy = try await ProxyFixture.start([HTTPRule(path: "/public")])
        let (text, isClosed) = try await ask(get("/public") + get("/secret"), of: proxy)
        #expect(isClosed && text.hasPrefix("HTTP/1.1 200") && text.hasSuffix("Access denied\r\n"))
        try await proxy.stop()
    }

    @Test("the beginning of a request behind whole ones is dropped, and those are answered")
    func beginning() async throws {
        let proxy = try await ProxyFixture.start([HTTPRule(path: "/public")])
        let (text, isClosed) = try await ask(get("/public") + "GET /pub", of: proxy)
        #expect(isClosed && text.hasPrefix("HTTP/1.1 200"))
        #expect(proxy.server.take().map { String(decoding: $0, as: UTF8.self) } == [get("/public")])
        try await proxy.stop()
    }

    @Test("behind an offer of another protocol: what it carries is forwarded, then its end", arguments: [0, 100])
    func offer(after milliseconds: Int) async throws {
        let proxy = try await ProxyFixture.start([HTTPRule()])
        let offer = get("/", "Connection: Upgrade\r\nUpgrade: websocket\r\n")
        let (text, isClosed) = try await ask(offer + "other", of: proxy, after: milliseconds)
        #expect(isClosed && text.hasPrefix("HTTP/1.1 101"))
        #expect(proxy.server.take().map { String(decoding: $0, as: UTF8.self) } == [offer + "other"])
        try await proxy.stop()
    }
}

/// Knows the receiver's end once it is asked again.
private final class CompleteLater: FlowResolver {
    private let server: SocketAddress
    private let asked = Mutex2(0)

    init(server: SocketAddress) { self.server = server }

    var selectionsChange: Bool { false }

    func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow? {
        let count = asked.value.withLock { asked in
            asked += 1
            return asked
        }
        var flow = ProxiedFlow(destination: server)
        flow.egress = RuleBook.Selection(policy: 1, rules: [0])
        flow.isComplete = count > 1
        if flow.isComplete { flow.ingress = RuleBook.Selection(policy: 2, rules: [0]) }
        return flow
    }
}
