import L7Proxy
import NIOCore
import PolicyAPI
import Testing

/// The end of a connection behind its last answer.
@Suite("connections end behind their last answer", .serialized)
struct LingerTests {
    @Test("also while the client sends on")
    func sendsOn() async throws {
        var limits = ProxyLimits()
        limits.lingerTimeout = .milliseconds(300)
        limits.tick = .milliseconds(50)
        let proxy = try await ProxyFixture.start([HTTPRule()], limits: limits)
        let client = try proxy.client(patience: 10_000)
        client.send("GET /\u{7f} HTTP/1.1\r\n")
        #expect(client.read().text.hasPrefix("HTTP/1.1 400"))
        var open = 1
        for _ in 0..<200 where open > 0 {
            client.send("x")
            try await Task.sleep(for: .milliseconds(20))
            open = try await proxy.proxy.counters().open
        }
        #expect(open == 0)
        try await proxy.stop()
    }

    @Test("a client that takes its last answer slowly gets all of it")
    func slowly() async throws {
        let body = String(repeating: "0123456789abcdef", count: 1 << 19)
        let answer = Array(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        var limits = ProxyLimits()
        limits.lingerTimeout = .milliseconds(100)
        limits.tick = .milliseconds(20)
        let proxy = try await ProxyFixture.start([HTTPRule()], limits: limits, answer: answer)
        let client = try proxy.client(patience: 10_000, isDeaf: true)
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        var got: [UInt8] = []
        // Pauses, as long as there are bytes that only the proxy has.
        while got.count < answer.count {
            let piece = client.read(bytes: min(answer.count - got.count, 1 << 20))
            guard !piece.isEmpty else { break }
            got += piece
            try await Task.sleep(for: .milliseconds(300))
        }
        #expect(got == answer)
        let isReset = client.isReset()
        #expect(!isReset)
        try await proxy.stop()
    }
}
