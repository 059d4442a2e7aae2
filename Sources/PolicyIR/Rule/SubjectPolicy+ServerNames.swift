import NetTypes
import PolicyAPI

extension SubjectPolicy {
    /// Rules in which server names are mandatory for their peer and port: plain allow rules lose the same peer with the same port
    /// of the same tier.
    ///
    /// "SNI lists are unioned (an empty list does not widen: any rule with SNI makes SNI mandatory for S)" (spec/cilium 8.4, row
    /// 77). The same peer is one that is written the same, and the same port one with the same number, end or name: other rules for
    /// the same addresses stay a union.
    static func requiringServerNames(_ rules: [PolicyRule]) -> [PolicyRule] {
        let named = rules.filter(\.asksForServerName)
        if named.isEmpty { return rules }
        return rules.flatMap { rule in
            named.reduce([rule]) { parts, names in parts.flatMap { $0.parts(without: names) } }
        }
    }
}

extension PolicyRule {
    /// Whether it admits connections for their server name.
    package var asksForServerName: Bool {
        if action == .allow, case .serverNames? = l7 { true } else { false }
    }

    /// The rule without what it has in common with one of server names, in up to two parts; itself when that is nothing.
    package func parts(without names: PolicyRule) -> [PolicyRule] {
        guard action == .allow, l7 == nil, tier == names.tier, priority == names.priority,
            case .anyOf(let clauses) = traffic, case .anyOf(let taken) = names.traffic
        else { return [self] }
        let left = clauses.filter { !taken.contains($0) }
        guard left.count < clauses.count else { return [self] }
        let common: PeerMatch
        let others: PeerMatch
        switch (peers, names.peers) {
        case (.everyone, .everyone):
            common = .everyone
            others = .anyOf([])
        case (.anyOf(let own), .anyOf(let theirs)):
            let named = Set(theirs.map(\.withoutPlaces))
            common = .anyOf(own.filter { named.contains($0.withoutPlaces) })
            others = .anyOf(own.filter { !named.contains($0.withoutPlaces) })
        case (.everyone, .anyOf), (.anyOf, .everyone):
            return [self]
        }
        if common == .anyOf([]) { return [self] }
        var parts: [PolicyRule] = []
        if others != .anyOf([]) {
            var part = self
            part.peers = others
            parts.append(part)
        }
        if !left.isEmpty {
            var part = self
            part.peers = common
            part.traffic = .anyOf(left)
            parts.append(part)
        }
        return parts
    }
}

extension Peer {
    /// The peer as it is written, wherever that is: two with equal conditions in any order are the same.
    fileprivate var withoutPlaces: Peer {
        switch self {
        case .pods(let scope, let selector): .pods(scope.withoutPlaces, selector.withoutPlaces)
        case .endpoints(let selector): .endpoints(selector.withoutPlaces)
        case .nodes(let selector): .nodes(selector.withoutPlaces)
        case .entity, .addresses, .names: self
        }
    }
}

extension NamespaceScope {
    fileprivate var withoutPlaces: NamespaceScope {
        switch self {
        case .named: self
        case .matching(let selector): .matching(selector.withoutPlaces)
        }
    }
}

extension LabelSelector {
    fileprivate var withoutPlaces: LabelSelector {
        let conditions = requirements.map { condition in
            LabelRequirement(
                source: condition.source, key: condition.key, operator: condition.operator,
                values: condition.values.sorted())
        }
        return LabelSelector(
            Set(conditions).sorted {
                ($0.source, $0.key, $0.operator.rawValue, "\($0.values)") < (
                    $1.source, $1.key, $1.operator.rawValue, "\($1.values)"
                )
            })
    }
}
