import L7Proxy
import NIOCore
import NIOPosix
import PolicyAPI
import Testing

@Suite("HTTP/2 floods end the connection", .serialized)
struct HTTP2FloodTests {
    /// Sends these bytes behind the preface.
    ///
    /// - Returns: whether the proxy closed the connection, why, as it counted and as its log says, and its counters.
    private func flood(
        _ frames: [UInt8], limits: ProxyLimits = ProxyLimits(), allows: Bool = false, to server: SocketAddress? = nil
    ) async throws -> (isClosed: Bool, faults: [HTTP2Fault: UInt64], logged: [String], counters: ProxyCounters) {
        let lines = try LoggedLines()
        let rule = allows ? HTTPRule() : HTTPRule(method: "NONE")
        let proxy = try await ProxyFixture.start([rule], limits: limits, log: lines.log, to: server)
        let isClosed: Bool
        do {
            let client = try proxy.client(patience: 3_000)
            client.send(RawFrames.preface + frames)
            isClosed = client.read().isClosed
        }
        let counters = try await proxy.proxy.counters()
        #expect(proxy.server.received.withLock { $0.isEmpty })
        try await proxy.stop()
        let logged = lines.take().filter { $0.decision == "refused" }.compactMap(\.reason)
        return (isClosed, counters.http2Faults, logged, counters)
    }

    /// Sends them, and expects that the connection is closed for this.
    private func expect(
        _ fault: HTTP2Fault, for frames: [UInt8], allows: Bool = false, to server: SocketAddress? = nil
    ) async throws {
        // A rate that a busy machine reaches too.
        var limits = ProxyLimits()
        limits.controlFrames = 500
        let (isClosed, faults, logged, _) = try await flood(frames, limits: limits, allows: allows, to: server)
        #expect(isClosed && faults == [fault: 1] && logged == [fault.rawValue], "\(faults) \(logged)")
    }

    @Test("rapid reset")
    func rapidReset() async throws {
        var frames: [UInt8] = []
        for stream in stride(from: UInt32(1), to: 5_000, by: 2) {
            frames += RawFrames.request("/", stream: stream) + RawFrames.reset(stream)
        }
        try await expect(.resets, for: frames)
    }

    @Test("CONTINUATION frames without an end")
    func continuation() async throws {
        var frames = RawFrames.frame(1, 0x1, 1, RawFrames.get("/"))
        for _ in 0..<1_000 { frames += RawFrames.frame(9, 0, 1, []) }
        try await expect(.continuation, for: frames)
    }

    @Test("SETTINGS and PING frames", arguments: [UInt8(4), 6])
    func controlFrames(type: UInt8) async throws {
        let payload = type == 6 ? [UInt8](repeating: 0, count: 8) : []
        try await expect(.controlFrames, for: RawFrames.many(30_000, RawFrames.frame(type, 0, 0, payload)))
    }

    @Test("PRIORITY frames, of a stream that nobody opens")
    func priority() async throws {
        let frame = RawFrames.frame(2, 0, 1, RawFrames.number(0) + [16])
        try await expect(.controlFrames, for: RawFrames.many(30_000, frame))
    }

    @Test("an HPACK bomb: a field of 4 KB, named a thousand times by its index")
    func hpackBomb() async throws {
        // Literal with indexing: a new name of 1 byte, a value of 3,900; then index 62 again and again.
        let value = [UInt8](repeating: 0x78, count: 3_900)
        let rest = value.count - 127
        let field = [0x40, 1, 0x78, 0x7f, UInt8(rest & 127 | 128), UInt8(rest >> 7)] + value
        let bomb = RawFrames.get("/") + field + [UInt8](repeating: 0x80 | 62, count: 1_000)
        // The codec does not tell it from other errors of the compression.
        try await expect(.frames, for: RawFrames.frame(1, 0x5, 1, bomb))
    }

    @Test(
        "WINDOW_UPDATE frames of the connection, and of a stream that waits for its server", arguments: [UInt32(0), 1])
    func windowUpdates(stream: UInt32) async throws {
        let server = try AbsentServer()
        let frames = RawFrames.post(1) + RawFrames.many(20_000, RawFrames.grant(stream))
        try await expect(.windowUpdates, for: frames, allows: true, to: server.address)
    }

