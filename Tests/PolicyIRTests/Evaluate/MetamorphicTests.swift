import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

/// The laws of docs/spec/network-policy.md 3.6 on random clusters: they need no oracle.
struct MetamorphicTests {
    private static let seeds = Array(UInt64(1)...12)

    @Test("adding a rule, a peer or a port never takes a flow away", arguments: seeds)
    func additions(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let cluster = SmallCluster(&random)
        let before = SmallCluster.allowed(cluster.objects)
        let index = Int.random(in: 0..<cluster.objects.networkPolicies.count, using: &random)

        var moreRules = cluster.objects
        moreRules.networkPolicies[index].ingress.append(SmallCluster.rule(9, &random))
        moreRules.networkPolicies[index].egress.append(SmallCluster.rule(9, &random))
        #expect(SmallCluster.allowed(moreRules).isSuperset(of: before))

        // A list that is empty means everything: only a written list can grow.
        var moreItems = cluster.objects
        for rule in moreItems.networkPolicies[index].ingress.indices {
            if !moreItems.networkPolicies[index].ingress[rule].peers.isEmpty {
                moreItems.networkPolicies[index].ingress[rule].peers.append(SmallCluster.peer(&random))
            }
            if !moreItems.networkPolicies[index].ingress[rule].ports.isEmpty {
                moreItems.networkPolicies[index].ingress[rule].ports.append(SmallCluster.port(&random))
            }
        }
        #expect(SmallCluster.allowed(moreItems).isSuperset(of: before))
    }

    @Test("adding a policy takes flows from pods that it isolates first, and from no isolated pod", arguments: seeds)
    func morePolicies(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let cluster = SmallCluster(&random)
        // Every pod is isolated in both directions already.
        var isolated = cluster.objects
        for name in ["x", "y", "z"] {
            isolated.networkPolicies.append(
                NetworkPolicy(
                    metadata: ObjectMeta(name: "all", namespace: name), podSelector: selector(),
                    policyTypes: [.ingress, .egress], ingress: [], egress: []))
        }
        let before = SmallCluster.allowed(isolated)
        #expect(SmallCluster.allowed(cluster.objects).isSuperset(of: before))
        isolated.networkPolicies.append(SmallCluster.policy(9, &random))
        #expect(SmallCluster.allowed(isolated).isSuperset(of: before))
    }

    @Test("the order of policies, rules, peers, ports and pods does not matter", arguments: seeds)
    func order(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let objects = SmallCluster(&random).objects
        var shuffled = objects
        shuffled.pods.shuffle(using: &random)
        shuffled.namespaces.shuffle(using: &random)
        shuffled.networkPolicies.shuffle(using: &random)
        for policy in shuffled.networkPolicies.indices {
            shuffled.networkPolicies[policy].ingress.shuffle(using: &random)
            for rule in shuffled.networkPolicies[policy].ingress.indices {
                shuffled.networkPolicies[policy].ingress[rule].peers.shuffle(using: &random)
                shuffled.networkPolicies[policy].ingress[rule].ports.shuffle(using: &random)
            }
        }
        #expect(SmallCluster.allowed(shuffled) == SmallCluster.allowed(objects))
    }

    @Test("one rule with two peers is two rules with the same ports", arguments: seeds)
    func splitting(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let objects = SmallCluster(&random).objects
        var split = objects
        for policy in split.networkPolicies.indices {
            split.networkPolicies[policy].ingress = split.networkPolicies[policy].ingress.flatMap { rule in
                rule.peers.count < 2
                    ? [rule] : rule.peers.map { NetworkPolicyRule(peers: [$0], ports: rule.ports, path: rule.path) }
            }
        }
        #expect(SmallCluster.allowed(split) == SmallCluster.allowed(objects))
    }

    @Test("leaving an exception out never takes a flow away", arguments: seeds)
    func exceptions(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let objects = SmallCluster(&random).objects
        var open = objects
        for policy in open.networkPolicies.indices {
            for rule in open.networkPolicies[policy].egress.indices {
                let peers = open.networkPolicies[policy].egress[rule].peers
                open.networkPolicies[policy].egress[rule].peers = peers.map {
                    if case .ipBlock(let cidr, _) = $0 { .ipBlock(cidr: cidr, except: []) } else { $0 }
                }
            }
        }
        #expect(SmallCluster.allowed(open).isSuperset(of: SmallCluster.allowed(objects)))
    }

    @Test("a pod selector alone is the same with a selector of the own namespace's name", arguments: seeds)
    func ownNamespace(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let objects = SmallCluster(&random).objects
        var written = objects
        for policy in written.networkPolicies.indices {
            let name = written.networkPolicies[policy].metadata.namespace
            for rule in written.networkPolicies[policy].ingress.indices {
                let peers = written.networkPolicies[policy].ingress[rule].peers
                written.networkPolicies[policy].ingress[rule].peers = peers.map {
                    guard case .pods(nil, let pods) = $0 else { return $0 }
                    return .pods(namespaces: selector("kubernetes.io/metadata.name=\(name)"), pods: pods)
                }
            }
        }
        #expect(SmallCluster.allowed(written) == SmallCluster.allowed(objects))
    }

    @Test("a NetworkPolicy and the equivalent Cilium policy agree, except for CIDRs", arguments: seeds)
    func twins(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var objects = SmallCluster(&random).objects
        objects.networkPolicies = []
        let name = random.pick(["x", "y", "z"])
        let peer = random.pick(["", "app=a", "tier=back", "!tier"])
        var twin = objects
        objects.networkPolicies = [
            NetworkPolicy(
                metadata: ObjectMeta(name: "p", namespace: name), podSelector: selector("app=a"),
                policyTypes: [.ingress],
                ingress: [
                    NetworkPolicyRule(
                        peers: [.pods(namespaces: nil, pods: selector(peer))],
                        ports: [NetworkPolicyPort(protocol: .tcp, port: .range(PortRange(80)))], path: "")
                ], egress: [])
        ]
        twin.ciliumPolicies = [
            cilium(
                name, "p",
                CiliumRule(
                    subject: .endpoints(selector("app=a")),
                    ingress: [
                        element {
                            $0.endpoints = .some([selector(peer)])
                            $0.toPorts = .some([tcp(80)])
                        }
                    ]))
        ]
        #expect(SmallCluster.allowed(objects) == SmallCluster.allowed(twin))
    }
}
