import BPFEmit
import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@testable import Datapath

extension PacketHarness {
    /// The first counter of the program in `serveNames`.
    static let helloBase: UInt32 = 500

    /// Puts the automaton of server name patterns in force, and says what they satisfy.
    ///
    /// - Parameters:
    ///   - patterns: those of the program's only L7 rule, bit 0.
    ///   - bases: of the programs that have it.
    ///   - revision: of the automaton; its lowest bit is the bank.
    /// - Throws: when a map cannot be written.
    func setNames(_ patterns: [String], bases: [UInt32] = [helloBase], revision: UInt32 = 2) throws {
        let automaton = NameAutomaton(patterns.map { NamePattern(.pattern($0)) })
        try write(automaton, revision: revision)
        for base in bases {
            for (set, satisfied) in automaton.patterns.enumerated() where !satisfied.isEmpty {
                try map("np_name_rules").set(
                    np_name_rule_key(owner: base, revision: revision, set: UInt32(set)),
                    np_name_rule(rules: 1, columns: 0, pad: 0))
            }
            try map("np_name_rules").set(
                np_name_rule_key(owner: base, revision: 0, set: UInt32(NP_NAME_SET_SERVER)),
                np_name_rule(rules: 1, columns: 0, pad: 0))
        }
        try map("np_name_revision").set(UInt32(0), np_name_revision(number: revision))
    }

    /// Forgets all connections, and what was read of them.
    func forgetConnections() throws {
        try forgetFlows()
        try forgetRead()
    }

    private func forgetRead() throws {
        for entry in try map("np_hellos").entries(key: UInt32(0), value: np_hello()) {
            try map("np_hellos").remove(entry.key)
        }
        for entry in try map("np_hello_copies").entries(key: UInt32(0), value: np_hello_copy()) {
            try map("np_hello_copies").remove(entry.key)
        }
    }

    /// Forgets all that is known of names and hellos.
    func forgetHellos() throws {
        try forgetRead()
        for entry in try map("np_name_rules").entries(key: np_name_rule_key(), value: np_name_rule()) {
            try map("np_name_rules").remove(entry.key)
        }
        try map("np_name_revision").set(UInt32(0), np_name_revision())
    }

    /// Allows connections of a direction for server names only, and nothing in the other direction.
    func serveNames(
        _ patterns: [String], _ direction: Direction = .egress, port: UInt16 = HelloConnection.serverPort
    ) throws {
        try forgetHellos()
        try setNames(patterns)
        for direction in Direction.allCases { try raise(NP_STATE_ALWAYS, direction) }
        try set(
            .only(.init(protocol: .tcp, ports: PortRange(port), isL7: true)), direction, hitBase: Self.helloBase)
        try set(.closed, direction == .egress ? .ingress : .egress)
    }

    /// How often the rule was counted.
    func helloHits() throws -> UInt64 {
        try map("np_rule_hits").perCPUValues(of: Self.helloBase + UInt32(NP_HIT_FIRST_RULE), value: UInt64(0)).reduce(
            0, +)
    }

    /// The names that were refused since the last call, with their labels' lengths.
    func deniedNames() throws -> [String] {
        let events = try map("np_name_events")
        let ring = try RingBuffer(map: events.fd, name: events.name)
        var names: [String] = []
        // Other tests of the harness may have left thousands.
        try ring.take(limit: 100_000) { bytes in
            let event = bytes.loadUnaligned(as: np_name_event.self)
            guard UInt32(event.kind) == NP_NAME_SERVER_DENIED.rawValue else { return }
            let name = withUnsafeBytes(of: event.name) { Array($0) }
            var labels: [String] = []
            var place = 0
            while place < name.count, name[place] > 0 {
                labels.append(String(decoding: name[(place + 1)...].prefix(Int(name[place])), as: UTF8.self))
                place += 1 + Int(name[place])
            }
            names.append(labels.joined(separator: "."))
        }
        return names
    }
}

/// A connection of a pod, as its client or its server, whose segments tests send in any order.
struct HelloConnection {
    typealias Flags = Transport.TCPFlags
    static let serverPort: UInt16 = 443
    static let push: UInt8 = 0x08
    static let urgent: UInt8 = 0x20

    let harness: PacketHarness
    /// Whose policy decides: `.egress`, pod `a` is the client; `.ingress`, the server.
    var direction = Direction.egress
    var v6 = false
    var port: UInt16
    /// The sequence number of the client's first byte.
    var start: UInt32 = 0xffff_ff00
    /// That of the server's.
    var serverStart: UInt32 = 0x7000_0001

    /// Lends a connection to a port with the rule `a.example.com`, of which nothing has been sent or told yet.
    static func with(
        _ direction: Direction = .egress, v6: Bool = false, _ body: (HelloConnection) throws -> Void
    ) throws {
        try PacketHarness.with { harness throws in
            try harness.serveNames(["a.example.com"], direction)
            try harness.renewRefusals()
            _ = try harness.deniedNames()
            try body(HelloConnection(harness: harness, direction: direction, v6: v6, port: 40_000))
        }
    }

    private var own: IPAddress { PacketWorld.address(1, ipv6: v6) }
    var remote: IPAddress { PacketWorld.address(3, ipv6: v6) }

    func packet(
        fromClient: Bool, sequence: UInt32, acknowledges: UInt32, flags: UInt8, _ data: [UInt8] = []
    ) -> IPPacket {
        let isOwn = fromClient == (direction == .egress)
        var segment = Transport.tcp(
            fromClient ? port : Self.serverPort, fromClient ? Self.serverPort : port, flags: flags)
        segment.replaceSubrange(4..<8, with: sequence.bigEndianBytes)
        segment.replaceSubrange(8..<12, with: acknowledges.bigEndianBytes)
        return IPPacket(isOwn ? own : remote, isOwn ? remote : own, .tcp, segment + data).summed
    }

    @discardableResult
    func send(_ packet: IPPacket) throws -> np_reason { try pass(packet).reason }

    func pass(_ packet: IPPacket) throws -> (reason: np_reason, returned: Int32, frame: [UInt8]) {
        try harness.pass(packet, packet.source == own ? .egress : .ingress)
    }

    /// The handshake: both SYNs and the client's ACK pass.
    func open() throws {
        #expect(try send(syn()) == NP_REASON_ALLOWED)
        #expect(try send(synAck()) == NP_REASON_REPLY)
        #expect(try send(client(0, [])) == NP_REASON_ESTABLISHED)
    }

    func syn(_ data: [UInt8] = []) -> IPPacket {
        packet(fromClient: true, sequence: start &- 1, acknowledges: 0, flags: Flags.syn, data)
    }

    func synAck() -> IPPacket {
        packet(
            fromClient: false, sequence: serverStart &- 1, acknowledges: start, flags: Flags.syn | Flags.ack)
    }

    /// A segment of the client; `offset` counts from its first byte.
    func client(_ offset: Int, _ data: some Collection<UInt8>, flags: UInt8 = 0) -> IPPacket {
        packet(
            fromClient: true, sequence: start &+ UInt32(truncatingIfNeeded: offset), acknowledges: serverStart,
            flags: flags | Flags.ack, Array(data))
    }

    /// A segment of the server, which has got so many bytes.
    func server(acknowledges offset: Int, _ data: [UInt8] = [], flags: UInt8 = 0) -> IPPacket {
        packet(
            fromClient: false, sequence: serverStart, acknowledges: start &+ UInt32(truncatingIfNeeded: offset),
            flags: flags | Flags.ack, data)
    }
}