    @Test("bodies beyond the windows that were granted, of streams whose server takes nothing")
    func flowControl() async throws {
        let server = try AbsentServer()
        // In turn, and half a window each: so the codec takes what it grants, and the gate keeps back, for granted.
        let halves = [UInt32(1), 3].flatMap {
            RawFrames.many(2, RawFrames.frame(0, 0, $0, [UInt8](repeating: 1, count: 16_000)))
        }
        let frames = RawFrames.post(1) + RawFrames.post(3) + RawFrames.many(50, halves)
        try await expect(.flowControl, for: frames, allows: true, to: server.address)
    }

    @Test("bodies beyond the window of the connection, each within that of its stream")
    func connectionWindow() async throws {
        let server = try AbsentServer()
        let frames = stride(from: UInt32(1), to: 181, by: 2).flatMap {
            RawFrames.post($0) + RawFrames.many(4, RawFrames.frame(0, 0, $0, [UInt8](repeating: 1, count: 15_000)))
        }
        try await expect(.flowControl, for: frames, allows: true, to: server.address)
    }

    @Test("frames of a stream that nobody opened", arguments: [UInt8(0), 3, 8])
    func unknownStream(type: UInt8) async throws {
        try await expect(.frames, for: RawFrames.frame(type, 0, 5, RawFrames.number(1)))
    }

    @Test("PING frames whose answers nobody reads end the connection, however slowly they come")
    func unreadAnswers() async throws {
        let ping = RawFrames.frame(6, 0, 0, [UInt8](repeating: 0, count: 8))
        var limits = ProxyLimits()
        limits.controlFrames = 10_000_000
        let proxy = try await ProxyFixture.start([HTTPRule(method: "NONE")], limits: limits)
        do {
            let client = try proxy.client(patience: 3_000)
            client.send(RawFrames.preface)
            // Until the proxy closes: what it answers fills the sockets first.
            for _ in 0..<200 { client.send(RawFrames.many(10_000, ping)) }
        }
        for _ in 0..<500 {
            guard try await proxy.proxy.counters().http2Faults.isEmpty else { break }
            try await Task.sleep(nanoseconds: 10_000_000)
        }
        #expect(try await proxy.proxy.counters().http2Faults == [.unreadAnswers: 1])
        try await proxy.stop()
    }

    @Test("a client that grants its window anew for each kilobyte is served")
    func smallGrants() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await HTTP2EchoServer.start(group)
        let proxy = try await ProxyFixture.start([HTTPRule()], to: server.address)
        do {
            let client = try proxy.client(patience: 10_000)
            client.send(RawFrames.preface + RawFrames.post(1))
            let piece = RawFrames.frame(0, 0, 1, [UInt8](repeating: 7, count: 4_096))
            let kilobyte = RawFrames.number(1_024)
            var echoed = 0
            // Frames end where reads did, not at kilobytes: what is left of one is granted with the next.
            var owed = 0
            // Two WINDOW_UPDATE frames for each kilobyte.
            for round in 1...500 where echoed == (round - 1) * 4_096 {
                client.send(piece)
                while echoed < round * 4_096 {
                    let head = client.read(bytes: 9)
                    guard head.count == 9 else { break }
                    let size = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
                    _ = client.read(bytes: size)
                    guard head[3] == 0 else { continue }
                    echoed += size
                    owed += size
                    while owed >= 1_024 {
                        owed -= 1_024
                        client.send(RawFrames.frame(8, 0, 0, kilobyte) + RawFrames.frame(8, 0, 1, kilobyte))
                    }
                }
            }
            #expect(echoed == 500 * 4_096)
        }
        #expect(try await proxy.proxy.counters().http2Faults.isEmpty)
        try await proxy.stop()
        try await server.stop()
        try await group.shutdownGracefully()
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

    @Test("empty DATA frames")
    func emptyData() async throws {
        let empty = RawFrames.frame(0, 0, 1, [])
        let (isClosed, counters, _) = try await floodServer(RawFrames.post(1) + (0..<1_000).flatMap { _ in empty })
        #expect(isClosed && counters.http2Faults == [.emptyData: 1])
    }

    @Test("of more streams at once than are offered the server gets those that are")
    func tooManyStreams() async throws {
        var limits = ProxyLimits()
        limits.streams = 10
        let frames = stride(from: UInt32(1), to: 401, by: 2).flatMap { RawFrames.post($0) }
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
