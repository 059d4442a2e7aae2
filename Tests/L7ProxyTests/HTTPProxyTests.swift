import Dispatch
import Glibc
import HTTPScan
import HTTPTestSupport
import L7Proxy
import NIOCore
import PolicyAPI
import ProxyRules
import Synchronization
import Testing

@Suite("The HTTP proxy", .serialized)
struct HTTPProxyTests {
    private let get = HTTPRule(method: "GET", path: "/public(/.*)?(\\?.*)?")

    @Test(
        "an allowed request is forwarded as it came, a denied one is answered and never reaches the server; pipelined, in order"
    )
    func pipelined() async throws {
        let proxy = try await ProxyFixture.start([get])
        let client = try proxy.client(patience: 10_000)
        client.send(
            "GET /public/1 HTTP/1.1\r\nHost: a\r\nX-Odd:   b \r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\nGET /public/2 HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        let answer = client.read(until: "X-Number: 2\r\n\r\n").text
        let first = try #require(answer.range(of: "X-Number: 1"))
        let denied = try #require(answer.range(of: "HTTP/1.1 403 Forbidden"))
        let last = try #require(answer.range(of: "X-Number: 2"))
        #expect(first.lowerBound < denied.lowerBound && denied.lowerBound < last.lowerBound)
        #expect(answer.contains("\r\n\r\nAccess denied\r\nHTTP/1.1 200"))
        let sent = "GET /public/1 HTTP/1.1\r\nHost: a\r\nX-Odd:   b \r\n\r\nGET /public/2 HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(proxy.server.take().map { String(decoding: $0, as: UTF8.self) } == [sent])
        let counters = try await proxy.proxy.counters()
        #expect(counters.allowed == 2 && counters.denied == 1)
        try await proxy.stop()
    }

    @Test("a denied request opens no connection to the server, and its body is thrown away")
    func deniedAlone() async throws {
        let proxy = try await ProxyFixture.start([get])
        let client = try proxy.client(patience: 10_000)
        client.send("POST /public HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        #expect(client.read(until: "Access denied\r\n").text.hasPrefix("HTTP/1.1 403"))
        client.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.read(until: "X-Number: 1\r\n\r\n").text.hasPrefix("HTTP/1.1 200"))
        try await proxy.stop()
    }

    /// The client's former connection may not have ended yet.
    @Test(
        "the client's address and port are another socket's for a moment: connected as soon as they are free, 503 when they stay taken",
        arguments: [true, false])
    func takenEnds(_ isFreed: Bool) async throws {
        let server = try await ProxyFixture.start([get])
        let taken = try BlockingClient.takenPort()
        var flow = ProxiedFlow(destination: try #require(server.server.address))
        flow.ingress = RuleBook.Selection(policy: 1, rules: [0])
        flow.source = try SocketAddress(ipAddress: "127.0.0.1", port: taken.port)
        let proxy = try await ProxyFixture.start([get], resolver: FixedFlowResolver(flow))
        let client = try proxy.client(patience: 10_000)
        client.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
        if isFreed {
            // Not by a task: other tests may keep all threads that tasks have.
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(300)) { close(taken.descriptor) }
            #expect(client.read(until: "X-Number: 1\r\n\r\n").text.hasPrefix("HTTP/1.1 200"))
        } else {
            #expect(client.read().text.hasPrefix("HTTP/1.1 503"))
            close(taken.descriptor)
        }
        try await proxy.stop()
        try await server.stop()
    }

    @Test("a client that ends its side behind a request gets the whole answer, then the end")
    func halfClosed() async throws {
        let body = String(repeating: "0123456789abcdef", count: 1 << 16)
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        let proxy = try await ProxyFixture.start([HTTPRule()], answer: answer)
        let client = try proxy.client(patience: 10_000)
        client.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
        client.finish()
        let (text, isClosed) = client.read()
        #expect(text.utf8.count == answer.count && isClosed)
        try await proxy.settle()
        try await proxy.stop()
    }

    @Test("a client that ends its side with idle connections leaves none behind")
    func idleEnd() async throws {
        let proxy = try await ProxyFixture.start([HTTPRule()])
        let client = try proxy.client(patience: 10_000)
        client.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.read(until: "X-Number: 1\r\n\r\n").text.hasPrefix("HTTP/1.1 200"))
        client.finish()
        #expect(client.read().isClosed)
        try await proxy.settle()
        try await proxy.stop()
    }

