import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

/// Host policies: CiliumClusterwideNetworkPolicy with `nodeSelector` (docs/spec/cilium-network-policy.md 4.6, 16).
@Suite struct HostPolicyTests {
    private func objects(_ rules: [CiliumRule]) -> ClusterObjects {
        var objects = ClusterObjects()
        objects.nodes = [
            ("node-1", "role=edge,kubernetes.io/hostname=node-1,node-role.kubernetes.io/worker=yes", "192.168.0.1"),
            ("node-2", "role=core", "192.168.0.2"),
        ].map { name, text, address in
            Node(
                metadata: ObjectMeta(name: name, labels: labels(text)),
                addresses: [address].compactMap { IPAddress(parsing: $0) })
        }
        objects.pods = [
            pod("shop/web", "app=web", ["10.0.0.1"]), pod("shop/far", "app=far", ["10.0.0.2"], node: "node-2"),
            pod(
                "shop/agent", "app=agent", [], ports: [ContainerPort(name: "http", protocol: .tcp, port: 80)],
                hostNetwork: true),
        ]
        objects.ciliumPolicies = rules.enumerated().map { cilium(nil, "host-\($0)", $1) }
        return objects
    }

    private func host(
        _ text: String = "", ingress: [CiliumElement] = [], ingressDeny: [CiliumElement] = [],
        egress: [CiliumElement] = [], egressDeny: [CiliumElement] = [], defaultDeny: Bool? = nil
    ) -> CiliumRule {
        CiliumRule(
            subject: .nodes(selector(text)), ingress: ingress, ingressDeny: ingressDeny, egress: egress,
            egressDeny: egressDeny, defaultDenyIngress: defaultDeny, defaultDenyEgress: defaultDeny)
    }

    private func answers(_ rules: [CiliumRule], _ flows: [(String, String)]) throws -> [String] {
        let evaluator = evaluator(objects(rules))
        return try flows.map { try evaluator.answer($0, $1) }
    }

    @Test("a node that no host policy selects allows everything")
    func noPolicy() throws {
        let flows = [("shop/web", "host"), ("host", "ip:8.8.8.8"), ("ip:8.8.8.8", "host"), ("remote-node", "host")]
        for rules in [[], [host("role=core", ingress: [element()], egress: [element()])]] {
            #expect(try answers(rules, flows) == Array(repeating: "allow/allow=allow", count: 4))
        }
    }

