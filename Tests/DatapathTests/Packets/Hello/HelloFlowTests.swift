import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

@Suite("TLS server names: connections", .needsRoot)
struct HelloFlowTests {
    typealias Flags = Transport.TCPFlags
    private static let allowed = HelloBytes.hello("a.example.com", postQuantum: true)
    private static let denied = HelloBytes.hello("b.example.com", postQuantum: true)

    private static func waits(_ connection: HelloConnection) throws -> Bool {
        try connection.harness.flows(of: .a).contains { $0.flags & UInt32(NP_ENTRY_HELLO) != 0 }
    }

    /// The RST that a client's packet becomes, of the server that the client knows.
    private static func reset(_ packet: IPPacket) -> [UInt8] {
        func port(_ place: Int) -> UInt16 { UInt16(packet.payload[place]) << 8 | UInt16(packet.payload[place + 1]) }
        var segment = Transport.tcp(port(2), port(0), flags: Flags.rst)
        segment.replaceSubrange(4..<8, with: packet.payload[8..<12])
        segment.replaceSubrange(14..<16, with: [0, 0])
        var frame = IPPacket(packet.destination, packet.source, .tcp, segment).summed.summedFrame
        if packet.source.isIPv4 {
            frame[20] = 0x40
            frame.replaceSubrange(24..<26, with: [0, 0])
            frame.replaceSubrange(24..<26, with: Checksums.internet(Array(frame[14..<34])).bigEndianBytes)
        }
        return frame.turned
    }

    /// The RST for the server that a client's packet becomes, which it does not get itself: as if the client had sent it in its place.
    private static func onward(_ packet: IPPacket) -> [UInt8] {
        let answer = packet.with {
            $0.source = packet.destination
            $0.destination = packet.source
            $0.payload.replaceSubrange(0..<4, with: packet.payload[2..<4] + packet.payload[..<2])
            $0.payload.replaceSubrange(8..<12, with: packet.payload[4..<8])
        }
        return reset(answer).turned
    }

    @Test("a connection whose hello is gone is reset, and does not hang", arguments: [Direction.egress, .ingress])
    func collected(direction: Direction) throws {
        try HelloConnection.with(direction) { connection throws in
            try connection.open()
            for entry in try connection.harness.map("np_hellos").entries(key: UInt32(0), value: np_hello()) {
                try connection.harness.map("np_hellos").remove(entry.key)
            }
            let segment = connection.client(0, Self.allowed)
            let passed = try connection.pass(segment)
            #expect(passed.reason == NP_DROP_NOT_PROXIED)
            #expect(passed.frame == Self.reset(segment))
            #expect(try connection.send(connection.server(acknowledges: 0, [9])) == NP_DROP_NOT_PROXIED)
        }
    }

    @Test(
        "an allowed name: the rule is counted, and the flow passes by its entry once the server has the hello",
        arguments: [Direction.egress, .ingress], [false, true])
    func allowed(direction: Direction, v6: Bool) throws {
        try HelloConnection.with(direction, v6: v6) { connection throws in
            let hits = try connection.harness.helloHits()
            let size = Self.allowed.count
            try connection.open()
            #expect(try Self.waits(connection))
            #expect(try connection.send(connection.client(0, Self.allowed)) == NP_REASON_ALLOWED)
            #expect(try connection.harness.helloHits() - hits == 1)
            // Early data does not wait.
            #expect(try connection.send(connection.client(size, [1, 2, 3])) == NP_REASON_ESTABLISHED)
            #expect(try Self.waits(connection))
            #expect(try connection.send(connection.server(acknowledges: size - 1, [9])) == NP_REASON_REPLY)
            #expect(try Self.waits(connection))
            #expect(try connection.send(connection.server(acknowledges: size, [9, 9])) == NP_REASON_REPLY)
            #expect(try !Self.waits(connection))
            #expect(try connection.send(connection.client(size + 3, [1])) == NP_REASON_ESTABLISHED)
            #expect(try connection.send(connection.server(acknowledges: size, [9, 9])) == NP_REASON_REPLY)
            #expect(try connection.harness.flows(of: .a).count == 1)
            #expect(try connection.harness.helloHits() - hits == 1)
            #expect(try connection.harness.deniedNames() == [])
        }
    }

