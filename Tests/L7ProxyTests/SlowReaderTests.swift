import L7Proxy
import NIOCore
import PolicyAPI
import Testing

@Suite("Peers that read late", .serialized)
struct SlowReaderTests {
    @Test("a client that reads late gets every byte once and in order, and its next request is answered")
    func client() async throws {
        // Each eight bytes are others: a piece that is lost, doubled or misplaced shows.
        let body = (0..<400_000).map { String(10_000_000 + $0) }.joined()
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        let proxy = try await ProxyFixture.start([HTTPRule()], answer: answer)
        let client = try proxy.client(patience: 10_000)
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        client.send(request + request)
        try await Task.sleep(nanoseconds: 200_000_000)
        #expect(client.read(bytes: 2 * answer.count) == answer + answer)
        client.send(request)
        #expect(client.read(bytes: answer.count) == answer)
        try await proxy.stop()
    }

    @Test("a denied request behind a large answer that nobody reads is answered behind it")
    func denied() async throws {
        let body = String(repeating: "0123456789abcdef", count: 1 << 18)
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        let proxy = try await ProxyFixture.start([HTTPRule(path: "/public")], answer: answer)
        let client = try proxy.client(patience: 10_000)
        client.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\nGET /secret HTTP/1.1\r\nHost: a\r\n\r\n")
        try await Task.sleep(nanoseconds: 200_000_000)
        #expect(client.read(bytes: answer.count) == answer)
        let (text, _) = client.read(until: "Access denied\r\n")
        #expect(text.hasPrefix("HTTP/1.1 403 ") && text.hasSuffix("\r\n\r\nAccess denied\r\n"))
        try await proxy.stop()
    }

    @Test("a server that reads late gets a large request once and in order")
    func server() async throws {
        let proxy = try await ProxyFixture.start([HTTPRule()])
        let body = Array((0..<400_000).map { String(10_000_000 + $0) }.joined().utf8)
        let request = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
        let client = try proxy.client(patience: 20_000)
        // One loop has the proxy and the server, which scans all that it has at each read: it is the slow one.
        client.send(request)
        let (text, _) = client.read(until: "\r\n\r\n")
        #expect(text.hasPrefix("HTTP/1.1 200 "))
        #expect(proxy.server.take() == [request])
        try await proxy.stop()
    }

    @Test("a client that reads no answer is not asked for more requests")
    func deaf() async throws {
        let proxy = try await ProxyFixture.start([HTTPRule(path: "/public")])
        do {
            let client = try proxy.client(patience: 500, isDeaf: true)
            let requests = Array(String(repeating: "GET /secret HTTP/1.1\r\nHost: a\r\n\r\n", count: 40_000).utf8)
            for _ in 0..<15 { client.send(requests) }
            try await Task.sleep(nanoseconds: 300_000_000)
            // What the sockets hold, some megabytes; not the 60 that the answers to all of them are.
            let denied = try await proxy.proxy.counters().denied
            #expect(denied > 100 && denied < 150_000, "\(denied)")
        }
        try await proxy.stop()
    }
}
