import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

/// Edge cases of docs/spec/cilium-network-policy.md 19 that only an answer shows.
struct CiliumEvaluationTests {
    private func cluster(_ rules: [CiliumRule], names: [String: [String]] = [:]) -> ReferenceEvaluator {
        var objects = ClusterObjects()
        objects.namespaces = [namespace("shop", "team=red"), namespace("ops", "team=blue")]
        objects.pods = [
            pod("shop/web", "app=web", ["10.0.0.1"], ports: [ContainerPort(name: "http", protocol: .tcp, port: 8080)]),
            pod("shop/db", "app=db", ["10.0.0.2"]),
            pod("ops/probe", "app=probe", ["10.0.1.1"]),
        ]
        objects.ciliumPolicies = rules.enumerated().map { cilium("shop", "policy-\($0)", $1) }
        objects.names = names.mapValues { $0.compactMap { IPAddress(parsing: $0) } }
        return evaluator(objects)
    }

    private func web(
        ingress: [CiliumElement] = [], ingressDeny: [CiliumElement] = [], egress: [CiliumElement] = [],
        egressDeny: [CiliumElement] = [], defaultDeny: Bool? = nil
    ) -> CiliumRule {
        CiliumRule(
            subject: .endpoints(selector("app=web")), ingress: ingress, ingressDeny: ingressDeny, egress: egress,
            egressDeny: egressDeny, defaultDenyIngress: defaultDeny, defaultDenyEgress: defaultDeny)
    }

    private func entity(_ entity: Entity, _ ports: [PortRule] = []) -> CiliumElement {
        element {
            $0.entities = .some([entity])
            if !ports.isEmpty { $0.toPorts = .some(ports) }
        }
    }

    private func tcp(_ first: UInt16, _ last: UInt16) -> PortRule {
        PortRule(ports: [PortProtocol(protocols: [.tcp], port: .range(PortRange(first, last)))], path: "")
    }

    @Test("an empty element isolates and allows nothing but the own node (2, 123)")
    func emptyElement() throws {
        let evaluator = cluster([web(ingress: [element()])])
        #expect(try evaluator.answer("shop/db", "shop/web") == "allow/deny=deny")
        #expect(try evaluator.answer("host", "shop/web") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/web", "shop/db") == "allow/allow=allow")
    }

    @Test("a deny beats the own node and every allow, and a lone deny isolates (3, 9, 59-67)")
    func deny() throws {
        let alone = cluster([web(ingressDeny: [entity(.host)])])
        #expect(try alone.answer("host", "shop/web") == "allow/deny=deny")
        #expect(try alone.answer("shop/db", "shop/web") == "allow/deny=deny")
        let open = cluster([web(ingressDeny: [entity(.all, [tcp(80, 80)])], defaultDeny: false)])
        #expect(try open.answer("shop/db", "shop/web", "80/TCP") == "allow/deny=deny")
        #expect(try open.answer("shop/db", "shop/web", "81/TCP") == "allow/allow=allow")
    }

    @Test(
        "the more specific of an allow and a deny does not matter: the deny wins where both match (62-66)",
        arguments: [
            (80...80, 1...1024, [80: false, 1025: false]),
            (1...1024, 80...80, [79: true, 80: false, 81: true, 1025: false]),
            (0...65535, 1...1024, [1: false, 1024: false, 1025: true]),
            (1...1024, 0...65535, [1: false, 80: false]),
        ] as [(ClosedRange<UInt16>, ClosedRange<UInt16>, [UInt16: Bool])])
    func ranges(allow: ClosedRange<UInt16>, deny: ClosedRange<UInt16>, answers: [UInt16: Bool]) throws {
        let evaluator = cluster([
            web(
                ingress: [entity(.all, [tcp(allow.lowerBound, allow.upperBound)])],
                ingressDeny: [entity(.all, [tcp(deny.lowerBound, deny.upperBound)])])
        ])
        for (port, isAllowed) in answers {
            let answer = try evaluator.answer("shop/db", "shop/web", "\(port)/TCP")
            #expect(answer == (isAllowed ? "allow/allow=allow" : "allow/deny=deny"), "port \(port)")
        }
    }

