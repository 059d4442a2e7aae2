import Glibc
import Support
import Synchronization
import Testing

@testable import Agent

@Suite struct LocalServerTests {
    @Test("requests are answered, also when they come byte by byte")
    func answers() throws {
        let scratch = try ScratchFolder()
        let path = scratch.file("s")
        let server = try LocalServer(path: path)
        server.start(
            .init(
                request: { request, client in
                    guard request == .endpoints else {
                        return server.answer(.error(APIError(.unavailable, "\(request)")), to: client)
                    }
                    server.answer(.waited(inForce: true, applyCount: 7), to: client)
                }, gone: { _ in }))
        let client = try LocalClient(path: path)
        try client.send(.endpoints)
        #expect(try client.next() == .waited(inForce: true, applyCount: 7))
        try client.send(.endpoints)
        #expect(try client.next() == .waited(inForce: true, applyCount: 7))

        let raw = try RawClient(path)
        for byte in try MessageCodec().encode(APIRequest.endpoints) { raw.send([byte]) }
        #expect(String(decoding: raw.readLine(), as: UTF8.self).contains("\"applyCount\":7"))
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
    func nonsense(text: String, code: APIError.Code) throws {
        let scratch = try ScratchFolder()
        let server = try LocalServer(path: scratch.file("s"))
        server.start(.init(request: { _, _ in Issue.record("no request was made") }, gone: { _ in }))
        let raw = try RawClient(scratch.file("s"))
        raw.send(Array(text.utf8))
        let answer = try MessageCodec().decode(APIReply.self, from: raw.readLine())
        guard case .error(let error) = answer else { throw TestFailure("\(answer)") }
        #expect(error.code == code)
        #expect(raw.readLine().isEmpty)
    }

    @Test("a request cut short at any byte is an error, never another request")
    func truncated() throws {
        let scratch = try ScratchFolder()
        let server = try LocalServer(path: scratch.file("s"))
        server.start(.init(request: { request, _ in Issue.record("\(request) was not made") }, gone: { _ in }))
        let line = try MessageCodec().encode(APIRequest.wait(timeoutMilliseconds: 1000)).dropLast()
        for length in 0..<line.count {
            let raw = try RawClient(scratch.file("s"))
            raw.send(Array(line.prefix(length)) + [UInt8(ascii: "\n")])
            let answer = try MessageCodec().decode(APIReply.self, from: raw.readLine())
            guard case .error(let error) = answer else { throw TestFailure("\(answer)") }
            #expect(error.code == .malformed)
            #expect(raw.readLine().isEmpty)
        }
    }

    @Test("a request of a type that is not known is answered with an error, and the conversation goes on")
    func unknownType() throws {
        let scratch = try ScratchFolder()
        let server = try LocalServer(path: scratch.file("s"))
        server.start(
            .init(
                request: { request, client in
                    #expect(request == .status)
                    server.answer(.lost(1), to: client)
                }, gone: { _ in }))
        let raw = try RawClient(scratch.file("s"))
        raw.send(Array("{\"type\":\"reboot\",\"version\":2}\n{\"type\":\"status\",\"version\":2}\n".utf8))
        let codec = MessageCodec()
        #expect(
            try codec.decode(APIReply.self, from: raw.readLine())
                == .error(APIError(.unknownType, "the type \"reboot\" is not known")))
        #expect(try codec.decode(APIReply.self, from: raw.readLine()) == .lost(1))
    }

    @Test("a reader that does not read stops nobody, and hears how much it missed")
    func slowReader() async throws {
        let scratch = try ScratchFolder()
        let path = scratch.file("s")
        let server = try LocalServer(path: path)
        let alive = APIError(.unavailable, "alive")
        let monitors = Mutex<[LocalServer.Client]>([])
        server.start(
            .init(
                request: { request, client in
                    if case .monitor = request { monitors.withLock { $0.append(client) } }
                    if case .status = request { server.answer(.error(alive), to: client) }
                }, gone: { _ in }))
        let slow = try WaitingClient(path: path)
        try slow.send(.monitor(MonitorFilter()))
        #expect(await eventually { monitors.withLock { $0.count } == 1 })
        let first = monitors.withLock { $0.first }
        let client = try #require(first)
        var refused: UInt64 = 0
        for _ in 0..<20_000 where !server.send(verdict: Fixtures.verdict(), to: client) { refused += 1 }
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

/// A client that can say anything.
private final class RawClient {
    private let socket: OwnedDescriptor
    private var descriptor: Int32 { socket.rawValue }

    init(_ path: String) throws {
        socket = try UnixAddress.socket(for: path)
        #expect(UnixAddress.with(path) { connect(descriptor, $0, $1) } == 0)
    }

    func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// Up to the newline or the end.
    func readLine() -> [UInt8] {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while recv(descriptor, &byte, 1, 0) == 1, byte != 10 { line.append(byte) }
        return line
    }
}
