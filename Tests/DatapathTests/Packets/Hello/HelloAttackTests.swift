import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

/// Clients that want the server to read another name than np_hello does.
@Suite("TLS server names: clients that lie about their connection", .needsRoot)
struct HelloAttackTests {
    typealias Flags = Transport.TCPFlags
    private static let allowed = HelloBytes.hello("a.example.com", postQuantum: true)
    private static let denied = HelloBytes.hello("b.example.com", postQuantum: true)

    @Test(
        "a SYN that the server does not take moves no connection: what lies before its first byte decides nothing",
        arguments: [Direction.egress, .ingress])
    func earlierStart(direction: Direction) throws {
        try HelloConnection.with(direction) { connection throws in
            try connection.open()
            // Its ClientHello would end where the server's connection begins.
            var other = connection
            other.start = connection.start &- UInt32(Self.allowed.count)
            #expect(try other.send(other.syn()) == NP_REASON_ALLOWED)
            // To the server these are bytes that it has: it says what it waits for.
            #expect(try other.send(other.client(0, Self.allowed)) == NP_REASON_ESTABLISHED)
            #expect(try connection.send(connection.server(acknowledges: 0)) == NP_REASON_REPLY)
            #expect(try connection.send(connection.client(0, Self.denied)) == NP_DROP_SERVER_NAME)
        }
    }

    @Test("nor one further on: bytes before it are read first", arguments: [Direction.egress, .ingress])
    func laterStart(direction: Direction) throws {
        try HelloConnection.with(direction) { connection throws in
            try connection.open()
            var other = connection
            other.start = connection.start &+ 1000
            #expect(try other.send(other.syn()) == NP_REASON_ALLOWED)
            #expect(try other.send(other.client(0, Self.allowed)) == NP_DROP_HELLO_ORDER)
            #expect(try connection.send(connection.client(0, Self.denied)) == NP_DROP_SERVER_NAME)
        }
    }

    @Test("no byte is read before the server has answered to the SYN")
    func unanswered() throws {
        try HelloConnection.with { connection throws in
            #expect(try connection.send(connection.syn()) == NP_REASON_ALLOWED)
            #expect(try connection.send(connection.client(0, Self.allowed)) == NP_DROP_HELLO_ORDER)
            #expect(try connection.send(connection.client(0, [])) == NP_DROP_HELLO_ORDER)
            // An answer to another SYN.
            var other = connection
            other.start &+= 9
            #expect(try other.send(other.synAck()) == NP_REASON_REPLY)
            #expect(try connection.send(connection.client(0, Self.allowed)) == NP_DROP_HELLO_ORDER)
            #expect(try connection.send(connection.synAck()) == NP_REASON_REPLY)
            #expect(try connection.send(connection.client(0, Self.allowed)) == NP_REASON_ALLOWED)
        }
    }

