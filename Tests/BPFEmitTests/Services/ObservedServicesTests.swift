import BPFEmit
import BPFSimulate
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@Suite("Services that another component translates: programs decide their addresses by all of their endpoints")
struct ObservedServicesTests {
    private static let cluster = """
        {apiVersion: v1, kind: Node, metadata: {name: node-1}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}, {type: InternalIP, address: 169.254.20.10}]}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: node-2}, status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {nodeName: node-1}, status: {podIP: 10.0.0.1}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: free, namespace: shop, labels: {app: free}}, spec: {nodeName: node-1}, status: {podIP: 10.0.0.9}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop, labels: {app: db, role: first}}, spec: {nodeName: node-1, containers: [{ports: [{name: pg, containerPort: 5432}]}]}, status: {podIP: 10.0.0.2}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: shop, labels: {app: db, role: second}}, spec: {nodeName: node-2, containers: [{ports: [{name: pg, containerPort: 5433}]}]}, status: {podIP: 10.0.0.3}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: dns, namespace: kube-system, labels: {k8s-app: kube-dns}}, spec: {nodeName: node-2}, status: {podIP: 10.0.0.4}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: kube-dns, namespace: kube-system}, spec: {clusterIP: 10.96.0.10, selector: {k8s-app: kube-dns}, ports: [{name: dns, port: 53, protocol: UDP}, {name: tcp, port: 53}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: db, namespace: shop}, spec: {clusterIP: 10.96.0.1, selector: {app: db}, ports: [{port: 80, targetPort: pg}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: first, namespace: shop}, spec: {type: NodePort, clusterIP: 10.96.0.2, externalIPs: [192.168.0.2], selector: {role: first}, ports: [{port: 80, targetPort: 5432, nodePort: 30080}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: second, namespace: shop}, spec: {type: NodePort, clusterIP: 10.96.0.3, externalIPs: [198.51.100.1], externalTrafficPolicy: Local, selector: {role: second}, ports: [{port: 80, targetPort: 5433, nodePort: 30081}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: nobody, namespace: shop}, spec: {clusterIP: 10.96.0.4, selector: {app: nope}, ports: [{port: 80}]}}
        ---

        """
    private static let web =
        "podSelector: {matchLabels: {app: web}}\npolicyTypes: [Egress]\negress: "
    private static let frontends: [(String, UInt16, L4Protocol)] = [
        ("10.96.0.1", 80, .tcp), ("10.96.0.1", 5432, .tcp), ("10.96.0.2", 80, .tcp), ("10.96.0.3", 80, .tcp),
        ("10.96.0.4", 80, .tcp), ("10.96.0.4", 81, .tcp), ("192.168.0.2", 80, .tcp), ("192.168.0.1", 80, .tcp),
        ("198.51.100.1", 80, .tcp), ("198.51.100.1", 81, .tcp), ("192.168.0.1", 30080, .tcp),
        ("192.168.0.2", 30080, .tcp), ("192.168.0.1", 30081, .tcp), ("192.168.0.2", 30081, .tcp),
        ("192.168.0.1", 30080, .udp), ("10.96.0.10", 53, .udp), ("10.96.0.10", 53, .tcp), ("10.96.0.10", 54, .udp),
        ("169.254.20.10", 53, .udp), ("169.254.20.10", 53, .tcp), ("169.254.20.10", 8080, .tcp),
        ("10.0.0.2", 5432, .tcp), ("10.0.0.3", 5433, .tcp), ("203.0.113.1", 80, .tcp),
    ]

    private func world(
        _ egress: String, _ mode: ServiceMode = .observe
    ) throws -> (state: CompilerState, evaluator: ReferenceEvaluator) {
        let objects = decode(Self.cluster + networkPolicy(Self.web + egress)).objects
        let settings = ServiceSettings(mode: mode)
        return (
            CompilerState(objects, localNode: "node-1", serviceSettings: settings),
            ReferenceEvaluator(
                objects, policies: PolicyLowering.lower(objects, for: .enforcement).policies, localNode: "node-1",
                serviceSettings: settings)
        )
    }

