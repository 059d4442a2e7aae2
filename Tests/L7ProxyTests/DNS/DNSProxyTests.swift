import DNSScan
import Glibc
import L7Proxy
import NIOCore
import NIOPosix
import NetTypes
import PolicyAPI
import PolicyIR
import ProxyRules
import Synchronization
import Testing

@Suite("DNS over TCP through the proxy", .serialized)
struct DNSProxyTests {
    struct Broken: Error {}

    /// A proxy before a DNS server.
    struct Fixture {
        let proxy: ProxyFixture
        let server: DNSStreamServer

        /// Policy 1 is the sender's, policy 2 the receiver's.
        static func start(
            egress: [FQDNSelector]?, ingress: [FQDNSelector]? = nil, log: AccessLog? = nil,
            resolver: ((ProxiedFlow) -> any FlowResolver)? = nil, limits: ProxyLimits = ProxyLimits(),
            learner: (any AnswerLearner)? = nil,
            answer: @escaping @Sendable ([UInt8]) -> [UInt8] = DNSStreamServer.answer
        ) async throws -> Fixture {
            let server = try await DNSStreamServer.start(MultiThreadedEventLoopGroup.singleton, answer)
            guard let address = server.address else { throw Broken() }
            var flow = ProxiedFlow(destination: address)
            if egress != nil { flow.egress = RuleBook.Selection(policy: 1, rules: [0]) }
            if ingress != nil { flow.ingress = RuleBook.Selection(policy: 2, rules: [0]) }
            let proxy = try await ProxyFixture.start(
                [], limits: limits, log: log, to: address, resolver: resolver?(flow) ?? FixedFlowResolver(flow),
                learner: learner)
            proxy.rules.replace(with: try book(egress ?? [], ingress ?? []))
            return Fixture(proxy: proxy, server: server)
        }

        var received: [[UInt8]] { server.received.withLock { $0 } }

        func stop() async throws {
            try await proxy.stop()
            try await server.stop()
        }
    }

    private static func book(_ egress: [FQDNSelector], _ ingress: [FQDNSelector]) throws -> RuleBook {
        func policy(_ id: UInt32, _ direction: Direction, _ l7: L7Match) throws -> RuleSnapshot.Policy {
            let rule = PolicyRule(
                action: .allow, peers: .everyone, traffic: .everything, l7: l7,
                origin: RuleOrigin(kind: "CiliumNetworkPolicy", namespace: "shop", name: "billing", path: "spec"))
            guard let snapshot = RuleSnapshot.Rule(number: 0, rule) else { throw Broken() }
            return .init(id: id, direction: direction, rules: [snapshot])
        }
        let snapshot = RuleSnapshot(
            revision: 1,
            policies: [
                try policy(1, .egress, .dns(egress.map { Located($0) })),
                try policy(2, .ingress, .dns(ingress.map { Located($0) })),
            ])
        // As the proxy gets it.
        return try RuleBook(RuleSnapshot(json: try snapshot.json()))
    }

    /// A query with its length; `padding` bytes of EDNS, with their header, if any.
    private static func query(_ name: String, id: UInt16 = 7, padding: Int = 0) -> [UInt8] {
        var message: [UInt8] = [
            UInt8(id >> 8), UInt8(id & 0xff), 1, 0, 0, 1, 0, 0, 0, 0, 0, padding > 0 ? 1 : 0,
        ]
        for label in name.split(separator: ".") { message += [UInt8(label.utf8.count)] + Array(label.utf8) }
        message += [0, 0, 1, 0, 1]
        if padding > 0 {
            message += [0, 0, 41, 16, 0, 0, 0, 0, 0, UInt8(padding >> 8), UInt8(padding & 0xff)]
            message += [UInt8](repeating: 0, count: padding)
        }
        return framed(message)
    }

