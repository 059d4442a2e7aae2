import Foundation
import Glibc
import L7Proxy
import NIOPosix
import PolicyAPI
import Testing

/// What streams that wait for their server may take of the proxy's memory.
@Suite("HTTP/2 streams that wait for their server take little memory", .serialized)
struct HTTP2MemoryTests {
    /// Mebibytes of this process.
    private static func memory() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) >> 20 : 0
    }

    /// By how many mebibytes the process has grown when the proxy has all of this: the first of three times in which it is less than a limit,
    /// else the last. Tests beside this one grow as well, but not each time.
    private func growth(
        below limit: Int, _ limits: ProxyLimits = ProxyLimits(), _ act: (borrowing BlockingClient) throws -> Void
    ) async throws -> (Int, ProxyCounters) {
        for _ in 0..<2 {
            let measured = try await growth(limits, act)
            if measured.0 < limit { return measured }
        }
        return try await growth(limits, act)
    }

    private func growth(
        _ limits: ProxyLimits, _ act: (borrowing BlockingClient) throws -> Void
    ) async throws -> (Int, ProxyCounters) {
        let server = try AbsentServer()
        var limits = limits
        limits.connectTimeout = .seconds(60)
        let proxy = try await ProxyFixture.start([HTTPRule()], limits: limits, to: server.address)
        let before = try Self.memory()
        var after = 0
        do {
            let client = try proxy.client(patience: 500)
            client.send(RawFrames.preface)
            try act(client)
            _ = client.read()
            after = try Self.memory()
        }
        let counters = try await proxy.proxy.counters()
        try await proxy.stop()
        return (after - before, counters)
    }

    @Test("frames of one byte each")
    func tinyData() async throws {
        // Less than a connection is granted in all.
        let (grown, counters) = try await growth(below: 25) { client in
            for stream in stride(from: UInt32(1), to: 15, by: 2) {
                client.send(RawFrames.post(stream))
                client.send(RawFrames.many(65_000, RawFrames.frame(0, 0, stream, [1])))
            }
        }
        #expect(grown < 25 && counters.http2Faults.isEmpty, "\(grown) \(counters.http2Faults)")
    }

    @Test("a byte of each read")
    func pinnedReads() async throws {
        let (grown, counters) = try await growth(below: 60) { client in
            client.send(RawFrames.post(1))
            // One large read: what reads are parsed in is as large from here on.
            client.send(RawFrames.frame(0, 0, 1, [UInt8](repeating: 1, count: 16_000)))
            client.send(RawFrames.frame(0, 0, 1, [UInt8](repeating: 1, count: 16_000)))
            client.send(RawFrames.frame(0, 0, 1, [UInt8](repeating: 1, count: 16_000)))
            for _ in 0..<8_000 {
                client.send(RawFrames.frame(0, 0, 1, [1]))
                usleep(100)
            }
        }
        #expect(grown < 60 && counters.http2Faults.isEmpty, "\(grown) \(counters.http2Faults)")
    }

    @Test(
        "a hundred bodies that nobody takes: a connection is granted what may wait, however many streams it has; where much waits, one window",
        arguments: [false, true])
    func manyBodies(isCrowded: Bool) async throws {
        let server = try AbsentServer()
        var limits = ProxyLimits()
        if isCrowded { limits.waitingBodiesOfAll = 1 << 10 }
        limits.connectTimeout = .seconds(60)
        limits.stallTimeout = .seconds(60)
        let proxy = try await ProxyFixture.start([HTTPRule()], limits: limits, to: server.address)
        let client = try WindowedClient(proxy, patience: 500)
        var sent = 0
        for stream in stride(from: UInt32(1), to: 201, by: 2) {
            client.post(stream)
            let count = client.send(65_535, on: stream)
            sent += count
            if count < 65_535 { break }
        }
        let most = isCrowded ? 65_535 : 512 << 10
        #expect(sent > most && sent <= most + 3 * 65_535, "\(sent)")
        #expect(try await proxy.proxy.counters().http2Faults.isEmpty)
        try await proxy.stop()
    }

    @Test("of streams that take nothing, and so keep others waiting, each is reset after a time, and the others go on")
    func stalled() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await HTTP2EchoServer.start(group)
        var limits = ProxyLimits()
        limits.stallTimeout = .milliseconds(500)
        limits.tick = .milliseconds(50)
        let lines = try LoggedLines()
        let proxy = try await ProxyFixture.start([HTTPRule()], limits: limits, log: lines.log, to: server.address)
        do {
            // It takes nothing of any stream that it does not say so for.
            let client = try WindowedClient(proxy, patience: 1_000, settings: RawFrames.setting(4, 0))
            for stream in stride(from: UInt32(1), to: 25, by: 2) {
                client.post(stream)
                #expect(client.send(60_000, on: stream) == 60_000)
            }
            client.post(51)
            client.send(RawFrames.frame(8, 0, 51, RawFrames.number(65_535)))
            #expect(client.send(1_000, on: 51) == 1_000)
            func echoed() -> Int {
                client.frames.reduce(0) { $0 + ($1.type == 0 && $1.stream == 51 ? $1.payload.count : 0) }
            }
            func resets() -> [(type: UInt8, stream: UInt32, payload: [UInt8])] { client.frames.filter { $0.type == 3 } }
            // Its bytes may come before so many wait that it would have to as well.
            for _ in 0..<100 where echoed() < 1_000 || resets().isEmpty { _ = client.take() }
            while client.take() {}
            #expect(echoed() == 1_000)
            let ended = resets()
            #expect(!ended.isEmpty && ended.allSatisfy { $0.stream < 25 && $0.payload == RawFrames.number(11) })
            let faults = try await proxy.proxy.counters().http2Faults
            #expect(faults == [.stalled: UInt64(ended.count)])
        }
        try await proxy.stop()
        let reasons = lines.take().compactMap(\.reason)
        #expect(!reasons.isEmpty && reasons.allSatisfy { $0 == "http2-stalled" })
        try await server.stop()
        try await group.shutdownGracefully()
    }

    @Test("WINDOW_UPDATE frames of the stream")
    func windowUpdates() async throws {
        // The flood itself ends the connection: HTTP2FloodTests.
        var limits = ProxyLimits()
        limits.windowUpdates = 10_000_000
        let (grown, counters) = try await growth(below: 60, limits) { client in
            client.send(RawFrames.post(1))
            let many = RawFrames.many(10_000, RawFrames.grant(1))
            for _ in 0..<80 { client.send(many) }
        }
        #expect(grown < 60 && counters.http2Faults.isEmpty, "\(grown) \(counters.http2Faults)")
    }
}