    /// What the program of shop/web says, after it was compared with the evaluator.
    private func allowed(_ egress: String, _ mode: ServiceMode = .observe) throws -> Set<String> {
        let (state, evaluator) = try world(egress, mode)
        let simulator = try NodeSimulator(state.image)
        let source = try #require(IPAddress(parsing: "10.0.0.1"))
        let pod = try #require(evaluator.view.pod("shop", "web"))
        var allowed: Set<String> = []
        for (text, port, proto) in Self.frontends {
            let address = try #require(IPAddress(parsing: text))
            let answer = try simulator.decide(from: source, to: address, protocol: proto, port: port).egress
            let expected = evaluator.decideEgress(subject: pod, to: address, protocol: proto, port: port)
            #expect((answer?.verdict == .allow) == (expected.verdict == .allow), "\(text) \(port) \(proto)")
            if answer?.verdict == .allow { allowed.insert("\(text) \(port)/\(proto)") }
        }
        return allowed
    }

    @Test("an allow of all endpoints opens the Service, one of some does not")
    func allowNeedsAll() throws {
        let both = "[{to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: pg}]}]"
        #expect(
            try allowed(both) == [
                "10.96.0.1 80/TCP", "10.96.0.2 80/TCP", "10.96.0.3 80/TCP", "192.168.0.2 80/TCP", "198.51.100.1 80/TCP",
                "192.168.0.1 30080/TCP", "192.168.0.2 30080/TCP", "192.168.0.1 30081/TCP", "192.168.0.2 30081/TCP",
                "10.0.0.2 5432/TCP", "10.0.0.3 5433/TCP",
            ])
        let first = "[{to: [{podSelector: {matchLabels: {role: first}}}]}]"
        #expect(
            try allowed(first) == [
                "10.96.0.2 80/TCP", "192.168.0.2 80/TCP", "192.168.0.1 30080/TCP", "192.168.0.2 30080/TCP",
                "10.0.0.2 5432/TCP",
            ])
    }

    @Test("a CIDR that holds a Service's address opens it at no port of the Service, and at every other")
    func addressesAreNotTheService() throws {
        let cidr = "[{to: [{ipBlock: {cidr: 10.96.0.0/16}}, {ipBlock: {cidr: 198.51.100.0/24}}]}]"
        #expect(
            try allowed(cidr) == [
                "10.96.0.1 5432/TCP", "10.96.0.4 81/TCP", "10.96.0.10 54/UDP", "198.51.100.1 81/TCP",
            ])
        // By port alone: the Service's is not the endpoint's.
        #expect(
            try allowed("[{ports: [{port: 80}]}]")
                == ["203.0.113.1 80/TCP", "192.168.0.1 80/TCP"])
    }

    /// Of the egress policy of the pod that most cases ask about, over TCP.
    private static func verdict(_ simulator: NodeSimulator, _ to: String, _ port: UInt16) throws -> PolicyVerdict? {
        try simulator.decide(
            from: try #require(IPAddress(parsing: "10.0.0.9")), to: try #require(IPAddress(parsing: to)),
            protocol: .tcp,
            port: port
        ).egress?.verdict
    }

    @Test("a deny of one endpoint denies the Service: a deny is not got round")
    func denyOfOne() throws {
        let deny = """
            {apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: deny, namespace: shop}, spec: {endpointSelector: {matchLabels: {app: free}}, enableDefaultDeny: {egress: false}, egressDeny: [{toEndpoints: [{matchLabels: {role: second}}]}]}}
            """
        let objects = decode(Self.cluster + deny).objects
        let state = CompilerState(
            objects, localNode: "node-1", serviceSettings: ServiceSettings(mode: .observe))
        let simulator = try NodeSimulator(state.image)
        func verdict(_ to: String, _ port: UInt16) throws -> PolicyVerdict? {
            try Self.verdict(simulator, to, port)
        }
        #expect(try verdict("10.96.0.1", 80) == .deny)
        #expect(try verdict("10.96.0.2", 80) == .allow)
        #expect(try verdict("10.96.0.3", 80) == .deny)
        #expect(try verdict("192.168.0.1", 30081) == .deny)
        #expect(try verdict("192.168.0.1", 30080) == .allow)
        #expect(try verdict("198.51.100.1", 80) == .deny)
        #expect(try verdict("10.96.0.4", 80) == .allow)
        // Who denies is said.
        let image = try #require(state.image.subjects.first { $0.key.contains("app=free") })
        #expect(image.egress.bits.contains { "\($0.origin)".hasPrefix("Service shop/") && $0.action == .deny })
    }

    @Test(
        "a Service with an endpoint that L7 rules alone allow needs the proxy; with a denied one besides it is denied")
    func needsProxy() throws {
        let rules = """
            {apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: requests, namespace: shop}, spec: {endpointSelector: {matchLabels: {app: free}}, egress: [{toEndpoints: [{matchLabels: {role: first}}], toPorts: [{ports: [{port: "5432", protocol: TCP}], rules: {http: [{method: GET}]}}]}]}}
            """
        let objects = decode(Self.cluster + rules).objects
        let state = CompilerState(
            objects, localNode: "node-1", serviceSettings: ServiceSettings(mode: .observe))
        let simulator = try NodeSimulator(state.image)
        func verdict(_ to: String, _ port: UInt16) throws -> PolicyVerdict? {
            try Self.verdict(simulator, to, port)
        }
        #expect(try verdict("10.96.0.2", 80) == .l7)
        #expect(try verdict("192.168.0.1", 30080) == .l7)
        #expect(try verdict("10.96.0.1", 80) == .deny)
        #expect(try verdict("10.96.0.3", 80) == .deny)
    }

    @Test(
        "a DNS cache of the node stands for the DNS Service's pods, on port 53 alone, in every mode",
        arguments: ServiceMode.allCases)
    func nodeLocalDNS(_ mode: ServiceMode) throws {
        let dns =
            "[{to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{port: 53, protocol: UDP}]}]"
        let opened = try allowed(dns, mode)
        #expect(opened.contains("169.254.20.10 53/UDP"))
        #expect(!opened.contains("169.254.20.10 53/TCP"))
        #expect(!opened.contains("169.254.20.10 8080/TCP"))
        #expect(opened.contains("10.96.0.10 53/UDP") == (mode == .observe))
        #expect(try !allowed("[]", mode).contains("169.254.20.10 53/UDP"))
        // Whoever may reach the node may not ask its cache for that reason.
        #expect(try !allowed("[{to: [{ipBlock: {cidr: 169.254.0.0/16}}]}]", mode).contains("169.254.20.10 53/UDP"))
        #expect(try allowed("[{to: [{ipBlock: {cidr: 169.254.0.0/16}}]}]", mode).contains("169.254.20.10 8080/TCP"))
    }

    @Test("the DNS Service's address is not translated where the node has it, and is translated where it has not")
    func boundServiceAddress() throws {
        var objects = decode(Self.cluster).objects
        let settings = ServiceSettings(mode: .translate)
        let address = try #require(IPAddress(parsing: "10.96.0.10"))
        func translated(_ state: CompilerState) -> Bool { state.image.services.contains { $0.address == address } }
        var state = CompilerState(objects, localNode: "node-1", serviceSettings: settings)
        #expect(translated(state))
        _ = state.apply([.ownAddresses([address])])
        #expect(!translated(state))
        #expect(state.image.services.contains { "\($0.address)" == "10.96.0.1" })
        objects.nodes[0].addresses.append(address)
        let fresh = CompilerState(objects, localNode: "node-1", serviceSettings: settings)
        #expect(fresh.image.services == state.image.services)
        _ = state.apply([.ownAddresses([])])
        #expect(translated(state))
    }

    @Test("off, and translate apart from DNS, give Services' addresses no identity")
    func noneWithoutObserve() throws {
        for mode in [ServiceMode.translate, .off] {
            let image = try world("[]", mode).state.image
            #expect(
                image.identities.filter { $0.label.hasPrefix("service ") }.map(\.label) == [
                    "service 169.254.20.10 on this node"
                ])
            #expect(image.services.isEmpty == (mode == .off))
        }
    }
}

