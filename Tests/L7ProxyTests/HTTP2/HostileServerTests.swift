import L7Proxy
import NIOCore
import NIOPosix
import PolicyAPI
import Testing

/// What a server may do that the proxy does not know: each ends with a named reason, and the client gets an answer of the proxy's own.
@Suite("hostile servers", .serialized)
struct HostileServerTests {
    /// What became of one request.
    private struct Outcome {
        /// What the client got, until the connection ended or nothing came.
        var bytes: [UInt8]
        var line: LoggedLines.Line?
        var counters: ProxyCounters
    }

    private func ask(_ request: [UInt8], requests: Int = 1, answered bytes: [UInt8]) async throws -> Outcome {
        let server = try HostileServer(bytes, to: requests)
        let lines = try LoggedLines()
        // A rate that a busy machine reaches too.
        var limits = ProxyLimits()
        limits.controlFrames = 500
        let proxy = try await ProxyFixture.start([HTTPRule()], limits: limits, log: lines.log, to: server.address)
        var got: [UInt8] = []
        do {
            let client = try proxy.client(patience: 1_500)
            client.send(request)
            got = client.read(bytes: 1 << 20)
        }
        let counters = try await proxy.proxy.counters()
        try await proxy.stop()
        server.stop()
        return Outcome(bytes: got, line: lines.take().first, counters: counters)
    }

    // MARK: HTTP/2

    private let post = RawFrames.preface + RawFrames.post(1)
    private static let settings = RawFrames.frame(4, 0, 0, [])
    private static let empty = RawFrames.status(200, stream: 1) + RawFrames.many(1_000, RawFrames.frame(0, 0, 1, []))

    @Test(
        "a flood ends the server's connection, and is answered 502 or cut",
        arguments: [
            (HTTP2Fault.windowUpdates, RawFrames.many(20_000, RawFrames.grant(1)), 502),
            (.windowUpdates, RawFrames.many(20_000, RawFrames.grant(0)), 502),
            (.controlFrames, RawFrames.many(30_000, RawFrames.frame(6, 0, 0, [UInt8](repeating: 0, count: 8))), 502),
            (.controlFrames, RawFrames.many(30_000, RawFrames.frame(4, 0, 0, [])), 502),
            (.controlFrames, RawFrames.many(30_000, RawFrames.frame(2, 0, 1, RawFrames.number(0) + [16])), 502),
            (.emptyData, HostileServerTests.empty, 200),
            (
                .continuation, RawFrames.frame(1, 0, 1, [0x88]) + RawFrames.many(1_000, RawFrames.frame(9, 0, 1, [])),
                502
            ),
            (.frames, RawFrames.frame(0, 0, 9, [1]), 502),
        ])
    func flood(fault: HTTP2Fault, frames: [UInt8], status: Int) async throws {
        let outcome = try await ask(post, answered: HostileServerTests.settings + frames)
        #expect(outcome.counters.serverFaults == [fault: 1] && outcome.counters.http2Faults.isEmpty)
        #expect(outcome.line == LoggedLines.Line("error", status, path: "/", reason: fault.rawValue))
    }

    @Test("bodies beyond the windows that were granted, to a client that takes nothing, end the server's connection")
    func flowControl() async throws {
        let heads = [UInt32(1), 3].flatMap { RawFrames.status(200, stream: $0) }
        // In turn, and half a window each: so the codec takes what it grants, and the gate keeps back, for granted.
        let halves = [UInt32(1), 3].flatMap {
            RawFrames.many(2, RawFrames.frame(0, 0, $0, [UInt8](repeating: 1, count: 16_000)))
        }
        let outcome = try await ask(
            post + RawFrames.post(3), requests: 2,
            answered: HostileServerTests.settings + heads + RawFrames.many(30, halves))
        #expect(outcome.counters.serverFaults == [.flowControl: 1] && outcome.counters.http2Faults.isEmpty)
        #expect(outcome.line == LoggedLines.Line("error", 200, path: "/", reason: "http2-flow-control"))
    }

    @Test(
        "a request that the server has not looked at is refused to the client in the same way, who may repeat it",
        arguments: [
            RawFrames.frame(3, 0, 1, RawFrames.number(7)),
            RawFrames.frame(7, 0, 0, RawFrames.number(0) + RawFrames.number(0)),
        ])
    func refusedStream(frames: [UInt8]) async throws {
        let outcome = try await ask(
            RawFrames.preface + RawFrames.request("/", stream: 1), answered: HostileServerTests.settings + frames)
        let resets = RawFrames.split(outcome.bytes).filter { $0.type == 3 && $0.stream == 1 }
        #expect(resets.map(\.payload) == [RawFrames.number(7)])
        #expect(!RawFrames.split(outcome.bytes).contains { $0.type == 1 })
        #expect(outcome.line == LoggedLines.Line("error", 0, path: "/"))
        #expect(outcome.counters.badResponses == 0)
    }

