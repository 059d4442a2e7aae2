import BPFEmit
import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

@Suite("DNS queries", .needsRoot)
struct DNSQueryTests {
    typealias World = NameWorld

    /// The answer that a refused query becomes.
    private static func refusal(
        of query: IPPacket, from frontend: (IPAddress, UInt16)? = nil, code: UInt8 = 5, truncated: Bool = false
    ) -> IPPacket {
        let udp = query.payload
        var message = Array(udp.dropFirst(8))
        message[2] = 0x80 | message[2] & 1 | (truncated ? 2 : 0)
        message[3] = 0x80 | message[3] & 0x10 | code
        let port = frontend?.1 ?? UInt16(udp[2]) << 8 | UInt16(udp[3])
        return IPPacket(
            frontend?.0 ?? query.destination, query.source, .udp,
            Transport.udp(port, UInt16(udp[0]) << 8 | UInt16(udp[1]), payload: message)
        ).summed
    }

    @Test(
        "an allowed name passes, whatever its case; another one is refused in place and never leaves",
        arguments: [false, true])
    func names(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.restrictNames()
            for name in ["api.example.com", "API.eXample.COM", "a-b_c9.example.com"] {
                #expect(try harness.send(World.query(DNSText.query(name), v6: v6), .egress) != NP_DROP_NAME_DENIED)
            }
            let cookie: [UInt8] = [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]
            for name in ["", "com", "example.com", "a.b.example.com", "api.example.org", "a.example.com.evil.net"] {
                for edns in [nil, DNSText.edns(), DNSText.edns(cookie)] {
                    let query = World.query(DNSText.query(name, DNSText.aaaa, id: 0xbeef, edns: edns), v6: v6)
                    let refused = try harness.pass(query, .egress)
                    #expect(refused.reason == NP_DROP_NAME_DENIED)
                    #expect(refused.returned == NP_ACTION_REDIRECT.rawValue)
                    #expect(refused.frame == Self.refusal(of: query).summedFrame.turned, "\(name)")
                }
            }
        }
    }

    @Test("a refusal reaches the pod past a closed ingress policy, and opens no flow", arguments: [false, true])
    func refusalComesBack(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.restrictNames()
            try harness.set(.closed, .ingress)
            for allowedBefore in [false, true] {
                if allowedBefore {
                    #expect(
                        try harness.send(World.query(DNSText.query("www.example.com"), v6: v6), .egress)
                            == NP_REASON_ALLOWED)
                }
                let query = World.query(DNSText.query("evil.org"), v6: v6)
                #expect(try harness.pass(query, .egress).reason == NP_DROP_NAME_DENIED)
                let back = try harness.pass(
                    frame: Self.refusal(of: query).summedFrame, .ingress, by: PacketWorld.own, mark: 0x6e70_646e)
                #expect(back.reason == NP_REASON_HAIRPIN && back.returned == NP_ACTION_NEXT.rawValue)
                #expect(try harness.flows(of: .a).count == (allowedBefore ? 1 : 0))
                // And the next query of the same socket is a question again.
                #expect(try harness.pass(query, .egress).reason == NP_DROP_NAME_DENIED)
            }
        }
    }

    @Test("each query of a flow is a question, and so is one against a flow that the resolver has opened")
    func everyQuery() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictNames()
            #expect(try harness.send(World.answer([1, 2, 3]), .ingress) == NP_REASON_ALLOWED)
            #expect(try harness.pass(World.query(DNSText.query("evil.org")), .egress).reason == NP_DROP_NAME_DENIED)
            #expect(try harness.send(World.query(DNSText.query("www.example.com")), .egress) != NP_DROP_NAME_DENIED)
            #expect(try harness.pass(World.query(DNSText.query("evil.org")), .egress).reason == NP_DROP_NAME_DENIED)
            try harness.forgetFlows()
            for _ in 0..<3 {
                #expect(try harness.send(World.query(DNSText.query("www.example.com")), .egress) != NP_DROP_NAME_DENIED)
                #expect(try harness.pass(World.query(DNSText.query("evil.org")), .egress).reason == NP_DROP_NAME_DENIED)
            }
        }
    }

    @Test("by option the refusal is NXDOMAIN")
    func nameError() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictNames()
            try harness.map("np_name_options").set(
                UInt32(0), NameWorld.options(refusal: 3, leastTTL: 0, dropsInexact: 0))
            let query = World.query(DNSText.query("evil.org", edns: DNSText.edns()))
            #expect(try harness.pass(query, .egress).frame == Self.refusal(of: query, code: 3).summedFrame.turned)
        }
    }

    @Test(
        "what the automaton has no room for: the pod is told to ask over TCP, where a rule may allow or a column hold")
    func streams() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictNames()
            let rules = try harness.map("np_name_rules")
            func set(_ set: UInt32, _ bits: UInt64) throws {
                let key = np_name_rule_key(owner: World.base, revision: 0, set: set)
                try rules.set(key, np_name_rule(rules: bits, columns: 0, pad: 0))
            }
            let unknown = World.query(DNSText.query("evil.org", edns: DNSText.edns()))
            let known = World.query(DNSText.query("www.example.com"))
            // Bits of other rules than those that match the packet.
            try set(UInt32(NP_NAME_SET_UNKNOWN), 2)
            try set(UInt32(NP_NAME_SET_UNLEARNT), 2)
            #expect(try harness.pass(unknown, .egress).reason == NP_DROP_NAME_DENIED)
            #expect(try harness.send(known, .egress) == NP_REASON_ALLOWED)
            for (set0, query, other) in [
                (UInt32(NP_NAME_SET_UNKNOWN), unknown, known), (UInt32(NP_NAME_SET_UNLEARNT), known, unknown),
            ] {
                try set(set0, 1)
                let told = try harness.pass(query, .egress)
                #expect(told.reason == NP_DROP_NAME_STREAM && told.returned == NP_ACTION_REDIRECT.rawValue)
                #expect(told.frame == Self.refusal(of: query, code: 0, truncated: true).summedFrame.turned)
                #expect(try harness.pass(other, .egress).reason != NP_DROP_NAME_STREAM)
                try set(set0, 2)
            }
        }
    }

    @Test("without an automaton nothing is allowed; under the next revision the other bank is")
    func revisions() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictNames()
            let query = World.query(DNSText.query("www.example.com"))
            try harness.map("np_name_revision").set(UInt32(0), np_name_revision())
            #expect(try harness.pass(query, .egress).reason == NP_DROP_NAME_DENIED)
            try harness.put([World.first], rules: [0: 1], columns: [:], revision: 3)
            #expect(try harness.send(query, .egress) == NP_REASON_ALLOWED)
            #expect(
                try harness.pass(World.query(DNSText.query("api.example.com")), .egress).reason == NP_DROP_NAME_DENIED)
        }
    }

    @Test("L7 bits that are not of DNS rules decide no datagram")
    func otherBits() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictNames()
            // They are bits of server names.
            let rules = try harness.map("np_name_rules")
            try rules.remove(np_name_rule_key(owner: World.base, revision: 0, set: NP_NAME_SET_DNS))
            for (key, value) in try rules.entries(key: np_name_rule_key(), value: np_name_rule())
            where key.owner == World.base | UInt32(NP_NAME_QUERIES) {
                try rules.remove(key)
                try rules.set(np_name_rule_key(owner: World.base, revision: key.revision, set: key.set), value)
            }
            #expect(try harness.send(World.query(DNSText.query("www.example.com")), .egress) == NP_DROP_L7_UNAVAILABLE)
        }
    }

    @Test("a query that is cut off anywhere is dropped, and never refused", arguments: [false, true])
    func cutOff(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.restrictNames()
            let message = DNSText.query("www.example.com", edns: DNSText.edns([0, 10, 0, 2, 9, 9]))
            for length in 0..<message.count {
                let query = World.query(Array(message.prefix(length)), v6: v6)
                #expect(try harness.send(query, .egress) == NP_DROP_DNS_QUERY, "\(length)")
            }
            #expect(try harness.flowCount() == 0)
        }
    }

    @Test("what is not exactly one query is dropped under its reason")
    func inexact() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictNames()
            let good = DNSText.query("www.example.com")
            func changed(_ offset: Int, _ bytes: [UInt8]) -> [UInt8] {
                var copy = good
                copy.replaceSubrange(offset..<offset + bytes.count, with: bytes)
                return copy
            }
            let label: [UInt8] = [63] + [UInt8](repeating: 97, count: 63)
            let long: [UInt8] = label + label + label + label + [0]
            let pointer = DNSText.header(1, flags: 0x100) + [3, 119, 119, 119] + DNSText.pointer(12) + [0, 1, 0, 1]
            let cases: [(String, [UInt8])] = [
                ("response", changed(2, [0x81, 0])), ("opcode", changed(2, [0x29, 0])),
                ("truncated", changed(2, [0x03, 0])), ("code", changed(3, [3])),
                ("no question", changed(4, [0, 0])), ("two questions", changed(4, [0, 2])),
                ("answers", changed(6, [0, 1])), ("authorities", changed(8, [0, 1])),
                ("an additional that is not there", changed(10, [0, 1])), ("trailing byte", good + [0]),
                (
                    "two additionals",
                    DNSText.header(1, flags: 0x100, additional: 2) + DNSText.question("www.example.com")
                        + DNSText.edns() + DNSText.edns()
                ),
                (
                    "an additional that is an address",
                    DNSText.header(1, flags: 0x100, additional: 1)
                        + DNSText.question("www.example.com") + DNSText.record(1, [1, 2, 3, 4])
                ),
                ("256 bytes of name", DNSText.header(1, flags: 0x100) + long + [0, 1, 0, 1]), ("compressed", pointer),
                ("a label type of nobody", changed(12, [0x43])),
            ]
            for (name, message) in cases {
                #expect(try harness.send(World.query(message), .egress) == NP_DROP_DNS_QUERY, "\(name)")
            }
            var wrongLength = World.query(good)
            wrongLength.payload.replaceSubrange(4..<6, with: UInt16(good.count + 7).bigEndianBytes)
            #expect(try harness.send(wrongLength, .egress) == NP_DROP_DNS_QUERY)
            let fragment = World.query(good).with { $0.fragment = .init(5, offset: 0, more: true) }
            #expect(try harness.send(fragment, .egress) == NP_DROP_DNS_QUERY)
            #expect(try harness.flowCount() == 0)
        }
    }

    @Test("a packet that the kernel will cut into several datagrams is not one query, whatever they are together")
    func segmented() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictNames()
            // Behind the first datagram, in what is an option to who reads both as one, is a query of its own.
            let hidden = DNSText.query("evil.org")
            let query = World.query(
                DNSText.query("www.example.com", edns: DNSText.edns([0, 12, 0, UInt8(hidden.count)] + hidden)))
            #expect(try harness.pass(frame: query.summedFrame, .egress).reason == NP_REASON_ALLOWED)
            #expect(try harness.pass(frame: query.summedFrame, .egress, segmentBytes: 48).reason == NP_DROP_DNS_QUERY)
        }
    }

    @Test("255 bytes of name are one")
    func longest() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictNames()
            var labels: [UInt8] = []
            for length in [63, 63, 63, 61] as [UInt8] {
                labels += [length] + [UInt8](repeating: 98, count: Int(length))
            }
            labels.append(0)
            #expect(labels.count == 255)
            let query = World.query(DNSText.header(1, flags: 0x100) + labels + [0, 1, 0, 1])
            #expect(try harness.pass(query, .egress).reason == NP_DROP_NAME_DENIED)
        }
    }

    @Test("beside a plain allow names are not filtered, and what cannot be read passes")
    func plainBeside() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns(NP_VERDICT_ALLOW_READ)
            #expect(try harness.send(World.query(DNSText.query("evil.org")), .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(World.query([1, 2, 3]), .egress) == NP_REASON_ESTABLISHED)
            let answer = DNSText.answer("www.example.com", records: [DNSText.address(World.outside(1))])
            #expect(try harness.send(World.query(DNSText.query("www.example.com")), .egress) == NP_REASON_ESTABLISHED)
            #expect(try harness.send(World.answer(answer), .ingress) == NP_REASON_REPLY)
            #expect(try harness.learnt(World.outside(1))?.columns == 1)
        }
    }

    @Test("a denied name is told with the rules that it was asked of, but not without end")
    func events() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictNames()
            _ = try harness.pass(World.query(DNSText.query("Evil.ORG", DNSText.aaaa)), .egress)
            let events = try harness.nameEvents()
            let event = try #require(events.first)
            #expect(events.count == 1 && event.kind == UInt8(NP_NAME_DENIED.rawValue) && event.count == 0)
            #expect(event.endpoint == 1 && event.rule_base == World.base && event.rules == 1 && event.type == 28)
            let name = withUnsafeBytes(of: event.name) { Array($0) }
            #expect(name == DNSText.name("evil.org") + [UInt8](repeating: 0, count: 246))
            for _ in 0..<5000 { _ = try harness.run(World.query(DNSText.query("evil.org")).frame, .egress, of: .a) }
            try harness.recount()
            #expect(try harness.nameEvents().count < 4000)
        }
    }

    @Test(
        "through a Service: the query goes to the backend, a refusal comes from the frontend", arguments: [false, true])
    func service(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.restrictNames()
            let frontend = ServiceWorld.frontend(v6: v6)
            try harness.serve(.udp, at: frontend, port: 53, by: [.init(World.resolver(v6: v6), port: 53)])
            func query(_ name: String) -> IPPacket {
                World.query(DNSText.query(name, edns: DNSText.edns()), v6: v6).redirected(to: frontend, 53)
            }
            for port in [false, true] {
                let passed = try harness.pass(query("www.example.com"), .egress)
                #expect(passed.reason == (port ? NP_REASON_ESTABLISHED : NP_REASON_ALLOWED))
                #expect(passed.frame == query("www.example.com").redirected(to: World.resolver(v6: v6), 53).summedFrame)
                let refused = try harness.pass(query("evil.org"), .egress)
                #expect(refused.reason == NP_DROP_NAME_DENIED)
                #expect(refused.frame == Self.refusal(of: query("evil.org")).summedFrame.turned)
            }
            let records = [DNSText.address(World.outside(4))]
            let answer = World.answer(DNSText.answer("www.example.com", records: records), v6: v6)
            let back = try harness.pass(answer, .ingress)
            #expect(back.reason == NP_REASON_REPLY)
            #expect(back.frame == answer.relabelled(as: frontend, 53).summedFrame)
            #expect(try harness.learnt(World.outside(4))?.columns == 1)
        }
    }
}
