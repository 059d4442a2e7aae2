import PolicyAPI

/// A change of how policies are written that must change no verdict.
public struct Rewrite: Sendable {
    /// What is done, for messages.
    public let name: String
    /// Whether it is of no use with policies of other tiers: those are left out.
    public var isOfNormalTier = false
    /// Does it.
    let change: @Sendable (inout RandomCluster, inout SplitMix64) -> Void

    /// The cluster that is rewritten: the given one, or what the rewriting knows of it.
    public func before(_ cluster: RandomCluster) -> RandomCluster {
        guard isOfNormalTier else { return cluster }
        var normal = cluster
        normal.extra = []
        return normal
    }

    /// The cluster, rewritten.
    public func after(_ cluster: RandomCluster, seed: UInt64) -> RandomCluster {
        var random = SplitMix64(seed: seed)
        var rewritten = before(cluster)
        change(&rewritten, &random)
        return rewritten
    }

    /// All of them.
    public static let all: [Rewrite] = [
        Rewrite(name: "port ranges split", change: { $0.splitPorts(&$1) }),
        Rewrite(name: "port ranges merged", change: { cluster, _ in cluster.mergePorts() }),
        Rewrite(name: "objects, rules, peers and ports permuted", change: { $0.permute(&$1) }),
        Rewrite(
            name: "labels and namespaces renamed", isOfNormalTier: true,
            change: { cluster, _ in cluster.rename(Renaming()) }),
        Rewrite(name: "policies written twice", change: { cluster, _ in cluster.duplicatePolicies() }),
        Rewrite(name: "a policy for each rule", change: { cluster, _ in cluster.splitPolicies() }),
        Rewrite(name: "a rule for each peer", change: { cluster, _ in cluster.splitPeers() }),
        Rewrite(name: "prefixes split into halves", change: { cluster, _ in cluster.halvePrefixes() }),
    ]
}

extension RandomCluster {
    /// Writes each range of ports as two.
    mutating func splitPorts(_ random: inout SplitMix64) {
        var source = random
        changePorts { PortRewriting.split($0, &source) }
        random = source
    }

    /// Writes ranges of ports that touch or overlap as one.
    mutating func mergePorts() { changePorts(PortRewriting.merged) }

    /// Replaces every list of ports of every policy.
    mutating func changePorts(_ change: ([PortRewriting.Item]) -> [PortRewriting.Item]) {
        changeNetworkRules { rule in
            rule.ports = change(rule.ports.map { .init(protocols: [$0.protocol], port: .init($0.port)) }).flatMap {
                item in
                item.protocols.map { NetworkPolicyPort(protocol: $0, port: item.port.network) }
            }
        }
        changeElements { element in
            guard let entries = element.toPorts.value else { return }
            element.toPorts = .some(
                entries.map { entry in
                    var entry = entry
                    entry.ports = change(entry.ports.map { .init(protocols: $0.protocols, port: $0.port) })
                        .map { PortProtocol(protocols: $0.protocols, port: $0.port) }
                    return entry
                })
        }
    }

    /// Changes every rule of every NetworkPolicy.
    mutating func changeNetworkRules(_ change: (inout NetworkPolicyRule) -> Void) {
        for index in objects.networkPolicies.indices {
            for rule in objects.networkPolicies[index].ingress.indices {
                change(&objects.networkPolicies[index].ingress[rule])
            }
            for rule in objects.networkPolicies[index].egress.indices {
                change(&objects.networkPolicies[index].egress[rule])
            }
        }
    }

    /// Changes every element of every Cilium policy.
    mutating func changeElements(_ change: (inout CiliumElement) -> Void) {
        changeElementLists { elements in
            for index in elements.indices { change(&elements[index]) }
        }
    }

    /// Changes every list of elements of every Cilium policy.
    mutating func changeElementLists(_ change: (inout [CiliumElement]) -> Void) {
        for index in objects.ciliumPolicies.indices {
            for rule in objects.ciliumPolicies[index].rules.indices {
                change(&objects.ciliumPolicies[index].rules[rule].ingress)
                change(&objects.ciliumPolicies[index].rules[rule].ingressDeny)
                change(&objects.ciliumPolicies[index].rules[rule].egress)
                change(&objects.ciliumPolicies[index].rules[rule].egressDeny)
            }
        }
    }
}
