public import NetTypes
public import PolicyIR

/// Counts which kinds of rules decide flows: a comparison of random flows is worth what they reach.
public struct RuleReach {
    /// How many sides of flows each kind has decided; kinds in words, for example `deny by CIDR with except`.
    public private(set) var counts: [String: Int] = [:]
    /// Sides of flows seen.
    public private(set) var total = 0

    /// Nothing seen yet.
    public init() {}

    /// Counts one answer. `remote` is the other end as the answering pod sees it.
    public mutating func count(
        _ decision: SideDecision, _ policy: SubjectPolicy, remote: RemoteEnd, protocol: L4Protocol, port: UInt16
    ) {
        total += 1
        let numbers: [Int]
        switch decision.reason {
        case .rule(let number, _): numbers = [number]
        case .l7Rules(let all, _): numbers = [all[0]]
        case .localNode, .itself, .noPolicyHere: numbers = []
        case .notIsolated:
            numbers = []
            add(policy.rules.isEmpty ? "no policy" : "rules that isolate nothing")
        case .defaultDeny:
            numbers = []
            add("default deny")
        }
        for number in numbers { count(policy.rules[number], remote, `protocol`, port) }
        add(decision.verdict == .deny ? "denied" : "not denied")
        let last = numbers.first.map { policy.rules[$0].tier } ?? .baseline
        let passes = policy.rules.contains {
            $0.action == .pass && $0.tier < last && $0.peers.matches(remote)
                && $0.traffic.matches(protocol: `protocol`, port: port) { _, _ in [] }
        }
        if passes { add("passed on to a later tier") }
    }

    private mutating func count(_ rule: PolicyRule, _ remote: RemoteEnd, _ wanted: L4Protocol, _ port: UInt16) {
        let verb = rule.l7 != nil ? "L7" : rule.action == .deny ? "deny" : "allow"
        add("\(verb) in tier \(rule.tier)")
        switch rule.peers {
        case .everyone: add("\(verb) by everyone")
        case .anyOf(let peers):
            for kind in Set(peers.filter { $0.matches(remote) }.map(RuleReach.kind)) { add("\(verb) by \(kind)") }
        }
        guard case .anyOf(let clauses) = rule.traffic else { return add("\(verb) by no port") }
        let kinds = clauses.compactMap { clause -> String? in
            switch clause {
            case .named: return "a rule with a named port"
            case .ports(wanted, .all): return "every port"
            case .ports(wanted, let range) where range.contains(port):
                return wanted.isICMP ? "ICMP type" : range.first == range.last ? "one port" : "port range"
            case .ports: return nil
            }
        }
        for kind in Set(kinds) { add("\(verb) by \(kind)") }
    }

    private static func kind(of peer: Peer) -> String {
        switch peer {
        case .pods(.named, _): "pods"
        case .pods(.matching, _): "pods of namespaces"
        case .endpoints: "endpoints"
        case .nodes: "nodes"
        case .entity: "entity"
        case .names: "names"
        case .addresses(let prefix, _, _) where RandomCluster.groupPrefixes.contains(prefix): "CIDR group"
        case .addresses(_, let except, let space):
            (space == .everywhere ? "ipBlock" : "CIDR") + (except.isEmpty ? "" : " with except")
        }
    }

    private mutating func add(_ kind: String) { counts[kind, default: 0] += 1 }
}
