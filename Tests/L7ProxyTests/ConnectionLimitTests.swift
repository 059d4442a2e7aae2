import NIOCore
import PolicyAPI
import ProxyRules
import Testing

@testable import L7Proxy

@Suite("no client takes the connections of others", .serialized)
struct ConnectionLimitTests {
    private let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private let answer = Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)

    private func limits(_ all: Int, ofClient: Int) -> ProxyLimits {
        var limits = ProxyLimits()
        limits.connections = all
        limits.connectionsOfClient = ofClient
        return limits
    }

    /// How many of so many connections from an address are served; those that are stay open in `held`.
    private func served(
        _ count: Int, from host: UInt32, by proxy: ProxyFixture, holding held: inout [Held]
    ) throws -> Int {
        var served = 0
        for _ in 0..<count {
            let client = Held(try proxy.client(patience: 5_000, from: host))
            client.client.send(request)
            guard client.client.read(bytes: answer.count) == answer else { continue }
            served += 1
            held.append(client)
        }
        return served
    }

    /// A client that stays open.
    private final class Held {
        let client: BlockingClient
        init(_ client: consuming BlockingClient) { self.client = client }
    }

    @Test("a client that has its share is refused, on whatever event loop, and others are served")
    func share() async throws {
        let lines = try LoggedLines()
        let proxy = try await ProxyFixture.start(
            [HTTPRule()], limits: limits(8, ofClient: 3), log: lines.log, answer: answer, loops: 2)
        var held: [Held] = []
        #expect(try served(20, from: 1, by: proxy, holding: &held) == 3)
        #expect(try served(5, from: 2, by: proxy, holding: &held) == 3)
        #expect(try served(5, from: 3, by: proxy, holding: &held) == 2)
        // Those that are open are left alone.
        for client in held {
            client.client.send(request)
            #expect(client.client.read(bytes: answer.count) == answer)
        }
        let counters = try await proxy.proxy.counters()
        #expect(counters.refusedConnections == [.client: 19, .all: 3] && counters.open == 8)
        // Loops keep their lines for a moment.
        var reasons: [String] = []
        for _ in 0..<100 where reasons.count < 22 {
            reasons += lines.take().filter { $0.decision == "refused" }.compactMap(\.reason)
            if reasons.count < 22 { try await Task.sleep(for: .milliseconds(50)) }
        }
        #expect(reasons.count { $0 == "client-connections" } == 19 && reasons.count { $0 == "connections" } == 3)
        // Places are given back.
        held.removeAll()
        try await proxy.settle()
        #expect(try served(3, from: 3, by: proxy, holding: &held) == 3)
        held.removeAll()
        try await proxy.stop()
    }

    @Test(
        "when all places are taken, a client that has few gets one of whoever has most: the one that is silent for longest"
    )
    func mostMakesRoom() async throws {
        let proxy = try await ProxyFixture.start([HTTPRule()], limits: limits(6, ofClient: 3), answer: answer)
        var held: [Held] = []
        #expect(try served(3, from: 1, by: proxy, holding: &held) == 3)
        // The first one is not silent.
        held[0].client.send(request)
        #expect(held[0].client.read(bytes: answer.count) == answer)
        #expect(try served(3, from: 2, by: proxy, holding: &held) == 3)
        var others: [Held] = []
        #expect(try served(1, from: 3, by: proxy, holding: &others) == 1)
        #expect(try served(1, from: 3, by: proxy, holding: &others) == 1)
        // Nobody has more than one that has two, and one more.
        #expect(try served(1, from: 3, by: proxy, holding: &others) == 0)
        var open: [Bool] = []
        for client in held + others {
            client.client.send(request)
            open.append(client.client.read(bytes: answer.count) == answer)
        }
        #expect(open[0] && open[1...2].filter(\.self).count == 1 && open[3...5].filter(\.self).count == 2)
        #expect(open[6...] == [true, true])
        held.removeAll()
        others.removeAll()
        try await proxy.settle()
        #expect(try served(3, from: 4, by: proxy, holding: &held) == 3)
        held.removeAll()
        try await proxy.stop()
    }

    @Test("an IPv6 client is its /64, an IPv4 one its address, also where a socket of both families has it")
    func clients() throws {
        func client(_ address: String) throws -> String {
            ConnectionTable.client(at: try SocketAddress(ipAddress: address, port: 80))
        }
        #expect(try client("2001:db8:0:1::5") == client("2001:db8:0:1:ffff:ffff:ffff:ffff"))
        #expect(try client("2001:db8:0:1::5") != client("2001:db8:0:2::5"))
        #expect(try client("::ffff:10.0.0.1") != client("::ffff:10.0.0.2"))
        #expect(try client("10.0.0.1") != client("10.0.0.2"))
    }

    /// All of 127.0.0.2 and 127.0.0.3 are one pod.
    private struct OnePod: FlowResolver {
        let destination: SocketAddress

        func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow? {
            var flow = ProxiedFlow(destination: destination)
            flow.ingress = RuleBook.Selection(policy: 1, rules: [0])
            if client.ipAddress != "127.0.0.1" { flow.client = "shop/web" }
            return flow
        }
    }

    @Test("the addresses of a pod are one client's")
    func addressesOfPod() async throws {
        let server = try await ProxyFixture.start([HTTPRule()], answer: answer)
        let destination = try #require(server.server.address)
        let proxy = try await ProxyFixture.start(
            [HTTPRule()], limits: limits(10, ofClient: 2), resolver: OnePod(destination: destination))
        var held: [Held] = []
        #expect(try served(1, from: 2, by: proxy, holding: &held) == 1)
        #expect(try served(3, from: 3, by: proxy, holding: &held) == 1)
        #expect(try served(3, from: 1, by: proxy, holding: &held) == 2)
        held.removeAll()
        try await proxy.stop()
        try await server.stop()
    }

    @Test("a connection that is being made to a server ends with its client's", arguments: [true, false])
    func connectingEnds(isHTTP2: Bool) async throws {
        let server = try AbsentServer()
        var limits = ProxyLimits()
        limits.connectTimeout = .seconds(60)
        let proxy = try await ProxyFixture.start([HTTPRule()], limits: limits, to: server.address)
        let before = try server.connecting()
        var held: [Held] = []
        for _ in 0..<20 {
            let client = Held(try proxy.client())
            client.client.endsWithReset()
            client.client.send(isHTTP2 ? RawFrames.preface + RawFrames.post(1) : Array(request.utf8))
            held.append(client)
        }
        func connecting(until count: Int) async throws -> Int {
            for _ in 0..<500 where try server.connecting() != count { try await Task.sleep(for: .milliseconds(10)) }
            return try server.connecting()
        }
        let all = try await connecting(until: before + 20)
        try #require(all == before + 20)
        held.removeAll()
        let left = try await connecting(until: before)
        #expect(left == before)
        #expect(try await proxy.proxy.counters().noServer == 0)
        try await proxy.stop()
    }

    @Test("a client that reads nothing more keeps its place no longer than an idle one")
    func neverReads() async throws {
        var limits = self.limits(10, ofClient: 1)
        limits.idleTimeout = .milliseconds(500)
        // What was read last may end inside a head.
        limits.headTimeout = .milliseconds(500)
        limits.tick = .milliseconds(50)
        let proxy = try await ProxyFixture.start([HTTPRule(path: "/a")], limits: limits)
        let first = Held(try proxy.client(patience: 300, isDeaf: true))
        // Denied requests until their answers fill the sockets; then the client ends its half.
        let denied = Array(repeating: request, count: 20_000).joined()
        for _ in 0..<10 { first.client.send(denied) }
        first.client.finish()
        var isServed = false
        for _ in 0..<100 where !isServed {
            let next = try proxy.client(patience: 2_000, from: 1)
            next.send(request)
            isServed = next.read(until: "Access denied\r\n").text.hasPrefix("HTTP/1.1 403 ")
            if !isServed { try await Task.sleep(nanoseconds: 50_000_000) }
        }
        #expect(isServed)
        try await proxy.stop()
        withExtendedLifetime(first) {}
    }
}
