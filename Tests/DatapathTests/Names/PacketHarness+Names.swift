import BPFEmit
import CNetpoldABI
import Glibc
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Support
import Testing

@testable import Datapath

/// The names of the little cluster: who resolves, and what pod a's policy says of names.
enum NameWorld {
    /// Base of the counters of pod a's egress policy.
    static let base: UInt32 = 64
    static let revision: UInt32 = 2
    static let number: UInt32 = 9
    static let port: UInt16 = 53
    /// Names that may be asked for.
    static let asked = NamePattern(.pattern("*.example.com"), for: .queries)
    /// Names to whose addresses pod a may talk: column 0, and column 3.
    static let first = NamePattern(.name("www.example.com"))
    static let second = NamePattern(.pattern("*.cdn.example.com"))

    static func options(
        refusal: UInt32 = 5, leastTTL: UInt32 = 0, dropsInexact: UInt32 = 0, ranges: [IPPrefix] = []
    ) -> np_name_options {
        var options = np_name_options()
        options.refusal = refusal
        options.least_ttl = leastTTL
        options.drops_inexact = dropsInexact
        options.setRanges(ranges)
        return options
    }

    /// The pod of another node that resolves.
    static func resolver(v6: Bool) -> IPAddress { PacketWorld.address(3, ipv6: v6) }
    static func pod(_ pod: PacketWorld.Pod, v6: Bool) -> IPAddress { PacketWorld.address(pod.rawValue, ipv6: v6) }
    /// Addresses outside.
    static func outside(_ number: UInt32, v6: Bool = false) -> IPAddress {
        v6
            ? IPAddress(high: 0x2a00_1450_0000_0000, low: UInt64(number))
            : IPAddress(ipv4: 0xc633_6400 + number)
    }

    /// What a pod has learnt of an address.
    struct Learnt: Equatable {
        var columns: UInt32
        /// Of the first column, seconds.
        var expires: UInt32
    }

    static func query(
        _ message: [UInt8], v6: Bool = false, from pod: PacketWorld.Pod = .a, port: UInt16 = 40000
    ) -> IPPacket {
        IPPacket(
            Self.pod(pod, v6: v6), resolver(v6: v6), .udp, Transport.udp(port, NameWorld.port, payload: message)
        ).summed
    }

    static func answer(
        _ message: [UInt8], v6: Bool = false, to pod: PacketWorld.Pod = .a, port: UInt16 = 40000
    ) -> IPPacket {
        IPPacket(
            resolver(v6: v6), Self.pod(pod, v6: v6), .udp, Transport.udp(NameWorld.port, port, payload: message)
        ).summed
    }

    /// A packet to an address outside, as connections begin.
    static func syn(to address: IPAddress, from pod: PacketWorld.Pod = .a, port: UInt16 = 50000) -> IPPacket {
        IPPacket(
            Self.pod(pod, v6: !address.isIPv4), address, .tcp,
            Transport.tcp(port, 443, flags: Transport.TCPFlags.syn))
    }
}

extension PacketHarness {
    /// Takes everything about names away.
    func removeNames() throws {
        names = [:]
        for entry in try map("np_name_rules").entries(key: np_name_rule_key(), value: np_name_rule()) {
            try map("np_name_rules").remove(entry.key)
        }
        for entry in try map("np_learnt").entries(key: np_learnt_key(), value: np_learnt()) {
            try map("np_learnt").remove(entry.key)
        }
        try map("np_name_revision").set(UInt32(0), np_name_revision())
        try map("np_name_options").set(UInt32(0), np_name_options())
        try map("np_learnt_shares").set(UInt32(NP_MAX_ENDPOINTS), np_learnt_share())
        for pod in Pod.allCases {
            try map("np_learnt_shares").set(pod.rawValue, np_learnt_share())
            try clearPending(of: pod)
            try renewRefusals(of: pod)
        }
        _ = try nameEvents()
    }

    /// Writes an automaton into the bank of a revision.
    func write(_ automaton: NameAutomaton, revision: UInt32) throws {
        let bank = (revision & 1) * UInt32(NP_MAX_NAME_STATES)
        for state in 0..<automaton.stateCount {
            var row = np_name_state()
            withUnsafeMutableBytes(of: &row.next) { bytes in
                for number in 0..<NameClass.count {
                    bytes.storeBytes(
                        of: automaton.next[state * NameClass.count + number], toByteOffset: 2 * number, as: UInt16.self)
                }
            }
            row.set = automaton.sets[state]
            try map("np_names").set(bank + UInt32(state), row)
        }
    }

    /// Puts an automaton into the bank of a revision, and what its name sets satisfy; then into force.
    func put(
        _ patterns: [NamePattern], rules: [Int: UInt64], columns: [Int: UInt32], revision: UInt32 = NameWorld.revision,
        base: UInt32 = NameWorld.base
    ) throws {
        let automaton = NameAutomaton(patterns)
        try write(automaton, revision: revision)
        let ruleMap = try map("np_name_rules")
        for (set, members) in automaton.patterns.enumerated() {
            let satisfied = members.reduce(UInt64(0)) { $0 | rules[$1, default: 0] }
            let held = members.reduce(UInt32(0)) { $0 | columns[$1, default: 0] }
            let key = np_name_rule_key(owner: base | UInt32(NP_NAME_QUERIES), revision: revision, set: UInt32(set))
            if satisfied != 0 { try ruleMap.set(key, np_name_rule(rules: satisfied, columns: 0, pad: 0)) }
            let owner = NP_NAME_COLUMNS | NameWorld.number
            let columnKey = np_name_rule_key(owner: owner, revision: revision, set: UInt32(set))
            if held != 0 { try ruleMap.set(columnKey, np_name_rule(rules: 0, columns: held, pad: 0)) }
        }
        let all = np_name_rule_key(owner: base, revision: 0, set: NP_NAME_SET_DNS)
        try ruleMap.set(all, np_name_rule(rules: rules.values.reduce(0, |), columns: 0, pad: 0))
        try map("np_name_revision").set(UInt32(0), np_name_revision(number: revision))
    }

