public import BPFEmit
public import NetTypes
public import PolicyAPI
public import PolicyIR

/// Derives the need for flow state from what the evaluator answers, question by question: it knows no programs, and of rules only
/// whether they ask about more than addresses and ports: then flows are remembered, whatever the answers are.
public struct StateNeedOracle {
    private let evaluator: ReferenceEvaluator
    private let remotes: [RemoteEnd]
    private let traffic: [(protocol: L4Protocol, port: UInt16)]

    /// Asks about all ends of a cluster, addresses in and beside the prefixes of its policies, and an end that nobody knows;
    /// by each with the ports at the bounds of the policies' ranges and those of its pods.
    public init(_ objects: ClusterObjects, policies: [LoweredPolicy], localNode: String, addresses: [IPAddress] = []) {
        evaluator = ReferenceEvaluator(objects, policies: policies, localNode: localNode)
        let rules = policies.flatMap { policy in Direction.allCases.flatMap { policy[$0]?.rules ?? [] } }
        var asked = Set(addresses + objects.pods.flatMap(\.addresses) + objects.nodes.flatMap(\.addresses))
        asked.formUnion(objects.names.values.joined())
        asked.formUnion(rules.flatMap { Self.addresses($0.peers) })
        let view = evaluator.view
        remotes =
            asked.sorted().map { view.remoteEnd(address: $0, seenFrom: localNode) }
            + objects.nodes.filter { $0.metadata.name == localNode }.flatMap(\.addresses).map {
                view.remoteEnd(masqueradedAs: $0)
            } + [RemoteEnd(kind: .contested, address: nil, labels: CiliumLabels(reserved: []))]
        var ports: [L4Protocol: Set<UInt16>] = [:]
        for proto in [.tcp, .udp, .sctp, .icmp, .icmpv6, L4Protocol(rawValue: 47)] { ports[proto] = [0, 65535] }
        for pod in objects.pods { for port in pod.ports { ports[port.protocol, default: []].insert(port.port) } }
        for rule in rules {
            guard case .anyOf(let clauses) = rule.traffic else { continue }
            for case .ports(let proto, let range) in clauses {
                ports[proto, default: []].formUnion([range.first, range.last, range.first &- 1, range.last &+ 1])
            }
        }
        traffic = ports.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap { proto, numbers in
            numbers.sorted().map { (proto, $0) }
        }
    }

    /// The need of both directions of a pod.
    public func needs(of pod: Pod) -> StateNeeds {
        if Direction.allCases.contains(where: { asksMore(of: pod, $0) }) {
            return StateNeeds(ingress: .always, egress: .always)
        }
        let ingress = strictness(of: pod, .ingress)
        let egress = strictness(of: pod, .egress)
        return StateNeeds(ingress: need(ingress, opposite: egress), egress: need(egress, opposite: ingress))
    }

    /// Whether a rule that can match something has L7 conditions, or names among its peers.
    private func asksMore(of pod: Pod, _ direction: Direction) -> Bool {
        evaluator.subjectPolicy(for: pod, direction).rules.contains { rule in
            guard rule.l7 != nil || rule.nameList != nil, rule.peers != .anyOf([]) else { return false }
            guard case .anyOf(let clauses) = rule.traffic else { return true }
            return clauses.contains { if case .ports = $0 { true } else { false } }
        }
    }

    private typealias Refusals = (any: Bool, byDefault: Bool)

    /// Without a refusal in the opposite direction no answer can be lost. Where a direction refuses by default too, most of
    /// what it sees are answers.
    private func need(_ own: Refusals, opposite: Refusals) -> StateNeed {
        if !opposite.any { return .never }
        return own.byDefault ? .always : .mirror
    }

    private func strictness(of pod: Pod, _ direction: Direction) -> Refusals {
        let policy = evaluator.subjectPolicy(for: pod, direction)
        var found: Refusals = (false, false)
        for remote in remotes where remote.pod?.qualifiedName != pod.qualifiedName {
            for (proto, port) in traffic {
                let decision = policy.decide(subject: pod, direction, remote: remote, protocol: proto, port: port)
                if case .allow = decision.verdict { continue }
                found.any = true
                if case .defaultDeny = decision.reason { return (true, true) }
            }
        }
        return found
    }

    /// The ends of each prefix and of its exceptions.
    private static func addresses(_ peers: PeerMatch) -> [IPAddress] {
        guard case .anyOf(let peers) = peers else { return [] }
        return peers.flatMap { peer -> [IPAddress] in
            guard case .addresses(let prefix, let except, _) = peer else { return [] }
            return [prefix.address] + except.map(\.address)
        }
    }
}