    @Test("a head that is not forwarded is answered 502, not as if the server had not looked at the request")
    func refusedHead() async throws {
        // :status 200, and a field whose value begins with a blank.
        let head = RawFrames.frame(1, 0x4, 1, [0x88, 0x00, 0x01, 0x61, 0x02, 0x20, 0x78])
        let outcome = try await ask(post, answered: HostileServerTests.settings + head)
        #expect(!RawFrames.split(outcome.bytes).contains { $0.type == 3 && $0.payload == RawFrames.number(7) })
        #expect(outcome.counters.badResponses == 1)
        #expect(outcome.line?.decision == "error" && outcome.line?.status == 502)
    }

    @Test("a server that pushes, which it was told not to, ends its connection")
    func push() async throws {
        let promise = RawFrames.frame(5, 0x4, 1, RawFrames.number(2) + [0x82])
        let outcome = try await ask(post, answered: HostileServerTests.settings + promise)
        #expect(outcome.counters.serverFaults == [.frames: 1])
        #expect(outcome.line?.decision == "error" && outcome.line?.status == 502)
    }

    @Test("interim responses without end end the stream, and are answered 502")
    func interims() async throws {
        let frames = RawFrames.many(1_000, RawFrames.status(103, stream: 1))
        let outcome = try await ask(post, answered: HostileServerTests.settings + frames)
        #expect(outcome.counters.badResponses == 1 && outcome.counters.serverFaults.isEmpty)
        #expect(outcome.line == LoggedLines.Line("error", 502, path: "/", reason: "http2-interims"))
        let heads = RawFrames.split(outcome.bytes).filter { $0.type == 1 }
        #expect(heads.count == 101)
    }

    @Test("a peer that offers a large compression table gets fields that need none")
    func largeTable() async throws {
        // The same answer twice: the second is indices for those whose table has it.
        func sizes(_ settings: [UInt8]) async throws -> [Int] {
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let server = try await HTTP2EchoServer.start(group)
            let proxy = try await ProxyFixture.start([HTTPRule()], to: server.address)
            var got: [UInt8] = []
            do {
                let client = try proxy.client(patience: 500)
                client.send(RawFrames.preface + settings)
                for stream in [UInt32(1), 3] { client.send(RawFrames.request("/", stream: stream)) }
                got = client.read(bytes: 1 << 20)
            }
            try await proxy.stop()
            try await server.stop()
            try await group.shutdownGracefully()
            // The heads, not the trailers.
            let heads = RawFrames.split(got).filter { $0.type == 1 }
            return [UInt32(1), 3].compactMap { stream in heads.first { $0.stream == stream }?.payload.count }
        }
        let usual = try await sizes([])
        let large = try await sizes(RawFrames.setting(1, 1 << 30))
        try #require(usual.count == 2 && large.count == 2)
        #expect(usual[1] < usual[0])
        #expect(large[1] >= usual[0])
    }

    // MARK: HTTP/1

    private let get = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)

    @Test("interim responses of HTTP/1 without end are answered 502")
    func interims1() async throws {
        let interim = Array("HTTP/1.1 103 Early Hints\r\n\r\n".utf8)
        let outcome = try await ask(get, answered: RawFrames.many(1_000, interim))
        #expect(outcome.counters.responseFaults == [.interims: 1])
        #expect(outcome.line == LoggedLines.Line("error", 502, path: "/", reason: "interim-responses"))
        #expect(String(decoding: outcome.bytes, as: UTF8.self).hasSuffix("Bad response\r\n"))
    }

    @Test("a hundred of them are forwarded")
    func fewInterims() async throws {
        let interim = RawFrames.many(100, Array("HTTP/1.1 103 Early Hints\r\n\r\n".utf8))
        let outcome = try await ask(get, answered: interim + Array("HTTP/1.1 204 No Content\r\n\r\n".utf8))
        #expect(outcome.line == LoggedLines.Line("allowed", 204, path: "/"))
    }

    @Test("a head without end is answered 502")
    func endlessHead() async throws {
        let line = RawFrames.many(2_000, Array("X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".utf8))
        let outcome = try await ask(get, answered: Array("HTTP/1.1 200 OK\r\n".utf8) + line)
        #expect(
            outcome.counters.responseFaults.keys.allSatisfy {
                $0 == .refused(.tooManyFields) || $0 == .refused(.headTooLong)
            })
        #expect(outcome.line?.status == 502 && ["too-many-fields", "head-too-long"].contains(outcome.line?.reason))
    }

    @Test("chunk extensions without end, and of many chunks, cut the response")
    func extensions() async throws {
        let head = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        let long = Array("1;a=\(String(repeating: "b", count: 1_000))".utf8)
        let many = RawFrames.many(1_000, Array("1;a=bbbbbbbbbbbbbbbbbbbbbbb\r\nx\r\n".utf8))
        for chunks in [long, many] {
            let outcome = try await ask(get, answered: head + chunks)
            #expect(outcome.counters.responseFaults == [.refused(.chunkExtensionTooLong): 1])
            #expect(outcome.line == LoggedLines.Line("error", 200, path: "/", reason: "chunk-extension-too-long"))
        }
    }
}