    @Test("CIDR matches only outside the cluster, entities match classes (13.1, 48, 53)")
    func cidr() throws {
        let evaluator = cluster([
            web(egress: [element { $0.cidrs = .some([IPPrefix(parsing: "0.0.0.0/0")].compactMap(\.self)) }])
        ])
        #expect(try evaluator.answer("shop/web", "ip:192.0.2.1") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/web", "ip:2001:db8::1") == "deny/allow=deny")
        #expect(try evaluator.answer("shop/web", "shop/db") == "deny/allow=deny")
        #expect(try evaluator.answer("shop/web", "host") == "deny/allow=deny")
        #expect(try evaluator.answer("shop/web", "remote-node") == "deny/allow=deny")
    }

    @Test("a peer selector finds pods of the policy's namespace only; a cluster entity finds all and the nodes")
    func scope() throws {
        let own = cluster([web(ingress: [element { $0.endpoints = .some([selector()]) }])])
        #expect(try own.answer("shop/db", "shop/web") == "allow/allow=allow")
        #expect(try own.answer("ops/probe", "shop/web") == "allow/deny=deny")
        let all = cluster([web(ingress: [entity(.cluster)])])
        #expect(try all.answer("ops/probe", "shop/web") == "allow/allow=allow")
        #expect(try all.answer("remote-node", "shop/web") == "allow/allow=allow")
        #expect(try all.answer("ip:192.0.2.1", "shop/web") == "allow/deny=deny")
    }

    @Test("reserved:host in a selector is taken verbatim and finds the node (21)")
    func reservedHost() throws {
        let evaluator = cluster([web(egress: [element { $0.endpoints = .some([selector("reserved:host=")]) }])])
        #expect(try evaluator.answer("shop/web", "host") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/web", "shop/db") == "deny/allow=deny")
    }

    @Test("rules without default deny open nothing and close only what they deny; one isolating rule isolates (5, 6)")
    func defaultDeny() throws {
        let open = web(ingress: [entity(.host)], defaultDeny: false)
        #expect(try cluster([open]).answer("shop/db", "shop/web") == "allow/allow=allow")
        #expect(try cluster([open, web(ingress: [element()])]).answer("shop/db", "shop/web") == "allow/deny=deny")
    }

    @Test(
        "L7 rules decide only what no plain rule admits; where nothing isolates, or for the own node, they admit all (8.5)"
    )
    func l7() throws {
        let get = PolicyRuleSet.http
        let evaluator = cluster([
            web(ingress: [
                entity(.all, [get]), element { $0.endpoints = .some([selector("app=db")]) },
            ])
        ])
        #expect(try evaluator.answer("ops/probe", "shop/web") == "allow/l7=l7")
        #expect(try evaluator.answer("shop/db", "shop/web") == "allow/allow=allow")
        #expect(try evaluator.answer("host", "shop/web") == "allow/allow=allow")
        let open = cluster([web(ingress: [entity(.all, [get])], defaultDeny: false)])
        #expect(try open.answer("ops/probe", "shop/web") == "allow/allow=allow")
    }

    private enum PolicyRuleSet {
        static let http = PortRule(
            ports: [PortProtocol(protocols: [.tcp], port: .range(PortRange(80)))],
            http: .some([Located(HTTPRule(method: "GET"))]), path: "")
    }

