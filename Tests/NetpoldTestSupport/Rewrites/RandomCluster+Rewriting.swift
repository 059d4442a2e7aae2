import NetTypes
import PolicyAPI

extension RandomCluster {
    /// Puts everything whose order means nothing into another order.
    mutating func permute(_ random: inout SplitMix64) {
        objects.pods.shuffle(using: &random)
        objects.namespaces.shuffle(using: &random)
        objects.nodes.shuffle(using: &random)
        objects.cidrGroups.shuffle(using: &random)
        objects.services.shuffle(using: &random)
        objects.endpointSlices.shuffle(using: &random)
        objects.networkPolicies.shuffle(using: &random)
        objects.ciliumPolicies.shuffle(using: &random)
        extra.shuffle(using: &random)
        for index in objects.networkPolicies.indices {
            objects.networkPolicies[index].ingress.shuffle(using: &random)
            objects.networkPolicies[index].egress.shuffle(using: &random)
        }
        changeNetworkRules { rule in
            rule.peers.shuffle(using: &random)
            rule.ports.shuffle(using: &random)
        }
        changeElementLists { $0.shuffle(using: &random) }
        changeElements { element in
            element.endpoints.shuffle(&random)
            element.entities.shuffle(&random)
            element.nodes.shuffle(&random)
            element.icmps.shuffle(&random)
            element.toPorts.shuffle(&random)
        }
    }

    /// Writes every policy of the normal tier once more.
    mutating func duplicatePolicies() {
        objects.networkPolicies += objects.networkPolicies.map { policy in
            var copy = policy
            copy.metadata.name = "again-\(policy.metadata.name)"
            return copy
        }
        objects.ciliumPolicies += objects.ciliumPolicies.map { policy in
            var copy = policy
            copy.metadata.name = "again-\(policy.metadata.name)"
            return copy
        }
    }

    /// Writes a policy for each rule. One without rules stays, and each other isolates in the same directions.
    mutating func splitPolicies() {
        objects.networkPolicies = objects.networkPolicies.flatMap { policy in
            var parts: [NetworkPolicy] = []
            func part(_ change: (inout NetworkPolicy) -> Void) {
                var one = policy
                one.metadata.name += "-\(parts.count)"
                (one.ingress, one.egress) = ([], [])
                change(&one)
                parts.append(one)
            }
            for rule in policy.ingress { part { $0.ingress = [rule] } }
            for rule in policy.egress { part { $0.egress = [rule] } }
            return parts.isEmpty ? [policy] : parts
        }
        // Of an object that lowering refuses, every rule stands for nothing but the refusal.
        let refused = Set(policies.filter(\.origin.isRefused).map(\.origin.name))
        objects.ciliumPolicies = objects.ciliumPolicies.flatMap { policy in
            guard !refused.contains(policy.metadata.name) else { return [policy] }
            var parts: [CiliumPolicy] = []
            func part(_ change: (inout CiliumRule) -> Void) {
                var one = policy
                one.metadata.name += "-\(parts.count)"
                for index in one.rules.indices {
                    (one.rules[index].ingress, one.rules[index].ingressDeny) = ([], [])
                    (one.rules[index].egress, one.rules[index].egressDeny) = ([], [])
                    change(&one.rules[index])
                }
                parts.append(one)
            }
            for rule in policy.rules {
                for element in rule.ingress { part { $0.ingress = [element] } }
                for element in rule.ingressDeny { part { $0.ingressDeny = [element] } }
                for element in rule.egress { part { $0.egress = [element] } }
                for element in rule.egressDeny { part { $0.egressDeny = [element] } }
            }
            return parts
        }
    }

    /// Writes a rule for each peer: alternatives of one list mean the same as rules.
    mutating func splitPeers() {
        func split(_ rules: [NetworkPolicyRule]) -> [NetworkPolicyRule] {
            rules.flatMap { rule in
                rule.peers.isEmpty
                    ? [rule] : rule.peers.map { NetworkPolicyRule(peers: [$0], ports: rule.ports, path: rule.path) }
            }
        }
        for index in objects.networkPolicies.indices {
            objects.networkPolicies[index].ingress = split(objects.networkPolicies[index].ingress)
            objects.networkPolicies[index].egress = split(objects.networkPolicies[index].egress)
        }
        changeElementLists { elements in
            elements = elements.flatMap { element in
                guard let selectors = element.endpoints.value, selectors.count > 1 else { return [element] }
                return selectors.map { selector in
                    var one = element
                    one.endpoints = .some([selector])
                    return one
                }
            }
        }
    }

    /// Writes each prefix as its two halves.
    mutating func halvePrefixes() {
        changeNetworkRules { rule in
            rule.peers = rule.peers.flatMap { peer -> [NetworkPolicyPeer] in
                guard case .ipBlock(let cidr, let except) = peer, let halves = cidr.halves else { return [peer] }
                return halves.map { half in .ipBlock(cidr: half, except: except.inside(half)) }
            }
        }
        changeElements { element in
            if let cidrs = element.cidrs.value { element.cidrs = .some(cidrs.flatMap { $0.halves ?? [$0] }) }
            guard let set = element.cidrSet.value else { return }
            element.cidrSet = .some(
                set.flatMap { entry -> [CIDRRule] in
                    guard case .prefix(let cidr) = entry.source, let halves = cidr.halves else { return [entry] }
                    return halves.map { CIDRRule(source: .prefix($0), except: entry.except.inside($0)) }
                })
        }
    }
}

extension IPPrefix {
    /// The two halves; `nil` for one address.
    var halves: [IPPrefix]? {
        guard mappedLength < 128 else { return nil }
        let bit = 127 - mappedLength
        let upper = IPAddress(
            high: bit >= 64 ? address.high | 1 << UInt64(bit - 64) : address.high,
            low: bit < 64 ? address.low | 1 << UInt64(bit) : address.low)
        let halves = [address, upper].compactMap { IPPrefix($0, length: length + 1) }
        // The upper half of a prefix of IPv6 that covers the mapped range must stay IPv6.
        return halves.allSatisfy { $0.isIPv4 == isIPv4 } ? halves : nil
    }
}

extension [IPPrefix] {
    /// The exceptions of a prefix that concern one half of it: one that covers the half leaves nothing of it.
    fileprivate func inside(_ half: IPPrefix) -> [IPPrefix] {
        filter { half.contains($0) }
    }
}

extension Presence {
    /// Puts a list that is written into another order.
    fileprivate mutating func shuffle<Element>(_ random: inout SplitMix64) where Value == [Element] {
        if let list = value { self = .some(list.shuffled(using: &random)) }
    }
}
