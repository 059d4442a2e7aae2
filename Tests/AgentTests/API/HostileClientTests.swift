import Foundation
import Glibc
import NetpoldTestSupport
import Synchronization
import Testing

@testable import Agent

/// What a client may do to the agent: cost itself an answer, and nobody else anything.
@Suite(.timeLimit(.minutes(2))) struct HostileClientTests {
    private let scratch: ScratchFolder
    private let path: String
    private let served = Served()

    /// Requests that reached the agent, without those of `isAlive`.
    private final class Served: Sendable {
        let requests = Mutex(0)
    }

    init() throws {
        scratch = try ScratchFolder()
        path = scratch.file("s")
    }

    private func server() throws -> ServedSocket {
        try ServedSocket(path) { [served] request, client in
            if request != .status { served.requests.withLock { $0 += 1 } }
            switch request {
            case .status: client.answer(.lost(1))
            case .list: client.answer(.page(ListingPage(.endpoints(Array(repeating: Self.row, count: 2000)))))
            case .wait, .waitPolicy: try? await Task.sleep(for: .seconds(3600))
            case .explain, .health, .monitor, .reload, .admit: client.answer(.lost(2))
            }
        }
    }

    private static let row = EndpointReport(
        name: "shop/db", addresses: ["10.0.0.2"], netns: "cni-7", interface: "veth7", ifindex: 12, slot: 0,
        identity: 300, ingressPolicies: [], egressPolicies: [], isIngressIsolated: true, isEgressIsolated: false,
        revision: 3, state: .ready)

    private static let status = "{\"type\":\"status\",\"version\":2}\n"

    /// Whether another client is answered, soon.
    private func isAlive() async throws -> Bool {
        let client = try WaitingClient(path: path)
        try client.send(.status)
        return try await client.next() == .lost(1)
    }

    @Test("39,500 pipelined requests: one is in flight, the others stay unread at the client until it reads")
    func pipelined() async throws {
        let server = try server()
        defer { withExtendedLifetime(server) {} }
        let client = try RawClient(path)
        let bytes = Array(
            String(repeating: "{\"listing\":\"endpoints\",\"type\":\"list\",\"version\":2}\n", count: 39_500).utf8)
        var offered = 0
        while offered < bytes.count {
            let count = client.offer(Array(bytes[offered...].prefix(1 << 16)))
            if count == 0 { break }
            offered += count
        }
        // Its answers fill its socket; nothing more is read from it then, however long it waits.
        #expect(offered < bytes.count, "the agent reads what it has not answered")
        #expect(await eventually { served.requests.withLock { $0 > 0 } })
        try await Task.sleep(for: .milliseconds(500))
        let before = served.requests.withLock(\.self)
        #expect(before < 20)
        #expect(try await isAlive())
        try await Task.sleep(for: .milliseconds(300))
        #expect(served.requests.withLock(\.self) == before)
        // Whoever reads gets its answers, one for one.
        for _ in 0..<5 { #expect(await client.readLine().starts(with: Array("{\"page\"".utf8))) }
    }

    @Test("half lines, kept open, cost others nothing")
    func halfLines() async throws {
        let server = try server()
        defer { withExtendedLifetime(server) {} }
        let halves = try (0..<60).map { _ in try RawClient(path) }
        for half in halves { half.send("{\"type\":\"sta") }
        #expect(try await isAlive())
        for half in halves { half.send("tus\",\"version\":2}\n") }
        for half in halves { #expect(await !half.readLine().isEmpty) }
    }

    @Test("a line without end is refused at its limit, and not held")
    func hugeLine() async throws {
        let server = try server()
        defer { withExtendedLifetime(server) {} }
        let client = try RawClient(path)
        client.send(Array(repeating: UInt8(ascii: "x"), count: MessageCodec.requestLimit + 1))
        #expect(await String(decoding: client.readLine(), as: UTF8.self).contains("oversize"))
        #expect(await eventually { client.isHungUp })
        #expect(try await isAlive())
    }

    @Test("1,000 connections: the newest is served, the ones that ask nothing make room")
    func connections() async throws {
        let server = try server()
        defer { withExtendedLifetime(server) {} }
        var idle: [RawClient] = []
        for _ in 0..<1000 {
            // The queue of the socket itself may be full for a moment.
            if let client = try? RawClient(path) { idle.append(client) }
        }
        #expect(try await isAlive())
        #expect(await eventually { idle.count { !$0.isHungUp } < LocalServer.clientLimit })
        #expect(try await isAlive())
    }

    @Test("a client with a request in flight is never turned away for another one")
    func busyStays() async throws {
        let server = try server()
        defer { withExtendedLifetime(server) {} }
        let busy = try RawClient(path)
        busy.send("{\"timeoutMilliseconds\":1,\"type\":\"wait\",\"version\":2}\n")
        #expect(await eventually { served.requests.withLock { $0 == 1 } })
        for _ in 0..<200 { _ = try? RawClient(path) }
        #expect(try await isAlive())
        #expect(!busy.isHungUp)
    }

    @Test("a client that has sent all it will is answered before it is hung up on")
    func halfClosed() async throws {
        let server = try server()
        defer { withExtendedLifetime(server) {} }
        let client = try RawClient(path)
        client.send(Self.status + Self.status)
        client.finish()
        #expect(await !client.readLine().isEmpty)
        #expect(await !client.readLine().isEmpty)
        #expect(await client.readLine().isEmpty)
        #expect(client.isHungUp)
    }

    @Test("a client that hangs up ends what is done for it", arguments: [false, true])
    func hangUp(atOnce: Bool) async throws {
        let (stream, ended) = AsyncStream.makeStream(of: Bool.self)
        let server = try ServedSocket(path) { _, client in
            // As the agent does: until the client has gone.
            for await _ in client.presence {}
            ended.yield(true)
        }
        defer { withExtendedLifetime(server) {} }
        do {
            let client = try RawClient(path)
            client.send("{\"type\":\"monitor\",\"version\":2}\n")
            if !atOnce { try await Task.sleep(for: .milliseconds(50)) }
        }
        if atOnce {
            // The request may never have been handed out: then nothing was begun. Another one is.
            let client = try RawClient(path)
            client.send("{\"type\":\"monitor\",\"version\":2}\n")
            try await Task.sleep(for: .milliseconds(50))
        }
        var iterator = stream.makeAsyncIterator()
        #expect(await iterator.next() == true)
    }

    @Test("a server that never answers is given up on in time")
    func clientTimeout() throws {
        // A socket that takes connections and says nothing.
        let socket = try UnixAddress.socket(for: path)
        #expect(UnixAddress.with(path) { bind(socket.rawValue, $0, $1) } == 0)
        #expect(listen(socket.rawValue, 1) == 0)
        let client = try LocalClient(path: path, timeout: .milliseconds(200))
        try client.send(.status)
        let start = ContinuousClock.now
        #expect {
            try client.next(timeout: .milliseconds(200))
        } throws: { error in
            "\(error)".contains("the agent is there and does not answer")
        }
        let took = ContinuousClock.now - start
        #expect(took >= .milliseconds(200) && took < .seconds(5))
        // Its queue is full now and then: connecting ends in time too.
        var others: [LocalClient] = []
        #expect(throws: (any Error).self) {
            for _ in 0..<8 { others.append(try LocalClient(path: path, timeout: .milliseconds(100))) }
        }
        #expect(others.count < 8)
    }
}
