import NetTypes
import PolicyAPI
import PolicyIR

/// The ports of rules, each with its destination pods: the subject for ingress, the peers for egress.
struct DestinationPorts {
    /// A port number or name.
    enum Port {
        /// One port number, of these protocols.
        case number(UInt16, [L4Protocol])
        /// A container port's name, for these protocols.
        case named(String, [L4Protocol])
    }

    /// The destination pods of a rule.
    struct Destination {
        /// The classes of the known pods, sorted.
        var classes: [LintCluster.PodClass]
        /// The scope of the pods; `nil` for more than one selector.
        var scope: SubjectScope?
        fileprivate var portsOfClass: [LintCluster.PodClass: [ContainerPort]]

        /// The container ports of the known pods.
        var ports: some Sequence<ContainerPort> { classes.lazy.flatMap { portsOfClass[$0] ?? [] } }
    }

    var port: Port
    var destination: Destination
    /// The path of the port in the object.
    var path: String
    var origin: RuleOrigin

    /// Visits the wanted ones of all single ports and port names of every rule. Egress rules with peers other than pods are skipped:
    /// their destinations are unknown.
    static func forEach(
        in cluster: LintCluster, where isWanted: (Port) -> Bool, _ visit: (DestinationPorts) -> Void
    ) {
        for policy in cluster.objects.networkPolicies {
            guard let number = cluster.numbers[PolicyLowering.origin(of: policy)] else { continue }
            let lowered = cluster.policies[number]
            for direction in policy.policyTypes.sorted(by: { $0 == .ingress && $1 == .egress }) {
                let elements = direction == .ingress ? policy.ingress : policy.egress
                for (index, element) in elements.enumerated() {
                    let ports = wanted(element.ports.map { Port($0) }, isWanted)
                    guard !ports.isEmpty, let rule = lowered[direction]?.rules[index],
                        let destination = destination(rule.peers, direction, number, cluster)
                    else { continue }
                    for (place, port) in ports {
                        visit(
                            DestinationPorts(
                                port: port, destination: destination,
                                path: "\(rule.origin.path).ports[\(place)].port",
                                origin: rule.origin))
                    }
                }
            }
        }
        for policy in cluster.objects.ciliumPolicies {
            for rule in policy.rules {
                let origin = PolicyLowering.origin(of: rule, in: policy)
                guard let number = cluster.numbers[origin] else { continue }
                let scope = CiliumScope(policy, rule)
                for direction in Direction.allCases {
                    for element in direction == .ingress ? rule.ingress : rule.egress {
                        let entries = (element.toPorts.value ?? []).map { entry in
                            (path: entry.path, ports: wanted(entry.ports.map { Port($0) }, isWanted))
                        }
                        guard entries.contains(where: { !$0.ports.isEmpty }) else { continue }
                        let peers = (element.endpoints.value ?? []).map { Peer.endpoints(scope.peer($0)) }
                        guard let destination = destination(.anyOf(peers), direction, number, cluster) else { continue }
                        for entry in entries {
                            for (place, port) in entry.ports {
                                visit(
                                    DestinationPorts(
                                        port: port, destination: destination,
                                        path: "\(entry.path).ports[\(place)].port", origin: origin))
                            }
                        }
                    }
                }
            }
        }
    }

    /// The wanted ones of ports, each with its place in the list.
    private static func wanted(_ ports: [Port?], _ isWanted: (Port) -> Bool) -> [(place: Int, port: Port)] {
        ports.enumerated().compactMap { place, port in
            guard let port, isWanted(port) else { return nil }
            return (place, port)
        }
    }

    private static func destination(
        _ peers: PeerMatch, _ direction: Direction, _ number: Int, _ cluster: LintCluster
    ) -> Destination? {
        if direction == .ingress {
            return Destination(
                classes: cluster.subjects[number], scope: cluster.scopes[number], portsOfClass: cluster.ports)
        }
        guard case .anyOf(let some) = peers, !some.isEmpty else { return nil }
        var classes: [LintCluster.PodClass] = []
        for peer in some {
            switch peer {
            case .pods, .endpoints: classes += cluster.pods(matching: peer)
            case .nodes, .entity, .addresses, .names: return nil
            }
        }
        return Destination(
            classes: classes.sortedOnce, scope: some.count == 1 ? scope(of: some[0]) : nil, portsOfClass: cluster.ports)
    }
}

extension DestinationPorts {
    /// The scope of a peer in one namespace; `nil` for others.
    private static func scope(of peer: Peer) -> SubjectScope? {
        switch peer {
        case .endpoints(let selector): SubjectScope(.endpoints(selector))
        case .pods(.named(let namespace), let selector): SubjectScope(.pods(.named(namespace), selector))
        case .pods(.matching, _), .nodes, .entity, .addresses, .names: nil
        }
    }
}

extension DestinationPorts.Port {
    fileprivate init?(_ port: NetworkPolicyPort) {
        switch port.port {
        case .all: return nil
        case .range(let range):
            guard range.first == range.last else { return nil }
            self = .number(range.first, [port.protocol])
        case .named(let name): self = .named(name, [port.protocol])
        }
    }

    fileprivate init?(_ port: PortProtocol) {
        switch port.port {
        case .all: return nil
        case .range(let range):
            guard range.first == range.last else { return nil }
            self = .number(range.first, port.protocols)
        case .named(let name): self = .named(name, port.protocols)
        }
    }
}