    @Test(
        "traffic to a node passes what the rules about it allow: pods, nodes and the outside are seen as what they are")
    func ingress() throws {
        let rules = [
            host(
                "role=edge",
                ingress: [
                    element { $0.endpoints = .some([selector("app=web")]) },
                    element {
                        $0.entities = .some([.remoteNode, .world])
                        $0.toPorts = .some([tcp(22)])
                    },
                ])
        ]
        #expect(
            try answers(
                rules, [("shop/web", "host"), ("shop/far", "host"), ("remote-node", "host"), ("ip:8.8.8.8", "host")])
                == ["allow/allow=allow", "allow/deny=deny", "allow/deny=deny", "allow/deny=deny"])
        #expect(try evaluator(objects(rules)).answer("ip:8.8.8.8", "host", "22/TCP") == "allow/allow=allow")
        #expect(try evaluator(objects(rules)).answer("remote-node", "host", "22/TCP") == "allow/allow=allow")
    }

    @Test("each node is matched by its own labels, wherever the flow is decided")
    func otherNode() throws {
        let rules = [
            host("role=core", ingressDeny: [element { $0.entities = .some([.remoteNode]) }], defaultDeny: false)
        ]
        #expect(
            try answers(
                rules,
                [("ip:192.168.0.1", "ip:192.168.0.2"), ("shop/web", "ip:192.168.0.2"), ("ip:192.168.0.2", "host")])
                == ["allow/deny=deny", "allow/allow=allow", "allow/allow=allow"])
        // A node that nobody names has no labels; what selects every node selects it.
        #expect(try answers([host(ingress: [element()])], [("host", "remote-node")]) == ["allow/deny=deny"])
        #expect(try answers(rules, [("host", "remote-node")]) == ["allow/allow=allow"])
    }

    @Test("egress of a node, hostNetwork pods and its way to its own pods included")
    func egress() throws {
        let rules = [
            host("role=edge", egress: [element { $0.cidrs = .some([try? prefix("8.8.8.0/24")].compactMap(\.self)) }])
        ]
        #expect(
            try answers(
                rules,
                [
                    ("host", "ip:8.8.8.8"), ("host", "ip:9.9.9.9"), ("shop/agent", "ip:9.9.9.9"), ("host", "shop/web"),
                    ("host", "shop/far"), ("host", "shop/agent"),
                ])
                == [
                    "allow/allow=allow", "deny/allow=deny", "deny/allow=deny", "deny/allow=deny", "deny/allow=deny",
                    "allow/allow=allow",
                ])
    }

    @Test("the labels of nodes are those that make identities: host names and zones select nothing")
    func filteredLabels() throws {
        let flow = [("ip:8.8.8.8", "host")]
        for (text, isSelected) in [
            ("kubernetes.io/hostname=node-1", false), ("node-role.kubernetes.io/worker", true), ("k8s:role=edge", true),
            ("role=edge,role!=core", true), ("node:role=edge", false), ("reserved:host", true),
        ] {
            #expect(
                try answers([host(text, ingress: [element()])], flow)
                    == [isSelected ? "allow/deny=deny" : "allow/allow=allow"], "\(text)")
        }
    }

    @Test("a node has no named ports, and its own node is no exception")
    func namedPorts() throws {
        let named = PortRule(ports: [PortProtocol(protocols: [.tcp], port: .named("http"))], path: "")
        let rules = [host(ingress: [element { $0.toPorts = .some([named]) }])]
        #expect(try answers(rules, [("shop/web", "host")]) == ["allow/deny=deny"])
    }

    @Test("the explanation names the node, its policies and the nearest rule")
    func explanation() throws {
        let rules = [host("role=edge", ingress: [element { $0.endpoints = .some([selector("app=web")]) }])]
        let explain = { (rules: [CiliumRule]) in
            try evaluator(objects(rules)).explain(
                Flow(from: .pod(namespace: "shop", name: "far"), to: .host, protocol: .tcp, port: 80)
            ).ingress
        }
        let lines = try explain(rules).lines
        #expect(lines.first == "ingress of node node-1: deny")
        #expect(lines.contains("    CiliumClusterwideNetworkPolicy host-0"))
        let miss = try #require(try explain(rules).nearMisses.first)
        #expect(miss.rule.origin.path == "spec.ingress[0]")
        #expect(miss.failed.map(\.wanted) == [["web"]])
        #expect(try explain([]).subject == nil)
        let open = [host(ingressDeny: [element { $0.entities = .some([.world]) }], defaultDeny: false)]
        #expect(try explain(open).selecting.map(\.name) == ["host-0"])
    }

    @Test("for the kernel a host policy with names is refused, with the pods of its other rules isolated")
    func loading() {
        var objects = objects([host(ingress: [element()])])
        objects.ciliumPolicies[0].rules.append(
            CiliumRule(
                subject: .endpoints(selector("app=web")), egress: [element { $0.entities = .some([.all]) }],
                path: "specs[0]"))
        #expect(PolicyLowering.lower(objects, for: .enforcement).diagnostics.isEmpty)
        objects.ciliumPolicies[0].rules[0].egress = [element { $0.fqdns = .some([.name("a.example")]) }]
        #expect(PolicyLowering.lower(objects).diagnostics.isEmpty)
        let lowered = PolicyLowering.lower(objects, for: .enforcement)
        #expect(lowered.diagnostics.map(\.id) == [.hostPolicy])
        #expect(lowered.diagnostics.map(\.severity) == [.error])
        // The node is not isolated: whoever could correct the policy must get to it.
        #expect(lowered.policies.map(\.origin.isRefused) == [true])
        #expect(lowered.policies.map(\.egress) == [DirectionRules(isolates: true, rules: [])])
    }
}