    @Test("refused bytes are answered with 400 and the reason's name, and the connection ends")
    func refused() async throws {
        let proxy = try await ProxyFixture.start([HTTPRule()])
        let client = try proxy.client(patience: 10_000)
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        let (text, isClosed) = client.read()
        #expect(text.hasPrefix("HTTP/1.1 400") && text.contains("content-length-and-transfer-encoding") && isClosed)
        #expect(proxy.server.take().isEmpty)
        #expect(try await proxy.proxy.counters().refused == [.twoLengths: 1])
        try await proxy.stop()
    }

    @Test("100-continue, chunks and trailers pass")
    func bodies() async throws {
        let proxy = try await ProxyFixture.start([HTTPRule()])
        let client = try proxy.client(patience: 10_000)
        client.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(client.read(until: "100 Continue\r\n\r\n").text.hasPrefix("HTTP/1.1 100"))
        client.send("5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n")
        #expect(client.read(until: "X-Number: 1\r\n\r\n").text.hasPrefix("HTTP/1.1 200"))
        try await proxy.stop()
    }

    @Test("what follows an offer of a websocket waits for the answer; then the connection is the other protocol's")
    func webSocket() async throws {
        let proxy = try await ProxyFixture.start([get])
        let client = try proxy.client(patience: 10_000)
        client.send("GET /public HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nnot HTTP")
        #expect(client.read(until: "not HTTP").text.hasPrefix("HTTP/1.1 101"))
        client.send([0, 1, 2, 10])
        #expect(client.read(until: "\n").text.utf8.count == 4)
        try await proxy.stop()
    }

