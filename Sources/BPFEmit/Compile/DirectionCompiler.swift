import NetTypes
import PolicyIR

/// Turns what applies to a subject in one direction into bits, and says which peers each bit asks for: rule by rule, in passes.
///
/// Afterwards the bits are in the order of the rules, their traffic is numbers, and a rule that can match nothing has no bit.
/// Who carries a bit is not looked up yet, except where a port's name splits a rule.
struct DirectionCompiler {
    /// Who carries a bit in `peers`.
    struct Carriers: Equatable {
        /// The rule's peers; `nil`: everyone (then a port name narrows it down, or nobody need carry the bit).
        var terms: [IdentityIndex.TermID]?
        /// Only ends that have this port under this number carry it.
        var port: NamedNumber?
        /// The column of names whose addresses carry it as well.
        var column: Int?
    }

    /// The bits, without the host bit: those with L7 conditions first, so that they are in the first word.
    private(set) var bits: [PolicyBits.Bit] = []
    /// By bit.
    private(set) var carriers: [Carriers] = []
    /// Names that egress rules look up on remote ends.
    private(set) var names: Set<TrafficResolver.PortName> = []
    /// Rules, or parts of them, that did not fit.
    private(set) var leftOut: [LeftOutRule] = []
    /// How many bits have L7 conditions.
    private var l7Bits = 0

    /// The bits of a policy's rules in one direction. `peers` has of each rule its distinct peers, `nil` for everyone;
    /// `subject` is the class of the subject's pods: named ports of ingress rules are theirs. `columns` are those of lists of names.
    ///
    /// - Complexity: O(peers and clauses of the rules); an egress rule that names ports also walks the ends that it matches.
    package init(
        _ policy: SubjectPolicy, _ direction: Direction, peers: [[IdentityIndex.TermID]?],
        subject: IdentityIndex.ClassID, columns: [NameList: Int] = [:], in index: inout IdentityIndex
    ) {
        for (number, (rule, terms)) in zip(policy.rules, peers).enumerated() {
            // 1. Resolved peers: terms of the index. A rule for nobody has no bit.
            let list = rule.nameList
            let column = list.flatMap { columns[$0] }
            if list != nil, column == nil { leftOut.append(LeftOutRule(origin: rule.origin, reason: .columns)) }
            if let terms, terms.isEmpty, column == nil { continue }
            // 2. Resolve traffic: numbers, sorted and joined, and the names that are left.
            let traffic = TrafficResolver.split(rule.traffic)
            let coversTCP = rule.traffic.coversTCPOfUDP
            switch direction {
            case .ingress:
                // 3. Names are ports of the subject itself: one bit with their numbers.
                let numbers = traffic.resolved { index.ports(ofClass: subject, named: $0.name, $0.protocol) }
                add(number, rule, numbers, Carriers(terms: terms, column: column), coversTCP)
            case .egress:
                add(number, rule, traffic.plain, Carriers(terms: terms, column: column), coversTCP)
                // 4. Names are ports of the remote ends: one bit for each number that an end has one under.
                guard !traffic.names.isEmpty else { continue }
                names.formUnion(traffic.names)
                for port in NamedNumber.all(of: traffic.names, at: Self.remotes(terms, in: &index), in: index) {
                    add(number, rule, [port.traffic], Carriers(terms: terms, port: port), coversTCP)
                }
                // An end that nobody knows, a peer of every deny rule, may have the name under any number.
                if rule.action == .deny {
                    let protocols = Set(traffic.names.map(\.protocol)).sorted()
                    let all = protocols.map { PolicyBits.ResolvedTraffic($0, .all) }
                    add(number, rule, all, Carriers(terms: []), coversTCP)
                }
            }
        }
    }

    /// The live remotes that a rule's peers match, some several times; for everyone, the pods.
    static func remotes(_ terms: [IdentityIndex.TermID]?, in index: inout IdentityIndex) -> [IdentityIndex.RemoteID] {
        guard let terms else { return index.podRemotes }
        var found: [IdentityIndex.RemoteID] = []
        for term in terms { found += index.matches(of: term) }
        return found
    }

    /// Adds a bit of a rule, unless no packet is left for it.
    private mutating func add(
        _ number: Int, _ rule: PolicyRule, _ traffic: [PolicyBits.ResolvedTraffic]?, _ carriers: Carriers,
        _ coversTCP: Bool
    ) {
        if traffic?.isEmpty == true { return }
        let isL7 = rule.l7 != nil
        if isL7, l7Bits == 64 {
            let omission = LeftOutRule(origin: rule.origin, reason: .l7Bits)
            if leftOut.last != omission { leftOut.append(omission) }
            return
        }
        let bit = PolicyBits.Bit(
            rule: RuleBit(
                rule: number, action: rule.action, isL7: isL7, origin: rule.origin, l7: rule.l7,
                coversTCP: coversTCP),
            tier: rule.tier, priority: rule.priority, order: rule.order,
            matchesAnyPeer: carriers.terms == nil && carriers.port == nil, traffic: traffic)
        let place = isL7 ? l7Bits : bits.count
        bits.insert(bit, at: place)
        self.carriers.insert(carriers, at: place)
        if isL7 { l7Bits += 1 }
    }
}
