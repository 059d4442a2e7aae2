import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

/// Peers that select nodes by label: `fromNodes` and `toNodes` (docs/spec/cilium-network-policy.md 4.4, row 22).
@Suite struct NodePeerTests {
    private func objects(_ rules: [CiliumRule]) -> ClusterObjects {
        var objects = ClusterObjects()
        objects.nodes = [
            ("node-1", "role=db,zone=a", "192.168.0.1"), ("node-2", "role=db,zone=a", "192.168.0.2"),
            ("node-3", "role=web,zone=b", "192.168.0.3"), ("node-4", "", "192.168.0.4"),
        ].map { name, text, address in
            Node(
                metadata: ObjectMeta(name: name, labels: labels(text)),
                addresses: [address].compactMap { IPAddress(parsing: $0) })
        }
        objects.pods = [
            pod("shop/web", "app=web", ["10.0.0.1"]),
            pod("shop/agent", "role=db", ["192.168.0.22"], node: "node-2", hostNetwork: true),
            pod("shop/db", "role=db", ["10.0.0.2"], node: "node-2"),
        ]
        objects.ciliumPolicies = rules.enumerated().map { cilium("shop", "policy-\($0)", $1) }
        return objects
    }

    private func fromNodes(_ text: String, isDeny: Bool = false) -> CiliumRule {
        let list = [element { $0.nodes = .some([selector(text)]) }]
        return CiliumRule(
            subject: .endpoints(selector("app=web")), ingress: isDeny ? [] : list, ingressDeny: isDeny ? list : [],
            defaultDenyIngress: isDeny ? false : nil)
    }

    /// The nodes (by the last digits of their addresses) and pods that reach shop/web.
    private func allowed(_ rules: [CiliumRule]) throws -> [String] {
        let evaluator = evaluator(objects(rules))
        return try ["192.168.0.2", "192.168.0.22", "192.168.0.3", "192.168.0.4", "10.0.0.2", "8.8.8.8"].filter {
            try evaluator.answer("ip:\($0)", "shop/web").hasSuffix("=allow")
        }
    }

    @Test(
        "fromNodes selects other nodes by their labels, hostNetwork pods' addresses included, and no pods",
        arguments: [
            ("", ["192.168.0.2", "192.168.0.22", "192.168.0.3", "192.168.0.4"]),
            ("role=db", ["192.168.0.2", "192.168.0.22"]), ("node:role=db", ["192.168.0.2", "192.168.0.22"]),
            ("role!=db", ["192.168.0.3", "192.168.0.4"]), ("zone", ["192.168.0.2", "192.168.0.22", "192.168.0.3"]),
            ("role=web,zone=a", []), ("k8s:role=db", []), ("io.cilium.k8s.policy.cluster=far", []),
            ("io.cilium.k8s.policy.cluster=default,zone=b", ["192.168.0.3"]),
        ])
    func selects(text: String, nodes: [String]) throws {
        #expect(try allowed([fromNodes(text)]) == nodes)
    }

