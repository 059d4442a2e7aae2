import Foundation
import Glibc
import L7Proxy
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

    /// By how many mebibytes the process has grown when the proxy has all of this.
    private func growth(
        _ limits: ProxyLimits = ProxyLimits(), _ act: (borrowing BlockingClient) throws -> Void
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
        let (grown, counters) = try await growth { client in
            for stream in stride(from: UInt32(1), to: 25, by: 2) {
                client.send(RawFrames.post(stream))
                client.send(RawFrames.many(65_000, RawFrames.frame(0, 0, stream, [1])))
            }
        }
        #expect(grown < 60 && counters.http2Faults.isEmpty, "\(grown)")
    }

    @Test("a byte of each read")
    func pinnedReads() async throws {
        let (grown, counters) = try await growth { client in
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
        #expect(grown < 60 && counters.http2Faults.isEmpty, "\(grown)")
    }

    @Test("WINDOW_UPDATE frames of the stream")
    func windowUpdates() async throws {
        // The flood itself ends the connection: HTTP2FloodTests.
        var limits = ProxyLimits()
        limits.windowUpdates = 10_000_000
        let (grown, counters) = try await growth(limits) { client in
            client.send(RawFrames.post(1))
            let many = RawFrames.many(10_000, RawFrames.grant(1))
            for _ in 0..<80 { client.send(many) }
        }
        #expect(grown < 60 && counters.http2Faults.isEmpty, "\(grown)")
    }
}