    @Test("a server that answers to each SYN (SYN cookies) is held to the answer that the hello is read under")
    func cookies() throws {
        for later in [UInt32(bitPattern: -Int32(Self.allowed.count)), 1000] {
            try HelloConnection.with { connection throws in
                try connection.send(connection.syn())
                try connection.send(connection.synAck())
                var other = connection
                other.start &+= later
                other.serverStart &+= later
                try other.send(other.syn())
                #expect(try other.send(other.synAck()) == NP_REASON_REPLY)
                // The client takes the first answer.
                #expect(try connection.send(connection.client(0, [])) == NP_DROP_HELLO_ORDER)
                #expect(try other.send(other.client(0, Self.allowed)) == NP_REASON_ALLOWED)
                #expect(try connection.send(connection.client(0, [])) == NP_DROP_HELLO_ORDER)
                // What the server of the first connection acknowledges is nothing of the second.
                #expect(
                    try connection.send(connection.server(acknowledges: Self.allowed.count)) == NP_REASON_REPLY)
                #expect(try other.send(other.client(0, Self.denied)) == NP_DROP_HELLO)
            }
        }
    }

    @Test("a SYN that comes again may be answered with another number of the server, as long as nothing was read")
    func anotherAnswer() throws {
        try HelloConnection.with { connection throws in
            var connection = connection
            try connection.send(connection.syn())
            try connection.send(connection.synAck())
            #expect(try connection.send(connection.syn()) == NP_REASON_ALLOWED)
            let first = connection
            connection.serverStart &+= 77
            #expect(try connection.send(connection.synAck()) == NP_REASON_REPLY)
            #expect(try first.send(first.client(0, Self.allowed)) == NP_DROP_HELLO_ORDER)
            #expect(try connection.send(connection.client(0, Self.allowed)) == NP_REASON_ALLOWED)
        }
    }

    @Test("urgent data ends it, also where the segment has none or the server has it: the place that it names is ahead")
    func urgent() throws {
        let hello = Self.allowed
        try HelloConnection.with { connection throws in
            try connection.open()
            #expect(try connection.send(connection.client(0, [], flags: HelloConnection.urgent)) == NP_DROP_HELLO)
            #expect(try connection.send(connection.client(0, hello)) == NP_DROP_HELLO)
        }
        for read in [hello.count, 700] {
            for data in [hello[..<0], hello[..<100]] {
                try HelloConnection.with { connection throws in
                    try connection.open()
                    _ = try connection.send(connection.client(0, hello[..<read]))
                    #expect(try connection.send(connection.server(acknowledges: 200)) == NP_REASON_REPLY)
                    #expect(
                        try connection.send(connection.client(0, data, flags: HelloConnection.urgent))
                            == NP_DROP_HELLO)
                }
            }
        }
    }

    @Test("a name that was not decided when a plain rule let its connection pass never is")
    func relaxed() throws {
        let rule = PacketPolicy.only(.init(protocol: .tcp, ports: PortRange(443), isL7: true))
        for read in [Self.allowed.count, 700] {
            try HelloConnection.with { connection throws in
                let harness = connection.harness
                try connection.open()
                _ = try connection.send(connection.client(0, Self.allowed[..<read]))
                try harness.set(.only(.init(protocol: .tcp)), .egress)
                #expect(try connection.send(connection.client(0, Self.denied)) == NP_REASON_REVALIDATED)
                try harness.set(rule, .egress, hitBase: PacketHarness.helloBase)
                #expect(try connection.send(connection.client(Self.denied.count, [1])) == NP_DROP_NOT_PROXIED)
            }
        }
    }

    @Test("a connection that a plain rule lets begin has not the name of the one before it, whose ends it has")
    func inherited() throws {
        let rule = PacketPolicy.only(.init(protocol: .tcp, ports: PortRange(443), isL7: true))
        for asksAgain in [false, true] {
            try HelloConnection.with { connection throws in
                let harness = connection.harness
                try connection.open()
                #expect(try connection.send(connection.client(0, Self.allowed)) == NP_REASON_ALLOWED)
                let size = Self.allowed.count
                #expect(try connection.send(connection.server(acknowledges: size, [9])) == NP_REASON_REPLY)
                try harness.set(.only(.init(protocol: .tcp)), .egress)
                var other = connection
                other.start &+= 100_000
                other.serverStart &+= 100_000
                #expect(try other.send(other.syn()) == NP_REASON_ALLOWED)
                #expect(try other.send(other.synAck()) == NP_REASON_REPLY)
                try harness.set(rule, .egress, hitBase: PacketHarness.helloBase)
                // One that the server never answers to changes nothing.
                var third = other
                third.start &+= 100_000
                if asksAgain { #expect(try third.send(third.syn()) == NP_REASON_ALLOWED) }
                let reason = try other.send(other.client(0, Self.denied))
                #expect(reason == (asksAgain ? NP_DROP_HELLO_ORDER : NP_DROP_NOT_PROXIED))
            }
        }
    }

    // MARK: - Multipath TCP

    /// What MP_CAPABLE is in a SYN, in the middle of what Linux sends with it.
    private static let common: [UInt8] = [2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7]
    private static let capable: [UInt8] = [30, 4, 0x01, 0x01]
    private static let elsewhere: [UInt8] = [8, 10, 30, 4, 30, 4, 30, 4, 30, 4, 0, 30, 4, 0, 1, 0]

    private static func with(options: [UInt8], _ packet: IPPacket) -> IPPacket {
        packet.with {
            $0.payload[12] = UInt8(5 + options.count / 4) << 4
            $0.payload.replaceSubrange(20..<20, with: options)
        }.summed
    }

    @Test(
        "a connection whose name decides is of one path: the option that asks for more is taken out of its SYN",
        arguments: [Direction.egress, .ingress], [false, true])
    func multipath(direction: Direction, v6: Bool) throws {
        try HelloConnection.with(direction, v6: v6) { connection throws in
            let join: [UInt8] = [30, 12, 0x10, 1, 1, 2, 3, 4, 5, 6, 7, 8]
            for (before, after) in [
                (Self.common + Self.capable, Self.common + [1, 1, 1, 1]),
                (Self.capable + Self.common, [1, 1, 1, 1] + Self.common),
                ([1] + join + [30, 4, 0, 1, 1, 1, 1], [UInt8](repeating: 1, count: 20)),
                (Self.common + Self.common, Self.common + Self.common),
                // Bytes of another option, and behind the last one.
                (Self.elsewhere, Self.elsewhere),
            ] {
                let passed = try connection.pass(Self.with(options: before, connection.syn()))
                #expect(passed.reason == NP_REASON_ALLOWED)
                #expect(passed.frame == Self.with(options: after, connection.syn()).summedFrame, "\(before)")
            }
        }
    }

    @Test("options that nobody can read, and the one in a later segment, do not pass before the name is decided")
    func laterMultipath() throws {
        try HelloConnection.with { connection throws in
            for broken: [UInt8] in [[30, 0, 1, 1], [30, 5, 1, 1], [1, 1, 1, 30], [2, 1, 1, 1]] {
                #expect(try connection.send(Self.with(options: broken, connection.syn())) == NP_DROP_HELLO_ORDER)
            }
            try connection.open()
            let own = Self.with(options: Self.common, connection.client(0, Self.allowed[..<700]))
            #expect(try connection.send(own) == NP_REASON_ESTABLISHED)
            for data in [Self.allowed[700..<700], Self.allowed[700...]] {
                let other = Self.with(options: Self.common + Self.capable, connection.client(700, data))
                #expect(try connection.send(other) == NP_DROP_HELLO_ORDER)
            }
            #expect(try connection.send(connection.client(700, Self.allowed[700...])) == NP_REASON_ALLOWED)
            let last = Self.with(options: Self.capable, connection.client(Self.allowed.count, [1]))
            #expect(try connection.send(last) == NP_DROP_HELLO_ORDER)
            #expect(try connection.send(connection.server(acknowledges: Self.allowed.count, [9])) == NP_REASON_REPLY)
            #expect(try connection.send(last) == NP_REASON_ESTABLISHED)
        }
    }
}
