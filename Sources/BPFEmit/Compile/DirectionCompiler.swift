import PolicyIR

/// Turns what applies to a subject in one direction into bits, and says which peers each bit asks for.
struct DirectionCompiler {
    /// Who carries a bit in `peers`.
    struct Carriers {
        /// The rule's peers; `nil`: everyone (then a port name narrows it down, or nobody need carry the bit).
        var terms: [IdentityIndex.TermID]?
        /// Only ends that have this port under this number carry it.
        var port: NamedNumber?
    }

    /// A named port that has a number.
    struct NamedNumber: Hashable, Comparable {
        var name: TrafficResolver.PortName
        var number: UInt16

        static func < (left: NamedNumber, right: NamedNumber) -> Bool {
            (left.number, left.name.protocol, left.name.name) < (right.number, right.name.protocol, right.name.name)
        }
    }

    /// The bits, without the host bit.
    var bits: [PolicyBits.Bit] = []
    /// By bit.
    var carriers: [Carriers] = []
    /// Names that egress rules look up on remote ends.
    var names: Set<TrafficResolver.PortName> = []

    /// - Parameters:
    ///   - peers: of each rule its distinct peers; `nil`: everyone.
    ///   - subject: the class of the subject's pods: named ports of ingress rules are theirs.
    init(
        _ policy: SubjectPolicy, _ direction: Direction, peers: [[IdentityIndex.TermID]?],
        subject: IdentityIndex.ClassID, in index: inout IdentityIndex
    ) {
        for (number, (rule, terms)) in zip(policy.rules, peers).enumerated() {
            // Without peers the rule can never match.
            if let terms, terms.isEmpty { continue }
            let traffic = TrafficResolver.split(rule.traffic)
            var plain = traffic.plain
            if direction == .ingress {
                for name in traffic.names {
                    let numbers = index.ports(ofClass: subject, named: name.name, name.protocol)
                    plain? += numbers.map { PolicyBits.ResolvedTraffic(name.protocol, PortRange($0)) }
                }
                plain = plain.map(TrafficResolver.merged)
            }
            if plain.map({ !$0.isEmpty }) ?? true { add(number, rule, plain, Carriers(terms: terms, port: nil)) }
            guard direction == .egress, !traffic.names.isEmpty else { continue }
            names.formUnion(traffic.names)
            addNamed(number, rule, traffic.names, terms, in: &index)
            // An end that nobody knows, a peer of every deny rule, may have the name under any number.
            if rule.action == .deny {
                let all = Set(traffic.names.map(\.protocol)).sorted().map { PolicyBits.ResolvedTraffic($0, .all) }
                add(number, rule, all, Carriers(terms: [], port: nil))
            }
        }
    }

    /// One bit for each number that some end has one of the names under.
    private mutating func addNamed(
        _ number: Int, _ rule: PolicyRule, _ names: [TrafficResolver.PortName], _ terms: [IdentityIndex.TermID]?,
        in index: inout IdentityIndex
    ) {
        var found: Set<NamedNumber> = []
        for remote in DirectionCompiler.remotes(terms, in: &index) {
            guard let podClass = index.podClass(of: remote) else { continue }
            for name in names {
                for port in index.ports(ofClass: podClass, named: name.name, name.protocol) {
                    found.insert(NamedNumber(name: name, number: port))
                }
            }
        }
        for port in found.sorted() {
            add(
                number, rule, [PolicyBits.ResolvedTraffic(port.name.protocol, PortRange(port.number))],
                Carriers(terms: terms, port: port))
        }
    }

    /// The live remotes that a rule's peers match, some several times; for everyone, the pods.
    static func remotes(_ terms: [IdentityIndex.TermID]?, in index: inout IdentityIndex) -> [IdentityIndex.RemoteID] {
        guard let terms else { return index.podRemotes }
        var found: [IdentityIndex.RemoteID] = []
        for term in terms { found += index.matches(of: term) }
        return found
    }

    private mutating func add(
        _ number: Int, _ rule: PolicyRule, _ traffic: [PolicyBits.ResolvedTraffic]?, _ carriers: Carriers
    ) {
        bits.append(
            PolicyBits.Bit(
                rule: RuleBit(rule: number, action: rule.action, isL7: rule.l7 != nil, origin: rule.origin),
                tier: rule.tier, priority: rule.priority, order: rule.order,
                matchesAnyPeer: carriers.terms == nil && carriers.port == nil, traffic: traffic))
        self.carriers.append(carriers)
    }
}
