import L7Proxy
import NIOPosix
import PolicyAPI
import Testing

@Suite("HTTP/2 floods end the connection", .serialized)
struct HTTP2FloodTests {
    /// Sends these bytes behind the preface.
    ///
    /// - Returns: whether the proxy closed the connection, and its counters.
    private func flood(_ frames: [UInt8], limits: ProxyLimits = ProxyLimits()) async throws -> (Bool, ProxyCounters) {
        let proxy = try await ProxyFixture.start([HTTPRule(method: "NONE")], limits: limits)
        let isClosed: Bool
        do {
            let client = try proxy.client(patience: 3_000)
            client.send(RawFrames.preface + frames)
            isClosed = client.read().isClosed
        }
        let counters = try await proxy.proxy.counters()
        #expect(proxy.server.received.withLock { $0.isEmpty })
        try await proxy.stop()
        return (isClosed, counters)
    }

    @Test("rapid reset")
    func rapidReset() async throws {
        var frames: [UInt8] = []
        for stream in stride(from: UInt32(1), to: 5_000, by: 2) {
            frames += RawFrames.request("/", stream: stream) + RawFrames.reset(stream)
        }
        let (isClosed, counters) = try await flood(frames)
        #expect(isClosed && counters.http2Errors == 1)
    }

    @Test("CONTINUATION frames without an end")
    func continuation() async throws {
        var frames = RawFrames.frame(1, 0x1, 1, RawFrames.get("/"))
        for _ in 0..<1_000 { frames += RawFrames.frame(9, 0, 1, []) }
        let (isClosed, counters) = try await flood(frames)
        #expect(isClosed && counters.http2Errors == 1)
    }

    @Test("SETTINGS and PING frames", arguments: [UInt8(4), 6])
    func controlFrames(type: UInt8) async throws {
        let payload = type == 6 ? [UInt8](repeating: 0, count: 8) : []
        let frame = RawFrames.frame(type, 0, 0, payload)
        let (isClosed, counters) = try await flood((0..<30_000).flatMap { _ in frame })
        #expect(isClosed && counters.http2Errors == 1)
    }

    @Test("PRIORITY frames, of a stream that nobody opens")
    func priority() async throws {
        let frame = RawFrames.frame(2, 0, 1, RawFrames.number(0) + [16])
        let (isClosed, counters) = try await flood((0..<30_000).flatMap { _ in frame })
        #expect(isClosed && counters.http2Errors == 1)
    }

    @Test("an HPACK bomb: a field of 4 KB, named a thousand times by its index")
    func hpackBomb() async throws {
        // Literal with indexing: a new name of 1 byte, a value of 3,900; then index 62 again and again.
        let value = [UInt8](repeating: 0x78, count: 3_900)
        let rest = value.count - 127
        let field = [0x40, 1, 0x78, 0x7f, UInt8(rest & 127 | 128), UInt8(rest >> 7)] + value
        let bomb = RawFrames.get("/") + field + [UInt8](repeating: 0x80 | 62, count: 1_000)
        let (isClosed, counters) = try await flood(RawFrames.frame(1, 0x5, 1, bomb))
        #expect(isClosed && counters.http2Errors == 1 && counters.denied == 0)
    }

    /// Sends these bytes behind the preface, to a proxy that allows everything.
    ///
    /// - Returns: whether the connection was closed, the counters, and how many requests the server got.
    private func floodServer(_ frames: [UInt8], limits: ProxyLimits = ProxyLimits()) async throws -> (
        Bool, ProxyCounters, Int
    ) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await HTTP2EchoServer.start(group)
        let proxy = try await ProxyFixture.start([HTTPRule()], limits: limits, to: server.address)
        let isClosed: Bool
        do {
            let client = try proxy.client(patience: 1_000)
            client.send(RawFrames.preface + frames)
            isClosed = client.read().isClosed
        }
        let counters = try await proxy.proxy.counters()
        try await proxy.stop()
        try await server.stop()
        try await group.shutdownGracefully()
        return (isClosed, counters, server.requests.withLock { $0.count })
    }

    /// POST without its end.
    private func openStream(_ number: UInt32) -> [UInt8] {
        RawFrames.frame(1, 0x4, number, [0x83, 0x86, 0x84, 0x01, 1, 0x61])
    }

    @Test("empty DATA frames")
    func emptyData() async throws {
        let empty = RawFrames.frame(0, 0, 1, [])
        let (isClosed, counters, _) = try await floodServer(openStream(1) + (0..<1_000).flatMap { _ in empty })
        #expect(isClosed && counters.http2Errors == 1)
    }

    @Test("of more streams at once than are offered the server gets those that are")
    func tooManyStreams() async throws {
        var limits = ProxyLimits()
        limits.streams = 10
        let frames = stride(from: UInt32(1), to: 401, by: 2).flatMap { openStream($0) }
        let (_, _, requests) = try await floodServer(frames, limits: limits)
        #expect(requests <= 10)
    }

    @Test("the preface of HTTP/2 behind a request of HTTP/1 is refused")
    func latePreface() async throws {
        let proxy = try await ProxyFixture.start([HTTPRule(method: "NONE")])
        let client = try proxy.client(patience: 3_000)
        client.send(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8) + RawFrames.preface)
        let (text, isClosed) = client.read()
        #expect(text.contains("http2-preface") && isClosed)
        try await proxy.stop()
    }
}