    @Test(
        "another name: both ends are reset at once, the name reported, and nothing passes any more",
        arguments: [Direction.egress, .ingress], [false, true])
    func denied(direction: Direction, v6: Bool) throws {
        try HelloConnection.with(direction, v6: v6) { connection throws in
            try connection.open()
            let hello = connection.client(0, Self.denied)
            let refused = try connection.pass(hello)
            #expect(refused.reason == NP_DROP_SERVER_NAME)
            // What goes to the pod; a copy goes to the other end, which other tests see.
            #expect(
                refused.returned
                    == (direction == .egress ? NP_ACTION_REDIRECT.rawValue : NP_ACTION_NEXT.rawValue))
            #expect(refused.frame == (direction == .egress ? Self.reset(hello) : Self.onward(hello)))
            #expect(try connection.harness.deniedNames() == ["b.example.com"])
            #expect(try connection.send(connection.client(Self.denied.count, [1])) == NP_DROP_SERVER_NAME)
            #expect(try connection.send(connection.client(0, Self.allowed)) == NP_DROP_SERVER_NAME)
            // The server is told as well, by an answer to what it says.
            for data in [[], [1]] as [[UInt8]] {
                let packet = connection.server(acknowledges: 0, data)
                let told = try connection.pass(packet)
                #expect(told.reason == NP_DROP_SERVER_NAME && told.returned == NP_ACTION_REDIRECT.rawValue)
                #expect(told.frame == Self.reset(packet))
            }
            #expect(try connection.harness.deniedNames() == [])
            #expect(try connection.send(connection.server(acknowledges: 0, [], flags: Flags.rst)) == NP_REASON_REPLY)
        }
    }

    @Test("no name, plain HTTP and SSL 2 are reset, and reported without a name")
    func nameless() throws {
        let cases: [([UInt8], np_reason)] = [
            (HelloBytes.hello(nil), NP_DROP_SERVER_NAME), (Array("GET / HTTP/1.1\r\n\r\n".utf8), NP_DROP_HELLO),
            ([0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10], NP_DROP_HELLO), ([0], NP_DROP_HELLO),
        ]
        for (bytes, wanted) in cases {
            try HelloConnection.with { connection throws in
                try connection.open()
                let packet = connection.client(0, bytes)
                let refused = try connection.pass(packet)
                #expect(refused.reason == wanted)
                #expect(refused.returned == NP_ACTION_REDIRECT.rawValue && refused.frame == Self.reset(packet))
                #expect(try connection.harness.deniedNames() == [""])
            }
        }
    }

    @Test("the reset of a pod's own connection gets back to it, whoever the server is", arguments: [false, true])
    func resetArrives(v6: Bool) throws {
        try HelloConnection.with(v6: v6) { connection throws in
            try connection.open()
            #expect(try connection.send(connection.client(0, Self.denied)) == NP_DROP_SERVER_NAME)
            let reset = connection.packet(
                fromClient: false, sequence: connection.serverStart, acknowledges: 0, flags: Flags.rst)
            #expect(try connection.harness.pass(reset, .ingress, by: PacketWorld.own).reason == NP_REASON_HAIRPIN)
        }
    }

    @Test("what is ahead is dropped and comes again")
    func order() throws {
        try HelloConnection.with { connection throws in
            try connection.open()
            let hello = Self.allowed
            #expect(try connection.send(connection.client(700, hello[700...])) == NP_DROP_HELLO_ORDER)
            #expect(try connection.send(connection.client(1, hello[1...])) == NP_DROP_HELLO_ORDER)
            #expect(try connection.send(connection.client(0, hello[..<700])) == NP_REASON_ESTABLISHED)
            #expect(try connection.send(connection.client(701, hello[701...])) == NP_DROP_HELLO_ORDER)
            #expect(try connection.send(connection.client(700, hello[700...])) == NP_REASON_ALLOWED)
        }
    }

    @Test("retransmissions pass as they were, also cut otherwise and with more behind them")
    func retransmissions() throws {
        try HelloConnection.with { connection throws in
            try connection.open()
            let hello = Self.allowed
            #expect(try connection.send(connection.client(0, hello[..<700])) == NP_REASON_ESTABLISHED)
            for part in [0..<700, 0..<1, 1..<2, 64..<128, 63..<130, 699..<700, 333..<700, 0..<64, 0..<65] {
                #expect(
                    try connection.send(connection.client(part.lowerBound, hello[part])) == NP_REASON_ESTABLISHED,
                    "\(part)")
            }
            #expect(try connection.send(connection.client(650, hello[650..<900])) == NP_REASON_ESTABLISHED)
            #expect(try connection.send(connection.client(0, hello[..<1000])) == NP_REASON_ESTABLISHED)
            #expect(try connection.send(connection.client(300, hello[300...])) == NP_REASON_ALLOWED)
            #expect(try connection.send(connection.client(0, hello)) == NP_REASON_ESTABLISHED)
            #expect(try connection.send(connection.client(10, hello[10...] + [1, 2])) == NP_REASON_ESTABLISHED)
            // A probe of keep-alive is of what was there before.
            #expect(try connection.send(connection.server(acknowledges: hello.count, [1])) == NP_REASON_REPLY)
            #expect(try connection.send(connection.client(-1, [0])) == NP_REASON_ESTABLISHED)
        }
    }

    @Test("a retransmission with other content is no way round, before and after the decision, until the server has it")
    func forgeries() throws {
        let hello = Self.allowed
        let place = try #require(
            hello.indices.dropFirst(1200).first { hello[$0...].starts(with: Array("a.example".utf8)) })
        for decided in [false, true] {
            try HelloConnection.with { connection throws in
                try connection.open()
                let first = decided ? hello[...] : hello[...(place + 3)]
                _ = try connection.send(connection.client(0, first))
                var forged = hello
                forged[place] = UInt8(ascii: "b")
                // What the server has is the same for good.
                #expect(try connection.send(connection.server(acknowledges: place)) == NP_REASON_REPLY)
                #expect(try connection.send(connection.client(0, forged[..<place])) == NP_REASON_ESTABLISHED)
                let packet = connection.client(place - 5, forged[(place - 5)...(place + 3)])
                let refused = try connection.pass(packet)
                #expect(refused.reason == NP_DROP_HELLO && refused.frame == Self.reset(packet))
                #expect(try connection.send(connection.client(place, hello[place...])) == NP_DROP_HELLO)
            }
        }
        try HelloConnection.with { connection throws in
            try connection.open()
            #expect(try connection.send(connection.client(0, hello)) == NP_REASON_ALLOWED)
            #expect(try connection.send(connection.server(acknowledges: hello.count)) == NP_REASON_REPLY)
            #expect(try connection.send(connection.client(0, Self.denied)) == NP_REASON_ESTABLISHED)
        }
    }

    @Test("where another connection has the copy, a retransmission waits for its acknowledgement")
    func withoutCopy() throws {
        try HelloConnection.with { connection throws in
            try connection.open()
            _ = try connection.send(connection.client(0, Self.allowed[..<700]))
            for entry in try connection.harness.map("np_hello_copies").entries(key: UInt32(0), value: np_hello_copy()) {
                try connection.harness.map("np_hello_copies").remove(entry.key)
            }
            #expect(try connection.send(connection.client(0, Self.allowed[..<700])) == NP_DROP_HELLO_ORDER)
            #expect(try connection.send(connection.server(acknowledges: 650)) == NP_REASON_REPLY)
            #expect(try connection.send(connection.client(600, Self.allowed[600..<800])) == NP_DROP_HELLO_ORDER)
            #expect(try connection.send(connection.server(acknowledges: 700)) == NP_REASON_REPLY)
            #expect(try connection.send(connection.client(0, Self.allowed[..<700])) == NP_REASON_ESTABLISHED)
            #expect(try connection.send(connection.client(600, Self.allowed[600..<800])) == NP_REASON_ESTABLISHED)
            #expect(try connection.send(connection.client(800, Self.allowed[800...])) == NP_REASON_ALLOWED)
        }
    }

    @Test(
        "a hello that was lost, and of which another connection has the copy, ends its connection: the client begins anew",
        arguments: [false, true], [700, 1_000_000])
    func lostWithoutCopy(v6: Bool, length: Int) throws {
        try HelloConnection.with(v6: v6) { connection throws in
            try connection.open()
            let bytes = Self.allowed.prefix(length)
            let first = connection.client(0, bytes)
            #expect(
                try connection.send(first) == (length > Self.allowed.count ? NP_REASON_ALLOWED : NP_REASON_ESTABLISHED))
            for entry in try connection.harness.map("np_hello_copies").entries(key: UInt32(0), value: np_hello_copy()) {
                try connection.harness.map("np_hello_copies").remove(entry.key)
            }
            #expect(try connection.send(first) == NP_DROP_HELLO_ORDER)
            let passed = try connection.pass(first)
            #expect(passed.reason == NP_DROP_NOT_PROXIED && passed.returned == NP_ACTION_REDIRECT.rawValue)
            #expect(passed.frame == Self.reset(first))
            // It is no name that was refused.
            #expect(try connection.harness.deniedNames() == [])
            // What the server says is answered so too.
            #expect(try connection.send(connection.server(acknowledges: 0)) == NP_DROP_NOT_PROXIED)
        }
    }

    @Test("a SYN with data does not pass; its flow begins with one that has none")
    func synData() throws {
        try HelloConnection.with { connection throws in
            #expect(try connection.send(connection.syn([22])) == NP_DROP_SYN_DATA)
            #expect(try connection.harness.flowCount() == 0)
            #expect(try connection.send(connection.client(0, Self.allowed)) == NP_DROP_NOT_PROXIED)
            try connection.open()
            #expect(try connection.send(connection.client(0, Self.allowed)) == NP_REASON_ALLOWED)
        }
    }

    @Test(
        "fragments do not pass before the decision, whatever stands where their header would be",
        arguments: [false, true])
    func fragments(v6: Bool) throws {
        try HelloConnection.with(v6: v6) { connection throws in
            func fragments(_ packet: IPPacket, _ number: UInt32) -> [IPPacket] {
                let cut = 32
                return [
                    packet.with {
                        $0.payload = Array(packet.payload[..<cut])
                        $0.fragment = .init(number, offset: 0, more: true)
                    },
                    packet.with {
                        $0.payload = Array(packet.payload[cut...])
                        $0.fragment = .init(number, offset: UInt16(cut), more: false)
                    },
                ]
            }
            #expect(
                try connection.send(fragments(connection.syn([UInt8](repeating: 0, count: 20)), 1)[0])
                    == NP_DROP_SYN_DATA)
            try connection.open()
            for fragment in fragments(connection.client(0, Self.allowed), 2) {
                #expect(try connection.send(fragment) == NP_DROP_HELLO_ORDER)
            }
            for fragment in fragments(connection.server(acknowledges: 0, Self.allowed), 3) {
                #expect(try connection.send(fragment) == NP_DROP_HELLO_ORDER)
            }
            _ = try connection.send(connection.client(0, Self.allowed))
            _ = try connection.send(connection.server(acknowledges: Self.allowed.count, [9]))
            for fragment in fragments(connection.client(Self.allowed.count, Self.allowed), 4) {
                #expect(try connection.send(fragment) == NP_REASON_ESTABLISHED)
            }
        }
    }

    @Test("urgent bytes are no part of what the server reads: they end it")
    func urgent() throws {
        try HelloConnection.with { connection throws in
            try connection.open()
            #expect(
                try connection.send(connection.client(0, Self.allowed, flags: HelloConnection.urgent)) == NP_DROP_HELLO)
        }
    }

    @Test("a SYN that comes again changes nothing; one of a new connection counts when the server answers to it")
    func again() throws {
        try HelloConnection.with { connection throws in
            var connection = connection
            try connection.open()
            #expect(try connection.send(connection.client(0, Self.allowed[..<700])) == NP_REASON_ESTABLISHED)
            #expect(try connection.send(connection.syn()) == NP_REASON_ALLOWED)
            #expect(try connection.send(connection.client(700, Self.allowed[700...])) == NP_REASON_ALLOWED)
            #expect(try connection.send(connection.server(acknowledges: Self.allowed.count)) == NP_REASON_REPLY)
            #expect(try connection.send(connection.syn()) == NP_REASON_ALLOWED)
            #expect(try connection.send(connection.client(2000, [1])) == NP_REASON_ESTABLISHED)
            // Anybody's SYN does not cut it.
            let old = connection
            connection.start = 77
            #expect(try connection.send(connection.syn()) == NP_REASON_ALLOWED)
            #expect(try old.send(old.client(2001, [1])) == NP_REASON_ESTABLISHED)
            #expect(try old.send(old.server(acknowledges: 2002, [1])) == NP_REASON_REPLY)
            // The server's answer makes it another connection.
            #expect(try connection.send(connection.synAck()) == NP_REASON_REPLY)
            #expect(try connection.send(connection.server(acknowledges: 0, [1])) == NP_DROP_HELLO_ORDER)
            #expect(try connection.send(connection.client(0, Self.denied)) == NP_DROP_SERVER_NAME)
            // And one that was refused may begin anew.
            connection.start = 99
            try connection.open()
            #expect(try connection.send(connection.client(0, Self.allowed)) == NP_REASON_ALLOWED)
        }
    }

    @Test("another automaton while a hello is read: the whole name is decided by the one in force then")
    func revision() throws {
        for (names, wanted) in [(["a.example.com"], NP_REASON_ALLOWED), (["b.example.com"], NP_DROP_SERVER_NAME)] {
            for cut in [1, 700, 1300, Self.allowed.count - 20] {
                try HelloConnection.with { connection throws in
                    try connection.open()
                    #expect(try connection.send(connection.client(0, Self.allowed[..<cut])) == NP_REASON_ESTABLISHED)
                    try connection.harness.setNames(["x", "**.longer.pattern"] + names, revision: 5)
                    #expect(try connection.send(connection.client(cut, Self.allowed[cut...])) == wanted)
                }
            }
        }
    }

    @Test("policies that change ask about the name again", arguments: [Direction.egress, .ingress])
    func revalidation(direction: Direction) throws {
        try HelloConnection.with(direction) { connection throws in
            let harness = connection.harness
            let size = Self.allowed.count
            let rule = PacketPolicy.only(.init(protocol: .tcp, ports: PortRange(443), isL7: true))
            try connection.open()
            _ = try connection.send(connection.client(0, Self.allowed))
            _ = try connection.send(connection.server(acknowledges: size, [9]))
            // One that does not touch the rule.
            try harness.bump(.a)
            #expect(try connection.send(connection.client(size, [1])) == NP_REASON_REVALIDATED)
            #expect(try connection.send(connection.client(size, [1])) == NP_REASON_ESTABLISHED)
            try harness.bump(.a)
            #expect(try connection.send(connection.server(acknowledges: size, [1])) == NP_REASON_REVALIDATED)
            #expect(try connection.send(connection.server(acknowledges: size, [1])) == NP_REASON_REPLY)
            // Another program, whose rule has the name too.
            try harness.setNames(["**.example.com"], bases: [PacketHarness.helloBase, 700], revision: 3)
            try harness.set(rule, direction, hitBase: 700)
            #expect(try connection.send(connection.client(size, [1])) == NP_REASON_REVALIDATED)
            // A plain rule, and back.
            try harness.set(.only(.init(protocol: .tcp)), direction)
            #expect(try connection.send(connection.client(size, [1])) == NP_REASON_REVALIDATED)
            try harness.set(rule, direction, hitBase: 700)
            #expect(try connection.send(connection.client(size, [1])) == NP_REASON_REVALIDATED)
            // One that has another name only.
            try harness.setNames(["b.example.com"], bases: [800], revision: 4)
            try harness.set(rule, direction, hitBase: 800)
            #expect(try connection.send(connection.client(size, [1])) == NP_DROP_SERVER_NAME)
            #expect(try harness.deniedNames() == ["a.example.com"])
            #expect(try connection.send(connection.server(acknowledges: size, [1])) == NP_DROP_SERVER_NAME)
        }
    }

    @Test("a connection from before the rule is cut: its name was never read", arguments: [false, true])
    func earlier(v6: Bool) throws {
        try HelloConnection.with(v6: v6) { connection throws in
            let harness = connection.harness
            try harness.set(.everything, .egress)
            #expect(try connection.send(connection.syn()) == NP_REASON_ALLOWED)
            #expect(try connection.send(connection.synAck()) == NP_REASON_REPLY)
            try harness.set(
                .only(.init(protocol: .tcp, ports: PortRange(443), isL7: true)), .egress,
                hitBase: PacketHarness.helloBase)
            let packet = connection.client(0, Self.allowed)
            let cut = try connection.pass(packet)
            #expect(cut.reason == NP_DROP_NOT_PROXIED && cut.frame == Self.reset(packet))
            #expect(try connection.send(connection.server(acknowledges: 0, [1])) == NP_DROP_NOT_PROXIED)
        }
    }

    @Test("through a Service: the frontend resets, and what passes goes to the backend", arguments: [false, true])
    func service(v6: Bool) throws {
        try HelloConnection.with(v6: v6) { connection throws in
            let harness = connection.harness
            let frontend = ServiceWorld.frontend(v6: v6)
            let backend = PacketWorld.address(3, ipv6: v6)
            try harness.serve(.tcp, at: frontend, port: 443, by: [.init(backend, port: 443)])
            func toFrontend(_ packet: IPPacket) -> IPPacket { packet.redirected(to: frontend, 443) }
            for (number, hello) in [Self.allowed, Self.denied].enumerated() {
                var connection = connection
                connection.port += UInt16(number)
                #expect(try connection.pass(toFrontend(connection.syn())).reason == NP_REASON_ALLOWED)
                let answer = try connection.pass(connection.synAck())
                #expect(answer.reason == NP_REASON_REPLY)
                #expect(answer.frame == connection.synAck().relabelled(as: frontend, 443).summedFrame)
                let first = try connection.pass(toFrontend(connection.client(0, hello[..<700])))
                #expect(first.reason == NP_REASON_ESTABLISHED)
                #expect(first.frame == connection.client(0, hello[..<700]).summedFrame)
                #expect(try connection.send(connection.server(acknowledges: 700, [1])) == NP_DROP_HELLO_ORDER)
                let packet = toFrontend(connection.client(700, hello[700...]))
                let last = try connection.pass(packet)
                guard hello == Self.allowed else {
                    #expect(last.reason == NP_DROP_SERVER_NAME)
                    #expect(last.returned == NP_ACTION_REDIRECT.rawValue && last.frame == Self.reset(packet))
                    continue
                }
                #expect(
                    last.reason == NP_REASON_ALLOWED && last.frame == connection.client(700, hello[700...]).summedFrame)
                let reply = connection.server(acknowledges: hello.count, [1, 2, 3])
                let back = try connection.pass(reply)
                #expect(back.reason == NP_REASON_REPLY && back.frame == reply.relabelled(as: frontend, 443).summedFrame)
                for _ in 0..<3 {
                    let later = try connection.pass(toFrontend(connection.client(hello.count, [5])))
                    #expect(later.reason == NP_REASON_ESTABLISHED)
                    #expect(later.frame == connection.client(hello.count, [5]).summedFrame)
                }
            }
        }
    }
}