    private static func framed(_ message: [UInt8]) -> [UInt8] {
        [UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
    }

    private static func refused(_ query: [UInt8]) -> [UInt8] {
        var answer = query
        (answer[4], answer[5]) = (0x81, 0x85)
        return answer
    }

    /// Messages, with their lengths, in an order of their own: answers may overtake one another.
    private static func messages(_ bytes: [UInt8]) -> Set<[UInt8]> {
        var rest = bytes[...]
        var messages: Set<[UInt8]> = []
        while rest.count >= 2, let first = rest.first {
            let count = 2 + (Int(first) << 8 | Int(rest[rest.startIndex + 1]))
            messages.insert(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return messages
    }

    private let stripe = [FQDNSelector.pattern("*.stripe.com")]

    @Test(
        "pipelined queries: what a rule allows is forwarded as it came, the rest is answered REFUSED and never forwarded"
    )
    func pipelined() async throws {
        let fixture = try await Fixture.start(egress: stripe)
        let client = try fixture.proxy.client(patience: 10_000)
        let allowed = [Self.query("API.stripe.com", id: 1), Self.query("b.stripe.com", id: 3)]
        let denied = [Self.query("evil.example", id: 2), Self.query("a.b.stripe.com", id: 4, padding: 20)]
        client.send(allowed[0] + denied[0] + allowed[1] + denied[1])
        let expected = Set(allowed.map(DNSStreamServer.answer) + denied.map(Self.refused))
        #expect(Self.messages(client.read(bytes: expected.reduce(0) { $0 + $1.count })) == expected)
        #expect(fixture.received == [allowed[0] + allowed[1]])
        let counters = try await fixture.proxy.proxy.counters()
        #expect(counters.allowed == 2 && counters.denied == 2 && counters.badQueries == 0)
        try await fixture.stop()
    }

    @Test("a denied query opens no connection to the server, and the connection goes on")
    func denied() async throws {
        let fixture = try await Fixture.start(egress: stripe)
        let client = try fixture.proxy.client(patience: 10_000)
        let denied = Self.query("evil.example")
        client.send(denied)
        #expect(client.read(bytes: denied.count) == Self.refused(denied))
        #expect(fixture.received.isEmpty)
        let allowed = Self.query("api.stripe.com")
        client.send(allowed)
        #expect(client.read(bytes: allowed.count + 8) == DNSStreamServer.answer(allowed))
        client.finish()
        #expect(client.read().isClosed)
        #expect(fixture.received == [allowed])
        try await fixture.stop()
    }

    @Test("a client that ends its side behind a query gets the answer, then the end")
    func halfClosed() async throws {
        let fixture = try await Fixture.start(egress: stripe)
        let client = try fixture.proxy.client(patience: 10_000)
        let allowed = Self.query("api.stripe.com")
        client.send(allowed)
        client.finish()
        #expect(client.read(bytes: allowed.count + 8) == DNSStreamServer.answer(allowed))
        #expect(client.read().isClosed)
        try await fixture.stop()
    }

    @Test("cut at every byte, the queries are decided as in one piece")
    func cut() async throws {
        let fixture = try await Fixture.start(egress: stripe)
        let (allowed, denied) = (Self.query("api.stripe.com", id: 1), Self.query("evil.example", id: 2))
        let bytes = allowed + denied
        let expected: Set = [DNSStreamServer.answer(allowed), Self.refused(denied)]
        for cut in 1..<bytes.count {
            let client = try fixture.proxy.client(patience: 10_000)
            client.send(Array(bytes[..<cut]))
            usleep(2_000)
            client.send(Array(bytes[cut...]))
            #expect(Self.messages(client.read(bytes: bytes.count + 8)) == expected, "cut at \(cut)")
        }
        #expect(fixture.received == [[UInt8]](repeating: allowed, count: bytes.count - 1))
        try await fixture.stop()
    }

    @Test("what is not exactly a query ends the connection, and nothing of it or behind it reaches the server")
    func garbage() async throws {
        let fixture = try await Fixture.start(egress: [.pattern("*")])
        let good = Self.query("api.stripe.com")
        var response = good
        response[4] |= 0x80
        var twoQuestions = good
        twoQuestions[7] = 2
        var trailing = good + [0]
        trailing[1] += 1
        var pointer = good
        pointer[14] = 0xc0
        let cases: [(String, [UInt8])] = [
            ("nothing", [0, 0]),
            ("HTTP", Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8) + [UInt8](repeating: 65, count: 18_500)),
            ("a response", response), ("two questions", twoQuestions), ("a byte more", trailing),
            ("a pointer", pointer), ("a header alone", Self.framed([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])),
            ("the longest", Self.framed([UInt8](repeating: 0xff, count: 65_535))),
            (
                "a longest name and more",
                Self.query(Array(repeating: String(repeating: "a", count: 63), count: 4).joined(separator: "."))
            ),
        ]
        for (what, bytes) in cases {
            let client = try fixture.proxy.client(patience: 10_000)
            client.send(bytes + good)
            let (text, isClosed) = client.read()
            #expect(isClosed && text.isEmpty, "\(what)")
        }
        #expect(fixture.received.isEmpty)
        #expect(try await fixture.proxy.proxy.counters().badQueries == UInt64(cases.count))
        try await fixture.stop()
    }

    @Test("a query of 65,535 bytes is a query")
    func longest() async throws {
        let fixture = try await Fixture.start(egress: stripe)
        let bare = Self.query("api.stripe.com").count - 2
        let client = try fixture.proxy.client(patience: 10_000)
        let denied = Self.query("api.stripe.net", padding: 65_535 - bare - 11)
        client.send(denied)
        #expect(client.read(bytes: denied.count) == Self.refused(denied))
        // Its answer must be a message too.
        let allowed = Self.query("api.stripe.com", padding: 65_527 - bare - 11)
        client.send(allowed)
        #expect(client.read(bytes: allowed.count + 8) == DNSStreamServer.answer(allowed))
        #expect(fixture.received == [allowed])
        try await fixture.stop()
    }

    @Test("each end that has rules must allow the name; rules that come later hold for the next query")
    func bothEnds() async throws {
        let fixture = try await Fixture.start(egress: stripe, ingress: [.name("api.stripe.com"), .name("a.example")])
        let client = try fixture.proxy.client(patience: 10_000)
        for name in ["b.stripe.com", "a.example"] {
            let query = Self.query(name)
            client.send(query)
            #expect(client.read(bytes: query.count) == Self.refused(query), "\(name)")
        }
        let query = Self.query("api.stripe.com")
        client.send(query)
        #expect(client.read(bytes: query.count + 8) == DNSStreamServer.answer(query))
        fixture.proxy.rules.replace(with: try Self.book(stripe, []))
        client.send(query)
        #expect(client.read(bytes: query.count) == Self.refused(query))
        #expect(fixture.received == [query])
        try await fixture.stop()
    }

    @Test("a dot inside a label is no end of one")
    func dotInLabel() async throws {
        let fixture = try await Fixture.start(egress: [.name("api.stripe.com"), .pattern("*.stripe.com")])
        let client = try fixture.proxy.client(patience: 10_000)
        var query = Self.query("api.stripe.com")
        // api.stripe as one label of 10 bytes.
        query[14] = 10
        query[18] = UInt8(ascii: ".")
        client.send(query)
        #expect(client.read(bytes: query.count) == Self.refused(query))
        try await fixture.stop()
    }

    /// Knows the receiver's end once it is asked again.
    private final class LateResolver: FlowResolver {
        private let asked = Mutex(0)
        private let flow: ProxiedFlow

        init(_ flow: ProxiedFlow) { self.flow = flow }

        func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow? {
            let isFirst = asked.withLock { asked in
                asked += 1
                return asked == 1
            }
            guard isFirst else { return flow }
            var early = flow
            early.ingress = nil
            early.isComplete = false
            return early
        }
    }

    @Test("a query waits for the receiver's end where it is known late, and is decided by both")
    func late() async throws {
        for isAllowed in [true, false] {
            let fixture = try await Fixture.start(
                egress: stripe, ingress: isAllowed ? stripe : [.name("other.example")], resolver: LateResolver.init)
            let client = try fixture.proxy.client(patience: 10_000)
            let query = Self.query("api.stripe.com")
            client.send(query)
            client.finish()
            let answer = isAllowed ? DNSStreamServer.answer(query) : Self.refused(query)
            #expect(client.read(bytes: answer.count) == answer)
            #expect(client.read().isClosed)
            #expect(fixture.received.flatMap(\.self) == (isAllowed ? query : []))
            try await fixture.stop()
        }
    }

    /// Takes every answer that it is given.
    private struct TakingLearner: AnswerLearner {
        let dropsInexact: Bool
        func learn(
            _ message: [UInt8], of client: SocketAddress, to local: SocketAddress, for columns: LearntColumns?
        ) -> AnswerFate {
            DNSAnswer(message: message)?.lesson == .inexact ? (dropsInexact ? .withheld : .unlearnt) : .learnt
        }
    }

    @Test(
        "an answer to nothing that was asked passes unlearnt, or ends the connection where the node drops such answers",
        arguments: [false, true])
    func inexact(drops: Bool) async throws {
        let cases: [(String, @Sendable ([UInt8]) -> [UInt8])] = [
            ("another id", { [$0[0], $0[1], $0[2] ^ 1] + $0.dropFirst(3) }),
            ("no response", { $0 }),
            ("no message", { _ in [0, 3, 1, 2, 3] }),
            ("another name", { $0.map { $0 == UInt8(ascii: "i") ? UInt8(ascii: "j") : $0 } }),
            ("bytes behind", DNSStreamServer.answer),
        ]
        for (what, change) in cases {
            let isQuery = what == "no response"
            let answer: @Sendable ([UInt8]) -> [UInt8] = { query in
                var answer = change(query)
                if !isQuery, answer.count > 5 { answer[4] |= 0x80 }
                return answer
            }
            let fixture = try await Fixture.start(
                egress: stripe, learner: TakingLearner(dropsInexact: drops), answer: answer)
            let client = try fixture.proxy.client(patience: 10_000)
            let query = Self.query("api.stripe.com")
            client.send(query)
            client.finish()
            let got = client.read(bytes: answer(query).count)
            // What is shorter than a header is no message at all.
            let isCut = drops || what == "no message"
            #expect(got == (isCut ? [] : answer(query)), "\(what)")
            try await fixture.stop()
        }
    }

    /// Takes nothing, and its time for that.
    private final class SlowLearner: AnswerLearner {
        private let count = Mutex(0)
        var asked: Int { count.withLock(\.self) }
        var dropsInexact: Bool {
            count.withLock { $0 += 1 }
            usleep(300)
            return false
        }

        func learn(
            _ message: [UInt8], of client: SocketAddress, to local: SocketAddress, for columns: LearntColumns?
        ) -> AnswerFate { .unlearnt }
    }

    @Test("a server that sends message upon message lets other connections of the loop have their turn")
    func flood() async throws {
        let learner = SlowLearner()
        // 64 KiB hold 4,681 of them.
        let flood = [[UInt8]](repeating: [0, 12] + [UInt8](repeating: 0, count: 12), count: 20_000).flatMap(\.self)
        let fixture = try await Fixture.start(egress: stripe, learner: learner, answer: { _ in flood })
        let client = try fixture.proxy.client(patience: 10_000)
        client.send(Self.query("api.stripe.com"))
        for _ in 0..<1_000 where learner.asked < 100 { try await Task.sleep(for: .milliseconds(5)) }
        let other = try fixture.proxy.client(patience: 10_000)
        let denied = Self.query("evil.example")
        let begin = ContinuousClock.now
        other.send(denied)
        #expect(other.read(bytes: denied.count) == Self.refused(denied))
        // One turn takes 20 ms; all that one read brings, 1.4 s.
        #expect(ContinuousClock.now - begin < .milliseconds(700))
        // All of it gets to the client, and no more waits than one read.
        let got = client.read(bytes: 30_000)
        #expect(got.elementsEqual(flood.prefix(30_000)))
        try await fixture.stop()
    }

    @Test("empty messages of a server are no answers: they end the connection at the first")
    func emptyMessages() async throws {
        let fixture = try await Fixture.start(egress: stripe, answer: { _ in [UInt8](repeating: 0, count: 1 << 20) })
        let client = try fixture.proxy.client(patience: 10_000)
        client.send(Self.query("api.stripe.com"))
        #expect(client.read(bytes: 1) == [])
        #expect(try await fixture.proxy.proxy.counters().badResponses == 1)
        try await fixture.stop()
    }

    @Test("many queries at once are all answered, over turns, before the connection ends")
    func manyQueries() async throws {
        let fixture = try await Fixture.start(egress: stripe)
        let client = try fixture.proxy.client(patience: 10_000)
        let denied = Self.query("evil.example")
        let count = 1_000
        client.send((0..<count).flatMap { _ in denied })
        client.finish()
        let expected = (0..<count).flatMap { _ in Self.refused(denied) }
        #expect(client.read(bytes: expected.count) == expected)
        #expect(client.read().isClosed)
        try await fixture.stop()
    }

    @Test("an allowed query whose server cannot be reached has its line, where the receiver's end is never known")
    func unreachable() async throws {
        let absent = try ListeningSocket(backlog: 1)
        close(absent.descriptor)
        let lines = try LoggedLines()
        var flow = ProxiedFlow(destination: absent.address)
        flow.egress = RuleBook.Selection(policy: 1, rules: [0])
        flow.isComplete = false
        let proxy = try await ProxyFixture.start(
            [], log: lines.log, to: absent.address, resolver: FixedFlowResolver(flow))
        proxy.rules.replace(with: try Self.book(stripe, []))
        let client = try proxy.client(patience: 10_000)
        client.send(Self.query("api.stripe.com"))
        #expect(client.read().isClosed)
        try await proxy.stop()
        #expect(lines.take().map(\.decision) == ["error"])
    }

    @Test("each query has its line, with the name and the rule")
    func logged() async throws {
        var ends: [CInt] = [0, 0]
        pipe(&ends)
        let log = AccessLog(descriptor: ends[1])
        let fixture = try await Fixture.start(egress: stripe, log: log)
        let client = try fixture.proxy.client(patience: 10_000)
        let (allowed, denied) = (Self.query("api.stripe.com"), Self.query("evil.example"))
        client.send(allowed + denied + [0, 0])
        _ = client.read()
        try await fixture.stop()
        log.flush()
        close(ends[1])
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = read(ends[0], &bytes, bytes.count)
        close(ends[0])
        let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 3)
        for (line, parts) in zip(
            lines,
            [
                [
                    "\"decision\":\"allowed\"", "\"query\":\"api.stripe.com\"",
                    "\"rule\":\"CiliumNetworkPolicy shop/billing spec",
                ],
                ["\"decision\":\"denied\"", "\"query\":\"evil.example\"", "\"reason\":\"name\"", "\"status\":5"],
                ["\"decision\":\"refused\"", "\"reason\":\"not-a-query\""],
            ])
        {
            for part in parts { #expect(line.contains(part), "\(line)") }
        }
    }
}