    @Test("ANY is TCP, UDP and SCTP but not ICMP; only an L3-only rule or icmps admit a ping (7.1, 40)")
    func protocols() throws {
        let any = PortRule(ports: [PortProtocol(protocols: [.tcp, .udp, .sctp], port: .all)], path: "")
        let ports = cluster([web(ingress: [entity(.all, [any])])])
        #expect(try ports.answer("shop/db", "shop/web", "7/SCTP") == "allow/allow=allow")
        #expect(try ports.answer("shop/db", "shop/web", "ICMP/8") == "allow/deny=deny")
        #expect(
            try cluster([web(ingress: [entity(.all)])]).answer("shop/db", "shop/web", "ICMP/8") == "allow/allow=allow")
        let echo = cluster([web(ingress: [element { $0.icmps = .some([ICMPField(protocol: .icmp, type: 8)]) }])])
        #expect(try echo.answer("shop/db", "shop/web", "ICMP/8") == "allow/allow=allow")
        #expect(try echo.answer("shop/db", "shop/web", "ICMP/3") == "allow/deny=deny")
        #expect(try echo.answer("shop/db", "shop/web", "8/TCP") == "allow/deny=deny")
    }

    @Test("toFQDNs reaches the addresses that DNS gave for the name, outside the cluster only (108)")
    func names() throws {
        let evaluator = cluster(
            [web(egress: [element { $0.fqdns = .some([.pattern("*.example.com")]) }])],
            names: ["api.example.com": ["192.0.2.7", "10.0.0.2"], "example.com": ["192.0.2.8"]])
        #expect(try evaluator.answer("shop/web", "ip:192.0.2.7") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/web", "ip:192.0.2.8") == "deny/allow=deny")
        #expect(try evaluator.answer("shop/web", "shop/db") == "deny/allow=deny")
    }

    @Test("a nodeSelector rule does not touch pods, and an endpointSelector rule does not touch the node")
    func hostPolicies() throws {
        var objects = ClusterObjects()
        objects.pods = [pod("shop/web", "app=web", ["10.0.0.1"])]
        objects.ciliumPolicies = [
            cilium(nil, "nodes", CiliumRule(subject: .nodes(selector()), ingress: [element()])),
            cilium(nil, "all", CiliumRule(subject: .endpoints(selector()), egress: [element()])),
        ]
        let evaluator = evaluator(objects)
        #expect(try evaluator.answer("ip:192.0.2.1", "shop/web") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/web", "host") == "deny/deny=deny")
        #expect(try evaluator.answer("host", "ip:192.0.2.1") == "allow/allow=allow")
        #expect(try evaluator.answer("host", "shop/web") == "allow/allow=allow")
    }

    @Test("the API server is found by the addresses of default/kubernetes (5.1)")
    func apiServer() throws {
        var objects = ClusterObjects()
        objects.pods = [pod("shop/web", "app=web", ["10.0.0.1"])]
        objects.nodes = [
            Node(
                metadata: ObjectMeta(name: "node-2"), addresses: ["172.16.0.2"].compactMap { IPAddress(parsing: $0) })
        ]
        objects.endpointSlices = [
            EndpointSlice(
                metadata: ObjectMeta(name: "kubernetes", namespace: "default"), serviceName: "kubernetes",
                addresses: ["172.16.0.2", "192.0.2.1"].compactMap { IPAddress(parsing: $0) })
        ]
        objects.ciliumPolicies = [
            cilium(
                "shop", "api",
                CiliumRule(subject: .endpoints(selector()), egress: [entity(.kubeAPIServer)]))
        ]
        let evaluator = evaluator(objects, localNode: "node-1")
        #expect(try evaluator.answer("shop/web", "ip:172.16.0.2") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/web", "ip:192.0.2.1") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/web", "ip:192.0.2.2") == "deny/allow=deny")
    }

    @Test("a named port is the subject's on ingress and each peer's own on egress; the outside has none (81, 82)")
    func namedPorts() throws {
        let named = PortRule(ports: [PortProtocol(protocols: [.tcp], port: .named("http"))], path: "")
        let ingress = cluster([web(ingress: [entity(.all, [named])])])
        #expect(try ingress.answer("shop/db", "shop/web", "8080/TCP") == "allow/allow=allow")
        #expect(try ingress.answer("shop/db", "shop/web", "80/TCP") == "allow/deny=deny")
        let toAll = CiliumRule(
            subject: .endpoints(selector("app=db")), egress: [element { $0.toPorts = .some([named]) }])
        let egress = cluster([toAll])
        #expect(try egress.answer("shop/db", "shop/web", "8080/TCP") == "allow/allow=allow")
        #expect(try egress.answer("shop/db", "ops/probe", "8080/TCP") == "deny/allow=deny")
        #expect(try egress.answer("shop/db", "ip:192.0.2.1", "8080/TCP") == "deny/allow=deny")
    }

    @Test("a selector on a label that is not part of the identity never matches (131)")
    func filteredLabel() throws {
        var objects = ClusterObjects()
        objects.pods = [pod("shop/web", "pod-template-hash=a", ["10.0.0.1"]), pod("shop/db", "", ["10.0.0.2"])]
        objects.ciliumPolicies = [
            cilium("shop", "p", CiliumRule(subject: .endpoints(selector("pod-template-hash")), ingress: [element()]))
        ]
        #expect(try evaluator(objects).answer("shop/db", "shop/web") == "allow/allow=allow")
        objects.networkPolicies = [
            NetworkPolicy(
                metadata: ObjectMeta(name: "p", namespace: "shop"), podSelector: selector("pod-template-hash"),
                policyTypes: [.ingress], ingress: [], egress: [])
        ]
        // NetworkPolicy sees every label.
        #expect(try evaluator(objects).answer("shop/db", "shop/web") == "allow/deny=deny")
    }
}
