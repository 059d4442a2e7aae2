import HTTPScan
import NIOCore
import NIOPosix
import PolicyAPI
import ProxyRules
import Testing

@testable import L7Proxy

@Suite("what the access log keeps in memory is bounded", .serialized)
struct LogMemoryTests {
    @Test("a host that is longer than names are is refused, of HTTP/1 and HTTP/2")
    func longHost() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await HTTP2EchoServer.start(group)
        let proxy = try await ProxyFixture.start([HTTPRule()], to: server.address)
        let host = String(repeating: "a", count: 10_000)
        do {
            let client = try proxy.client(patience: 10_000)
            client.send("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            #expect(client.read().text.contains("host-syntax"))
        }
        let client = try await HTTP2TestClient.connect(group, to: try #require(proxy.proxy.address))
        let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", host)]
        #expect(try await client.begin(fields).response().status == "400")
        #expect(server.requests.withLock { $0.isEmpty })
        #expect(try await proxy.proxy.counters().refused == [.hostSyntax: 2])
        try? await client.channel.close()
        try await proxy.stop()
        try await server.stop()
        try await group.shutdownGracefully()
    }

    @Test("the memory of records that is kept for the next is small, whatever they were")
    func spare() throws {
        let logged = try LoggedLines()
        var lines = LogLines(logged.log)
        // Each of these is two characters in a line.
        let text = "GET /?\(String(repeating: "\\", count: 1_000))=1 HTTP/1.1\r\nHost: a\r\n\r\n"
        let bytes = Array(text.utf8)
        var scanner = RequestHeadScanner()
        guard case .head(let head) = try scanner.scan(bytes.span) else { throw ProxyFixture.Broken() }
        let answer = FlowRules(egress: nil, ingress: nil, isUnrestricted: true)
            .decide(bytes.span, head, limits: ScanLimits())
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        var records: [AccessRecord] = []
        for _ in 0..<2_000 {
            if let record = lines.record(of: bytes.span, head, answer) { records.append(record) }
        }
        for record in records {
            lines.add(
                record,
                .init(status: 200, latency: .zero, connection: [], client: address, revision: nil))
        }
        #expect(lines.spareBytes <= LogLines.mostSpare * LogLines.largestSpare)
        // Usual ones are kept.
        lines.add(
            lines.record(refused: .hostSyntax),
            .init(status: 400, latency: .zero, connection: [], client: address, revision: nil))
        #expect(lines.spareBytes > 0)
    }
}