    /// Gives pod a a policy of names: it may ask the resolver for `NameWorld.asked`, and talk to addresses of column 0 at TCP 443 by
    /// `columns`, a program that is told them.
    func restrictNames(_ egress: PacketPolicy? = nil) throws {
        names[.a] = NameWorld.number
        try raise(NP_STATE_ALWAYS, .egress)
        try raise(NP_STATE_ALWAYS, .ingress)
        try put(
            [NameWorld.asked, NameWorld.first, NameWorld.second], rules: [0: 1],
            columns: [1: 1, 2: 8])
        let dns = PacketPolicy.Rule(
            identity: PacketWorld.identityC, protocol: .udp, ports: PortRange(NameWorld.port), isL7: true)
        try set(egress ?? .only(dns), .egress, hitBase: NameWorld.base)
    }

    /// A program that leaves UDP to `verdict` (NP_VERDICT_L7, or NP_VERDICT_ALLOW_READ), and allows what else goes to addresses of a
    /// column, which is its bit 0.
    static func columnProgram(_ verdict: np_verdict = NP_VERDICT_L7, column: Int32 = 1) -> EncodedProgram {
        typealias Asm = AssembledProgram
        func place(_ register: Int32) -> Int16 { Int16(NP_CB_OFFSET) + 4 * Int16(register) }
        let denied = NP_VERDICT_DENY.rawValue | NP_DECISION_DEFAULT_DENY.rawValue << UInt32(NP_CB_DECISION_SHIFT)
        func store(_ register: Int32, _ value: Int32) -> [UInt64] {
            [
                Asm.instruction(0xb7, destination: 4, immediate: value),
                Asm.instruction(0x63, destination: 1, source: 4, offset: place(register)),
            ]
        }
        return EncodedProgram(
            instructions: [
                Asm.instruction(0x61, destination: 2, source: 1, offset: place(NP_CB_VERDICT)),
                Asm.instruction(0x61, destination: 3, source: 1, offset: place(NP_CB_TRAFFIC)),
                Asm.instruction(0x77, destination: 3, immediate: NP_CB_PROTOCOL_SHIFT),
                Asm.instruction(0x15, destination: 3, offset: 5, immediate: 17),
                Asm.instruction(0x45, destination: 2, offset: 2, immediate: column),
                Asm.instruction(0xb7, destination: 4, immediate: Int32(bitPattern: denied)),
                Asm.instruction(0x05, offset: 3),
                Asm.instruction(0xb7, destination: 4, immediate: Int32(NP_VERDICT_ALLOW.rawValue)),
                Asm.instruction(0x05, offset: 1),
                Asm.instruction(0xb7, destination: 4, immediate: Int32(verdict.rawValue)),
                Asm.instruction(0x63, destination: 1, source: 4, offset: place(NP_CB_VERDICT)),
            ] + store(NP_CB_IDENTITY, 1) + store(NP_CB_TRAFFIC, 0) + store(NP_CB_BASE, Int32(NameWorld.base)) + [
                Asm.instruction(0xb7), Asm.exit,
            ], mapReferences: [])
    }

    /// As `restrictNames`, by `columnProgram`.
    func restrictByColumns(_ verdict: np_verdict = NP_VERDICT_L7) throws {
        try restrictNames()
        try set(program: PacketHarness.columnProgram(verdict), .egress)
        try bump(.a)
    }

    /// The records about names that nobody has read yet.
    func nameEvents() throws -> [np_name_event] {
        let events = try map("np_name_events")
        let ring = try RingBuffer(map: events.fd, name: "np_name_events")
        var found: [np_name_event] = []
        try ring.take(limit: 100_000) { found.append($0.loadUnaligned(as: np_name_event.self)) }
        return found
    }

    /// The columns that a pod has learnt of an address, and until when the first of them holds.
    func learnt(_ address: IPAddress, by pod: Pod = .a) throws -> NameWorld.Learnt? {
        let key = np_learnt_key(address: np_address(address), endpoint: pod.rawValue)
        guard let value = try map("np_learnt").value(of: key, initial: np_learnt()) else { return nil }
        return withUnsafeBytes(of: value.expires) { bytes in
            let column = value.columns.trailingZeroBitCount
            return .init(
                columns: value.columns,
                expires: column < 32 ? bytes.load(fromByteOffset: 4 * column, as: UInt32.self) : 0)
        }
    }

    /// Forgets the queries that a pod waits for.
    func clearPending(of pod: Pod = .a) throws {
        for set in 0..<UInt32(NP_PENDING_SETS) {
            try map("np_pending").set(pod.rawValue * UInt32(NP_PENDING_SETS) + set, np_pending_set())
        }
    }

    /// Seconds of the names' clock.
    func nameClock() -> UInt32 { MonotonicClock.seconds }

    /// What became of a pod's answers.
    func learntShare(of pod: Pod = .a) throws -> np_learnt_share {
        try map("np_learnt_shares").value(of: pod.rawValue, initial: np_learnt_share()) ?? np_learnt_share()
    }
}