    @Test("what a client sends behind an upgrade whose server is gone begins no connection")
    func webSocketWithoutServer() async throws {
        let proxy = try await ProxyFixture.start([get])
        let client = try proxy.client(patience: 2_000)
        client.send("GET /public HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nx\n")
        #expect(client.read(until: "x\n").text.hasPrefix("HTTP/1.1 101"))
        client.send([0xff])
        for _ in 0..<200 where proxy.server.open.withLock({ $0 }) > 0 { try await Task.sleep(for: .milliseconds(10)) }
        for _ in 0..<2 {
            client.send("POST /admin HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(proxy.server.received.withLock(\.count) == 1)
        #expect(!proxy.server.take().contains { String(decoding: $0, as: UTF8.self).contains("/admin") })
        try await proxy.stop()
    }

    @Test("an offer of HTTP/2 is taken out of the head, and the next request is decided")
    func http2Offer() async throws {
        let proxy = try await ProxyFixture.start([get])
        let client = try proxy.client(patience: 10_000)
        client.send(
            "GET /public HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        let text = client.read(until: "Access denied\r\n").text
        #expect(text.hasPrefix("HTTP/1.1 200") && text.contains("403 Forbidden"))
        let sent = proxy.server.take().map { String(decoding: $0, as: UTF8.self) }
        #expect(sent == ["GET /public HTTP/1.1\r\nHost: a\r\n\r\n"])
        try await proxy.stop()
    }

    @Test("changed rules hold for the next request of an open connection")
    func changed() async throws {
        let proxy = try await ProxyFixture.start([get])
        let client = try proxy.client(patience: 10_000)
        client.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.read(until: "X-Number: 1\r\n\r\n").text.hasPrefix("HTTP/1.1 200"))
        proxy.rules.replace(with: try ProxyFixture.book([HTTPRule(method: "PUT")], revision: 2))
        client.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.read(until: "Access denied\r\n").text.hasPrefix("HTTP/1.1 403"))
        try await proxy.stop()
    }

    @Test("where the receiver's end is known only when it has answered, nothing is forwarded before both are asked")
    func incomplete() async throws {
        let recorder = try await ProxyFixture.start([HTTPRule()])
        guard let server = recorder.server.address else { throw ProxyFixture.Broken() }
        let resolver = LateResolver(server: server)
        let proxy = try await ProxyFixture.start([HTTPRule(path: "/public.*")], resolver: resolver)
        proxy.rules.replace(with: try ProxyFixture.book([HTTPRule(path: "/public.*")], [HTTPRule(path: "/public/1")]))
        let client = try proxy.client(patience: 10_000)
        client.send("GET /admin HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.read(until: "Access denied\r\n").text.hasPrefix("HTTP/1.1 403"))
        #expect(recorder.server.received.withLock { $0.isEmpty })
        client.send("GET /public/2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.read(until: "Access denied\r\n").text.hasPrefix("HTTP/1.1 403"))
        client.send("GET /public/1 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.read(until: "X-Number: 1\r\n\r\n").text.hasPrefix("HTTP/1.1 200"))
        let sent = recorder.server.take().map { String(decoding: $0, as: UTF8.self) }
        #expect(sent == ["GET /public/1 HTTP/1.1\r\nHost: a\r\n\r\n"])
        try await proxy.stop()
        try await recorder.stop()
    }

    @Test("a flow whose receiver's end never becomes known passes nothing")
    func neverComplete() async throws {
        let recorder = try await ProxyFixture.start([HTTPRule()])
        guard let server = recorder.server.address else { throw ProxyFixture.Broken() }
        let proxy = try await ProxyFixture.start([HTTPRule()], resolver: LateResolver(server: server, after: .max))
        let client = try proxy.client(patience: 10_000)
        client.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.read().text.hasPrefix("HTTP/1.1 503"))
        #expect(recorder.server.take().isEmpty)
        try await proxy.stop()
        try await recorder.stop()
    }

    @Test("a flow that is not known any more passes nothing, whatever it passed before")
    func forgotten() async throws {
        let recorder = try await ProxyFixture.start([HTTPRule()])
        guard let server = recorder.server.address else { throw ProxyFixture.Broken() }
        let resolver = ForgetfulResolver(server: server)
        let proxy = try await ProxyFixture.start([HTTPRule()], resolver: resolver)
        let client = try proxy.client(patience: 10_000)
        client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.read(until: "X-Number: 1\r\n\r\n").text.hasPrefix("HTTP/1.1 200"))
        resolver.forget()
        client.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.read(until: "Access denied\r\n").text.hasPrefix("HTTP/1.1 403"))
        #expect(recorder.server.take().count == 1)
        try await proxy.stop()
        try await recorder.stop()
    }

    @Test("a body with GET ends the connection, so that no server reads it as a request")
    func bodyOfGet() async throws {
        let proxy = try await ProxyFixture.start([HTTPRule()])
        let client = try proxy.client(patience: 10_000)
        client.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        let (text, isClosed) = client.read()
        #expect(text.hasPrefix("HTTP/1.1 200") && isClosed)
        let sent = proxy.server.take().map { String(decoding: $0, as: UTF8.self) }
        #expect(sent == ["GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"])
        try await proxy.stop()
    }

    @Test("a server that cannot be reached, and one that answers no HTTP, are said to be so", arguments: [true, false])
    func badServer(isAbsent: Bool) async throws {
        let absent = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        let proxy = try await ProxyFixture.start(
            [HTTPRule()], answer: Array("SSH-2.0\r\n".utf8), to: isAbsent ? absent : nil)
        let client = try proxy.client(patience: 10_000)
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let (text, isClosed) = client.read()
        #expect(text.hasPrefix(isAbsent ? "HTTP/1.1 503" : "HTTP/1.1 502") && isClosed)
        try await proxy.stop()
    }

    @Test("a head that does not end, and a connection without a request, end by themselves")
    func slow() async throws {
        var limits = ProxyLimits()
        limits.headTimeout = .milliseconds(100)
        limits.idleTimeout = .milliseconds(100)
        let proxy = try await ProxyFixture.start([HTTPRule()], limits: limits)
        let slow = try proxy.client(patience: 5_000)
        slow.send("GET / HT")
        let idle = try proxy.client(patience: 5_000)
        #expect(slow.read().text.hasPrefix("HTTP/1.1 408"))
        #expect(idle.read().isClosed)
        #expect(try await proxy.proxy.counters().timeouts == 2)
        try await proxy.stop()
    }

    @Test("large bodies pass both ways through bounded buffers")
    func large() async throws {
        let body = String(repeating: "0123456789abcdef", count: 1 << 18)
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        let proxy = try await ProxyFixture.start([HTTPRule()], answer: answer)
        let client = try proxy.client(patience: 10_000)
        client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let (text, isClosed) = client.read()
        #expect(text.utf8.count == answer.count && isClosed)
        try await proxy.stop()
    }

    @Test("the access log has the rule and the redacted path, one line a request, and no secret")
    func accessLog() async throws {
        var ends: [CInt] = [0, 0]
        pipe(&ends)
        let log = AccessLog(descriptor: ends[1])
        let proxy = try await ProxyFixture.start([get], log: log)
        let client = try proxy.client(patience: 10_000)
        client.send("GET /public?token=hunter2&hunter2 HTTP/1.1\r\nHost: a\r\nAuthorization: hunter2\r\n\r\n")
        _ = client.read(until: "\r\n\r\n")
        client.send("GET /admin?hunter2 HTTP/1.1\r\nHost: a\r\nCookie: hunter2\r\n\r\n")
        _ = client.read(until: "Access denied\r\n")
        client.send("GET /\u{7f} HTTP/1.1\r\n")
        _ = client.read()
        try await proxy.stop()
        log.flush()
        close(ends[1])
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = read(ends[0], &piece, piece.count)
        close(ends[0])
        let lines = String(decoding: piece[..<max(0, count)], as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 3)
        #expect(!lines.contains { $0.contains("hunter2") })
        #expect(lines.first?.contains(#""path":"/public?token=...&...""#) == true)
        #expect(lines.first?.contains(#""rule":"CiliumNetworkPolicy shop/api spec""#) == true)
        #expect(lines.dropFirst().first?.contains(#""decision":"denied""#) == true)
        #expect(lines.dropFirst().first?.contains(#""reason":"path""#) == true)
        #expect(lines.last?.contains(#""reason":"target-character""#) == true)
    }
}

extension HTTPProxyTests {
    @Test("signs that JSON escapes are escaped in the log wherever they stand")
    func escapedLog() async throws {
        var ends: [CInt] = [0, 0]
        pipe(&ends)
        let log = AccessLog(descriptor: ends[1])
        let proxy = try await ProxyFixture.start([get], log: log)
        let client = try proxy.client(patience: 10_000)
        // The only sign of these that a path may have is the backslash of a query; names in a query are shown.
        for place in 0..<20 {
            let name = String(repeating: "n", count: place) + "\\" + String(repeating: "n", count: 20 - place)
            client.send("GET /public?\(name)=1 HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = client.read(until: "\r\n\r\n")
        }
        try await proxy.stop()
        log.flush()
        close(ends[1])
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = read(ends[0], &piece, piece.count)
        close(ends[0])
        let lines = String(decoding: piece[..<max(0, count)], as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 20)
        for (place, line) in lines.enumerated() {
            let name = String(repeating: "n", count: place) + "\\\\" + String(repeating: "n", count: 20 - place)
            #expect(line.contains("\"path\":\"/public?\(name)=...\""), "\(line)")
        }
    }
}

/// Knows the flow until it is told to forget it.
private final class ForgetfulResolver: FlowResolver {
    private let server: SocketAddress
    private let isGone = Mutex(false)

    init(server: SocketAddress) { self.server = server }

    func forget() { isGone.withLock { $0 = true } }

    func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow? {
        if isGone.withLock({ $0 }) { return nil }
        var flow = ProxiedFlow(destination: server)
        flow.egress = RuleBook.Selection(policy: 1, rules: [0])
        return flow
    }
}

/// Knows the receiver's end from a question on: of the test's two policies.
private final class LateResolver: FlowResolver {
    private let server: SocketAddress
    private let after: Int
    private let asked = Mutex(0)

    init(server: SocketAddress, after: Int = 2) {
        self.server = server
        self.after = after
    }

    func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow? {
        let count = asked.withLock { asked in
            asked += 1
            return asked
        }
        var flow = ProxiedFlow(destination: server)
        flow.egress = RuleBook.Selection(policy: 1, rules: [0])
        flow.isComplete = count > after
        if flow.isComplete { flow.ingress = RuleBook.Selection(policy: 2, rules: [0]) }
        return flow
    }
}
