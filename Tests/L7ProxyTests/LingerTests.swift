import Glibc
import L7Proxy
import NIOCore
import NIOPosix
import PolicyAPI
import Testing

/// The end of a connection behind its last answer.
@Suite("connections end behind their last answer", .serialized)
struct LingerTests {
    @Test("also while the client sends on")
    func sendsOn() async throws {
        var limits = ProxyLimits()
        limits.lingerTimeout = .milliseconds(500)
        limits.tick = .milliseconds(50)
        let proxy = try await ProxyFixture.start([HTTPRule()], limits: limits)
        let client = try proxy.client(patience: 10_000)
        client.send("GET /\u{7f} HTTP/1.1\r\n")
        #expect(client.read().text.hasPrefix("HTTP/1.1 400"))
        // Not by tasks, whose pauses are long on a busy machine.
        for _ in 0..<100 {
            client.send("x")
            usleep(20_000)
        }
        #expect(try await proxy.proxy.counters().open == 0)
        try await proxy.stop()
    }

    /// A client that stays open.
    private final class Held {
        let client: BlockingClient
        init(_ client: consuming BlockingClient) { self.client = client }
    }

    @Test("a client that takes its last answer late gets all of it, wherever it waits")
    func late() async throws {
        let body = String(repeating: "0123456789abcdef", count: 7_500)
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        var limits = ProxyLimits()
        limits.lingerTimeout = .milliseconds(100)
        limits.tick = .milliseconds(20)
        let proxy = try await ProxyFixture.start([HTTPRule()], limits: limits, answer: answer)
        let get = "GET / HTTP/1.1\r\nHost: a\r\n"
        // From what the sockets hold to more than they do: the proxy itself has the end of some.
        var clients: [Held] = []
        for count in 1...40 {
            let held = Held(try proxy.client(patience: 10_000, isDeaf: true))
            let requests = String(repeating: "\(get)\r\n", count: count - 1)
            held.client.send("\(requests)\(get)Connection: close\r\n\r\n")
            clients.append(held)
        }
        try await Task.sleep(for: .seconds(1))
        for (index, held) in clients.enumerated() {
            let got = held.client.read(bytes: (index + 1) * answer.count)
            #expect(got.count == (index + 1) * answer.count)
        }
        clients.removeAll()
        try await proxy.stop()
    }

    @Test("a client of HTTP/2 that takes its last answer slowly gets all of it, though the proxy is about to stop")
    func slowlyHTTP2() async throws {
        let size = 4 << 20
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await HTTP2EchoServer.start(group, size: size)
        var limits = ProxyLimits()
        limits.tick = .milliseconds(20)
        let proxy = try await ProxyFixture.start([HTTPRule()], limits: limits, to: server.address)
        do {
            let client = try proxy.client(patience: 5_000, isDeaf: true)
            // Windows without end.
            client.send(RawFrames.preface + RawFrames.setting(4, 1 << 31 - 1))
            client.send(
                RawFrames.frame(8, 0, 0, RawFrames.number(1 << 31 - 1 - 65_535)) + RawFrames.request("/", stream: 1))
            var got = client.readSome()
            let stopping = Task { try await proxy.proxy.stop(patience: .seconds(20)) }
            // Pauses, while there are bytes that only the proxy has.
            while case let piece = client.read(bytes: 1 << 20), !piece.isEmpty {
                got += piece
                try await Task.sleep(for: .milliseconds(100))
            }
            let frames = RawFrames.split(got)
            #expect(frames.reduce(0) { $0 + ($1.type == 0 ? $1.payload.count : 0) } == size)
            #expect(frames.count { $0.type == 1 } == 2)
            #expect(frames.contains { $0.type == 7 })
            client.end()
            try await stopping.value
        }
        try await proxy.stop()
        try await server.stop()
        try await group.shutdownGracefully()
    }
}