    @Test("a denial of nodes denies them alone")
    func deny() throws {
        #expect(
            try allowed([fromNodes("role=db", isDeny: true)]) == ["192.168.0.3", "192.168.0.4", "10.0.0.2", "8.8.8.8"])
    }

    @Test("toNodes is never the pod's own node, even where its labels fit")
    func ownNode() throws {
        let rule = CiliumRule(
            subject: .endpoints(selector("app=web")), egress: [element { $0.nodes = .some([selector("role=db")]) }])
        let evaluator = evaluator(objects([rule]))
        #expect(try evaluator.answer("shop/web", "ip:192.168.0.1") == "deny/allow=deny")
        #expect(try evaluator.answer("shop/web", "ip:192.168.0.2") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/web", "remote-node") == "deny/allow=deny")
        let lines = try evaluator.explain(
            Flow(from: .pod(namespace: "shop", name: "web"), to: .host, protocol: .tcp, port: 80)
        ).egress.lines
        #expect(lines.contains("      but the host is the pod's own node, and only other nodes match"))
    }

    @Test("a peer of plain node labels selects the own node too")
    func plainSelector() throws {
        let rule = PolicyRule(
            action: .allow, peers: .anyOf([.nodes(selector("role=db"))]), traffic: .everything,
            origin: RuleOrigin(kind: "Extra", namespace: "", name: "x", path: ""))
        let policy = LoweredPolicy(
            subject: .endpoints(selector("app=web")), ingress: nil,
            egress: DirectionRules(isolates: true, rules: [rule]), origin: rule.origin)
        let evaluator = ReferenceEvaluator(objects([]), policies: [policy])
        #expect(try evaluator.answer("shop/web", "host") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/web", "ip:192.168.0.3") == "deny/allow=deny")
    }

    @Test("a near miss names the label that a node lacks")
    func nearMiss() throws {
        let evaluator = evaluator(objects([fromNodes("role=db")]))
        let miss = { (from: FlowEnd) in
            try evaluator.explain(
                Flow(from: from, to: .pod(namespace: "shop", name: "web"), protocol: .tcp, port: 80)
            ).ingress.nearMisses.flatMap(\.failed).map(\.text)
        }
        let address = try #require(IPAddress(parsing: "192.168.0.3"))
        #expect(try miss(.address(address)) == ["node 192.168.0.3 lacks label role=db (has role=web)"])
        #expect(
            try miss(.pod(namespace: "shop", name: "db")) == ["the rule selects nodes, and pod shop/db is not a node"])
    }
}

/// Identities of nodes.
@Suite struct NodeIdentityTests {
    private func index(_ peers: [Peer]) -> IdentityIndex {
        var objects = ClusterObjects()
        objects.nodes = [
            ("node-1", "zone=a"), ("node-2", "zone=a,disk=ssd"), ("node-3", "zone=b"), ("node-4", "zone=b"),
        ]
        .enumerated().map { number, node in
            Node(
                metadata: ObjectMeta(name: node.0, labels: labels(node.1)),
                addresses: [IPAddress(parsing: "192.168.0.\(number + 1)")].compactMap(\.self))
        }
        let rule = PolicyRule(
            action: .allow, peers: .anyOf(peers), traffic: .everything,
            origin: RuleOrigin(kind: "Extra", namespace: "", name: "x", path: ""))
        let policy = LoweredPolicy(
            subject: .endpoints(selector()), ingress: DirectionRules(isolates: true, rules: [rule]), egress: nil,
            origin: rule.origin)
        var index = IdentityIndex(objects, policies: [policy], localNode: "node-1")
        var allocator = IdentityAllocator()
        index.assignNumbers(&allocator) { [] }
        return index
    }

    private func texts(_ index: IdentityIndex) -> [String] {
        let nodes = index.nodeEntries.sorted { $0.key < $1.key }
        return nodes.map { "\($0.key) \(index.text(of: $0.value))" }
    }

    @Test("labels that no peer mentions tell no nodes apart: all have the reserved identities")
    func notMentioned() {
        #expect(
            texts(index([.entity(.cluster)])) == [
                "192.168.0.1 host", "192.168.0.2 remote-node", "192.168.0.3 remote-node", "192.168.0.4 remote-node",
            ])
        #expect(Set(index([.nodes(selector())]).nodeEntries.values).count == 2)
    }

    @Test("nodes that differ in a label that a peer mentions have identities of their own")
    func mentioned() {
        let index = index([.nodes(selector("zone=a"))])
        #expect(
            texts(index) == [
                "192.168.0.1 host labels=zone=a", "192.168.0.2 remote-node labels=zone=a",
                "192.168.0.3 remote-node labels=zone=b", "192.168.0.4 remote-node labels=zone=b",
            ])
        let numbers = index.nodeEntries.sorted { $0.key < $1.key }.map { index.number(of: $0.value) }
        #expect(numbers.map { IdentityScope(of: $0) } == [.host, .node, .node, .node])
    }
}