@Suite("Observed Services after changes, and by chance")
struct ObservedServicesDifferentialTests {
    private static let settings = ServiceSettings(mode: .observe, dns: ServiceName(namespace: "alpha", name: "inside"))

    private static func verdict(_ verdict: SideDecision.Verdict) -> PolicyVerdict {
        switch verdict {
        case .allow: .allow
        case .deny: .deny
        case .l7: .l7
        }
    }

    @Test("the state after any changes is the image compiled anew, and programs decide frontends as the evaluator does")
    func changes() throws {
        var observed = 0
        var leftOut = 0
        var answers: [PolicyVerdict: Int] = [:]
        for seed in 0..<UInt64(150) {
            var cluster = ChangingCluster(seed: seed)
            var random = SplitMix64(seed: seed ^ 0x5e1)
            var settings = Self.settings
            // A third of them has hardly room, so that Services are left out and come back.
            if seed % 3 == 0 { settings.room.addresses = 1 }
            var state = CompilerState(
                cluster.clusterObjects(&random), standIns: cluster.standIns, localNode: cluster.localNode,
                ownAddresses: cluster.ownAddresses, serviceSettings: settings)
            for _ in 0..<12 {
                let before = state.image
                let delta = state.apply((0...random.below(4)).map { _ in cluster.change(&random) })
                let after = state.image
                #expect(lacking(delta, on: before, towards: after) == [], "seed \(seed)")
            }
            let objects = cluster.clusterObjects(&random)
            let fresh = CompilerState(
                objects, standIns: cluster.standIns, localNode: cluster.localNode, ownAddresses: cluster.ownAddresses,
                allocator: state.allocator, serviceSettings: settings)
            #expect(differences(state.image, fresh.image) == [], "seed \(seed)")
            #expect(state.diagnostics == fresh.diagnostics, "seed \(seed)")
            leftOut += state.diagnostics.count { $0.id == .servicesLeftOut }
            let simulator = try NodeSimulator(state.image)
            let evaluator = ReferenceEvaluator(
                state.objects, policies: state.policies, localNode: cluster.localNode, serviceSettings: settings)
            for frontend in evaluator.services.allFrontends().frontends {
                guard
                    evaluator.observedFrontend(frontend.address, frontend.protocol, frontend.port) != nil
                else { continue }
                observed += 1
                for endpoint in state.image.endpoints {
                    guard let pod = evaluator.view.pod(endpoint.namespace, endpoint.name),
                        let source = endpoint.addresses.first(where: { $0.isIPv4 == frontend.address.isIPv4 })
                    else { continue }
                    let answer = try simulator.decide(
                        from: source, to: frontend.address, protocol: frontend.protocol, port: frontend.port
                    ).egress
                    let expected = evaluator.decideEgress(
                        subject: pod, to: frontend.address, protocol: frontend.protocol, port: frontend.port)
                    #expect(
                        answer?.verdict == Self.verdict(expected.verdict),
                        "seed \(seed): \(endpoint.name) to \(frontend), \(expected.reason)")
                    if let answer { answers[answer.verdict, default: 0] += 1 }
                }
            }
        }
        // Worth what it reaches.
        #expect(observed > 100)
        #expect(leftOut > 3)
        #expect(answers[.allow, default: 0] > 100 && answers[.deny, default: 0] > 100)
    }
}
