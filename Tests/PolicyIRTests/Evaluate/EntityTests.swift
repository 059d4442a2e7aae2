import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

/// The table of docs/spec/cilium-network-policy.md 5.1, entity by entity.
@Suite("Entities")
struct EntityTests {
    /// Ends of every kind; the API server is at one address of node-2 and outside.
    private static let ends: [(name: String, address: String)] = [
        ("pod", "10.0.0.2"), ("host", "192.168.0.1"), ("node", "192.168.0.3"), ("server-node", "192.168.0.2"),
        ("server-node-2nd", "192.168.1.2"),
        ("ipv4", "8.8.8.8"), ("ipv6", "2001:4860::8888"), ("server", "192.0.2.1"),
    ]

    private func evaluator(_ entity: Entity, isDeny: Bool = false) -> ReferenceEvaluator {
        var objects = ClusterObjects()
        objects.pods = [
            pod("shop/web", "app=web", ["10.0.0.1", "fd00::1"]), pod("shop/db", "app=db", ["10.0.0.2"], node: "node-2"),
        ]
        objects.nodes = (1...3).map { number in
            Node(
                metadata: ObjectMeta(name: "node-\(number)"),
                addresses: ["192.168.0.\(number)", "192.168.1.\(number)"].compactMap { IPAddress(parsing: $0) })
        }
        objects.endpointSlices = [
            EndpointSlice(
                metadata: ObjectMeta(name: "kubernetes", namespace: "default"), serviceName: "kubernetes",
                addresses: ["192.168.0.2", "192.0.2.1"].compactMap { IPAddress(parsing: $0) })
        ]
        let list = [element { $0.entities = .some([entity]) }]
        objects.ciliumPolicies = [
            cilium(
                "shop", "web",
                CiliumRule(
                    subject: .endpoints(selector("app=web")), egress: isDeny ? [] : list,
                    egressDeny: isDeny ? list : [], defaultDenyEgress: isDeny ? false : nil))
        ]
        return NetpoldTestSupport.evaluator(objects)
    }

    @Test(
        "an entity is these ends and no others, allowed or denied",
        arguments: [
            (.all, ["pod", "host", "node", "server-node", "server-node-2nd", "ipv4", "ipv6", "server"]),
            (.world, ["ipv4", "ipv6", "server"]), (.worldIPv4, ["ipv4", "server"]), (.worldIPv6, ["ipv6"]),
            (.host, ["host"]), (.remoteNode, ["node", "server-node", "server-node-2nd"]),
            // Of another node the addresses of the API server alone.
            (.kubeAPIServer, ["server-node", "server"]),
            // "also an external API server".
            (.cluster, ["pod", "host", "node", "server-node", "server-node-2nd", "server"]),
            (.health, []), (.ingress, []), (.`init`, []), (.unmanaged, []), (.none, []),
        ] as [(Entity, [String])])
    func ends(entity: Entity, expected: [String]) throws {
        let (allowing, denying) = (evaluator(entity), evaluator(entity, isDeny: true))
        let allowed = try Self.ends.filter {
            try allowing.answer("shop/web", "ip:\($0.address)") == "allow/allow=allow"
        }
        #expect(allowed.map(\.name) == expected)
        let denied = try Self.ends.filter { try denying.answer("shop/web", "ip:\($0.address)") == "deny/allow=deny" }
        #expect(denied.map(\.name) == expected)
    }

    @Test("every entity is in the table")
    func complete() {
        #expect(Entity.allCases.count == 13)
    }

    @Test("ends that carry a reserved label belong to its entity, and those of the cluster to cluster (55-57)")
    func reserved() {
        let entities = { (label: String) in
            Set(Entity.allCases.filter { $0.contains(CiliumLabels(reserved: [label])) })
        }
        #expect(entities("none") == [.all])
        #expect(entities("world") == [.all, .world])
        #expect(entities("world-ipv6") == [.all, .world, .worldIPv6])
        #expect(entities("health") == [.all, .cluster, .health])
        #expect(entities("ingress") == [.all, .cluster, .ingress])
        #expect(entities("init") == [.all, .cluster, .`init`])
        #expect(entities("unmanaged") == [.all, .cluster, .unmanaged])
        #expect(entities("host") == [.all, .cluster, .host])
    }
}
