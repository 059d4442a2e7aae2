import Glibc
import NetpoldTestSupport
import Support
import Synchronization
import Testing

@testable import Agent

@Suite struct LocalServerTests {
    @Test("requests are answered, also when they come byte by byte")
    func answers() async throws {
        let scratch = try ScratchFolder()
        let path = scratch.file("s")
        let server = try ServedSocket(path) { request, client in
            guard request == .list(ListRequest(.endpoints)) else {
                return client.answer(.error(APIError(.unavailable, "\(request)")))
            }
            client.answer(.waited(inForce: true, applyCount: 7))
        }
        defer { withExtendedLifetime(server) {} }
        let client = try WaitingClient(path: path)
        try client.send(.list(ListRequest(.endpoints)))
        #expect(try await client.next() == .waited(inForce: true, applyCount: 7))
        try client.send(.list(ListRequest(.endpoints)))
        #expect(try await client.next() == .waited(inForce: true, applyCount: 7))

        let raw = try RawClient(path)
        for byte in try MessageCodec().encode(APIRequest.list(ListRequest(.endpoints))) { raw.send([byte]) }
        #expect(await String(decoding: raw.readLine(), as: UTF8.self).contains("\"applyCount\":7"))
    }

    @Test("the socket is the owner's only, and a stale one is replaced")
    func mode() throws {
        let scratch = try ScratchFolder()
        let path = scratch.file("s")
        _ = try LocalServer(path: path)
        _ = try LocalServer(path: path)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test(
        "a client that talks nonsense gets an error with its reason, and the end",
        arguments: [
            ("nonsense\n", APIError.Code.malformed), ("{\"v\":9}\n", .version), ("{\"version\":9}\n", .version),
            ("{\"version\":2}\n", .malformed), ("{\"type\":\"wait\",\"version\":2}\n", .malformed),
            (String(repeating: "x", count: MessageCodec.requestLimit + 1), .oversize),
        ])
    func nonsense(text: String, code: APIError.Code) async throws {
        let scratch = try ScratchFolder()
        let server = try ServedSocket(scratch.file("s")) { _, _ in Issue.record("no request was made") }
        defer { withExtendedLifetime(server) {} }
        let raw = try RawClient(scratch.file("s"))
        raw.send(Array(text.utf8))
        let answer = try await MessageCodec().decode(APIReply.self, from: raw.readLine())
        guard case .error(let error) = answer else { throw TestFailure("\(answer)") }
        #expect(error.code == code)
        #expect(await raw.readLine().isEmpty)
    }

    @Test("a request cut short at any byte is an error, never another request")
    func truncated() async throws {
        let scratch = try ScratchFolder()
        let server = try ServedSocket(scratch.file("s")) { request, _ in Issue.record("\(request) was not made") }
        defer { withExtendedLifetime(server) {} }
        let line = try MessageCodec().encode(APIRequest.wait(timeoutMilliseconds: 1000)).dropLast()
        for length in 0..<line.count {
            let raw = try RawClient(scratch.file("s"))
            raw.send(Array(line.prefix(length)) + [UInt8(ascii: "\n")])
            let answer = try await MessageCodec().decode(APIReply.self, from: raw.readLine())
            guard case .error(let error) = answer else { throw TestFailure("\(answer)") }
            #expect(error.code == .malformed)
            #expect(await raw.readLine().isEmpty)
        }
    }

    @Test("a request of a type that is not known is answered with an error, and the conversation goes on")
    func unknownType() async throws {
        let scratch = try ScratchFolder()
        let server = try ServedSocket(scratch.file("s")) { request, client in
            #expect(request == .status)
            client.answer(.lost(1))
        }
        defer { withExtendedLifetime(server) {} }
        let raw = try RawClient(scratch.file("s"))
        raw.send(Array("{\"type\":\"reboot\",\"version\":2}\n{\"type\":\"status\",\"version\":2}\n".utf8))
        let codec = MessageCodec()
        #expect(
            try await codec.decode(APIReply.self, from: raw.readLine())
                == .error(APIError(.unknownType, "the type \"reboot\" is not known")))
        #expect(try await codec.decode(APIReply.self, from: raw.readLine()) == .lost(1))
    }

    @Test("a reader that does not read stops nobody, and hears how much it missed")
    func slowReader() async throws {
        let scratch = try ScratchFolder()
        let path = scratch.file("s")
        let alive = APIError(.unavailable, "alive")
        let monitors = Mutex<[LocalServer.Client]>([])
        let server = try ServedSocket(path) { request, client in
            if case .monitor = request { monitors.withLock { $0.append(client) } }
            if case .status = request { client.answer(.error(alive)) }
        }
        defer { withExtendedLifetime(server) {} }
        let slow = try WaitingClient(path: path)
        try slow.send(.monitor(MonitorFilter()))
        #expect(await eventually { monitors.withLock { $0.count } == 1 })
        let first = monitors.withLock { $0.first }
        let client = try #require(first)
        let line = try MessageCodec().encode(APIReply.verdict(Fixtures.verdict()))
        var refused: UInt64 = 0
        for _ in 0..<20_000 where !client.send(verdict: line) { refused += 1 }
        #expect(refused > 0)
        let other = try WaitingClient(path: path)
        try other.send(.status)
        #expect(try await other.next() == .error(alive))

        var seen: UInt64 = 0
        var lost: UInt64 = 0
        while seen + lost < 20_000, let reply = try await slow.next() {
            if case .verdict = reply { seen += 1 }
            if case .lost(let count) = reply { lost += count }
        }
        #expect(lost == refused)
        #expect(seen == 20_000 - refused)
    }
}
