import NetpoldTestSupport
import Testing

@testable import NetTypes
@testable import PolicyAPI
@testable import PolicyIR

/// The semantics of docs/spec/network-policy.md 2.1 that upstream's conformance tests do not ask for.
@Suite("cluster-scoped policies, evaluated")
struct ClusterPolicyEvaluationTests {
    private let from = "ravenclaw/ravenclaw-0"
    private let to = "gryffindor/gryffindor-0"

    private func evaluator(_ manifests: String, _ change: (inout ClusterObjects) -> Void = { _ in }) throws
        -> ReferenceEvaluator
    {
        var world = Houses()
        try world.apply(manifests)
        change(&world.objects)
        return NetpoldTestSupport.evaluator(world.objects)
    }

    private func ingress(_ rules: String) -> String { "ingress: [\(rules)]" }
    private let every = "from: [{namespaces: {}}]"

    @Test("there is no isolation: a policy that matches nothing changes nothing")
    func noIsolation() throws {
        let nobody = "{action: Accept, from: [{namespaces: {matchLabels: {none: such}}}]}"
        let evaluator = try evaluator(clusterPolicy(ingress(nobody)))
        #expect(try evaluator.answer(from, to) == "allow/allow=allow")
        #expect(try evaluator.answer(to, from) == "allow/allow=allow")
    }

    @Test("an accept on egress does not bypass the destination's ingress policies")
    func bothEnds() throws {
        let evaluator = try evaluator(
            clusterPolicy("out", "egress: [{action: Accept, to: [{namespaces: {}}]}]")
                + clusterPolicy("in", .baseline, subject: houseSelection("gry"), ingress("{action: Deny, \(every)}")))
        #expect(try evaluator.answer(from, to) == "allow/deny=deny")
    }

    @Test("Pass in Admin leaves the rest of the tier, other policies' too; in Baseline it goes to the default")
    func pass() throws {
        let admin = try evaluator(
            clusterPolicy("a", priority: 1, ingress("{action: Pass, \(every)}, {action: Deny, \(every)}"))
                + clusterPolicy("b", priority: 2, ingress("{action: Deny, \(every)}")))
        #expect(try admin.answer(from, to) == "allow/allow=allow")
        let baseline = try evaluator(
            clusterPolicy("a", .baseline, priority: 1, ingress("{action: Pass, \(every)}"))
                + clusterPolicy("b", .baseline, priority: 2, ingress("{action: Deny, \(every)}")))
        #expect(try baseline.answer(from, to) == "allow/allow=allow")
    }

    @Test("hostNetwork pods are neither subjects nor peers by namespaces and pods")
    func hostNetwork() throws {
        let evaluator = try evaluator(
            clusterPolicy("in", ingress("{action: Deny, \(every)}"))
                + clusterPolicy("out", "egress: [{action: Deny, to: [{namespaces: {}}]}]")
        ) { objects in
            objects.pods.append(pod("gryffindor/agent", "", ["192.168.0.2"], node: "node-2", hostNetwork: true))
        }
        #expect(try evaluator.answer("gryffindor/agent", to) == "allow/allow=allow")
        #expect(try evaluator.answer(from, "gryffindor/agent") == "allow/allow=allow")
        #expect(try evaluator.answer(from, to) == "deny/deny=deny")
    }

    @Test("no ingress rule keeps the own node from its pods: its peers are pods only")
    func ownNode() throws {
        let evaluator = try evaluator(
            clusterPolicy("a", ingress("{action: Deny, \(every)}"))
                + clusterPolicy("b", .baseline, ingress("{action: Deny, \(every)}")))
        #expect(try evaluator.answer("host", to) == "allow/allow=allow")
        #expect(try evaluator.answer("remote-node", to) == "allow/allow=allow")
        #expect(try evaluator.answer("ip:8.8.8.8", to) == "allow/allow=allow")
    }

    @Test(
        "a pod peer with a condition that only a reserved label meets is an end that is no pod, as Cilium has it",
        arguments: [
            ("{key: reserved:host, operator: Exists}", "", ["host"]),
            ("{key: reserved:remote-node, operator: Exists}", "", ["remote-node"]),
            ("{key: reserved:world, operator: Exists}", "", ["ip:8.8.8.8"]),
            ("{key: reserved:host, operator: In, values: [\"\"]}", "", ["host"]),
            // No end is both; and such an end has no labels of pods or namespaces.
            ("{key: reserved:host, operator: Exists}, {key: reserved:world, operator: Exists}", "", []),
            ("{key: reserved:host, operator: Exists}, {key: house, operator: Exists}", "", []),
            ("{key: reserved:host, operator: Exists}, {key: house, operator: DoesNotExist}", "", ["host"]),
            ("{key: reserved:host, operator: Exists}", "{key: conformance-house, operator: Exists}", []),
            ("{key: reserved:host, operator: Exists}", "{key: conformance-house, operator: DoesNotExist}", ["host"]),
            // What every pod is content with says nothing: the peer is pods, never the outside.
            ("{key: reserved:host, operator: DoesNotExist}", "", ["ravenclaw/ravenclaw-0"]),
            ("{key: reserved:host, operator: DoesNotExist}, {key: none, operator: Exists}", "", []),
        ] as [(String, String, [String])])
    func reservedPeers(pods: String, namespaces: String, allowed: [String]) throws {
        let peer =
            "{pods: {namespaceSelector: {matchExpressions: [\(namespaces)]}, podSelector: {matchExpressions: [\(pods)]}}}"
        // A policy of the host's own would let it in whatever rules allow: the tier decides before it.
        let evaluator = try evaluator(
            clusterPolicy(
                "in", .admin, subject: houseSelection("gry"),
                ingress(
                    "{action: Deny, from: [\(peer)]}")))
        for end in ["host", "remote-node", "ip:8.8.8.8", from] {
            #expect(
                try evaluator.answer(end, to) == (allowed.contains(end) ? "allow/deny=deny" : "allow/allow=allow"),
                "\(end)")
        }
    }

    @Test("a pod reaches itself on its own address, whatever denies")
    func itself() throws {
        #expect(try evaluator(clusterPolicy(ingress("{action: Deny, \(every)}"))).answer(to, to) == "allow/allow=allow")
    }

    @Test("networks match ICMP, nodes and what is outside; each only its family")
    func networks() throws {
        let evaluator = try evaluator(
            clusterPolicy("egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]"))
        #expect(try evaluator.answer(from, "ip:8.8.8.8", "8/ICMP") == "deny/allow=deny")
        #expect(try evaluator.answer(from, to, "8/ICMP") == "deny/allow=deny")
        #expect(try evaluator.answer(from, "ip:192.168.0.2") == "deny/allow=deny")
        #expect(try evaluator.answer(from, "ip:2600::1") == "allow/allow=allow")
    }

    @Test("a rule with protocols matches no ICMP; one without matches everything")
    func icmp() throws {
        let ports = "protocols: [{tcp: {destinationPort: {range: {start: 1, end: 65535}}}}]"
        let some = try evaluator(clusterPolicy(ingress("{action: Deny, \(every), \(ports)}")))
        #expect(try some.answer(from, to, "8/ICMP") == "allow/allow=allow")
        #expect(try some.answer(from, to, "443/TCP") == "allow/deny=deny")
        let all = try evaluator(clusterPolicy(ingress("{action: Deny, \(every)}")))
        #expect(try all.answer(from, to, "8/ICMP") == "allow/deny=deny")
    }

    @Test("nodes: {} is every node, the own one too; labels choose among them")
    func nodes() throws {
        let all = try evaluator(clusterPolicy("egress: [{action: Deny, to: [{nodes: {}}]}]"))
        #expect(try all.answer(from, "ip:192.168.0.1") == "deny/allow=deny")
        #expect(try all.answer(from, "ip:192.168.0.2") == "deny/allow=deny")
        #expect(try all.answer(from, to) == "allow/allow=allow")
        #expect(try all.answer(from, "ip:8.8.8.8") == "allow/allow=allow")
        let some = try evaluator(
            clusterPolicy("egress: [{action: Deny, to: [{nodes: {matchLabels: {zone: a}}}]}]")
        ) { $0.nodes[1].metadata.labels["zone"] = "a" }
        #expect(try some.answer(from, "ip:192.168.0.1") == "allow/allow=allow")
        #expect(try some.answer(from, "ip:192.168.0.2") == "deny/allow=deny")
    }

    @Test("domainNames match DNS answers; *. is one or more labels, never the apex")
    func domainNames() throws {
        let evaluator = try evaluator(
            clusterPolicy(
                "egress: [{action: Accept, to: [{domainNames: [\"*.Example.com.\", exact.org]}]}, "
                    + "{action: Deny, to: [{networks: [0.0.0.0/0]}]}]")
        ) { objects in
            for (name, address) in [
                "example.com": "1.1.1.1", "www.example.com": "1.1.1.2", "a.b.example.com": "1.1.1.3",
                "myexample.com": "1.1.1.4", "exact.org": "1.1.1.5", "www.exact.org": "1.1.1.6",
            ] {
                objects.names[name] = [address].compactMap { IPAddress(parsing: $0) }
            }
        }
        let allowed = try (1...7).filter { try evaluator.answer(from, "ip:1.1.1.\($0)") == "allow/allow=allow" }
        #expect(allowed == [2, 3, 5])
    }

    @Test("a named port is any protocol's, looked up on the destination")
    func namedPorts() throws {
        let evaluator = try evaluator(
            clusterPolicy(ingress("{action: Deny, \(every), protocols: [{destinationNamedPort: api}]}"))
        ) { objects in
            objects.pods[0].ports = [
                ContainerPort(name: "api", protocol: .sctp, port: 7),
                ContainerPort(name: "api", protocol: .tcp, port: 8),
            ]
        }
        #expect(try evaluator.answer(from, to, "7/SCTP") == "allow/deny=deny")
        #expect(try evaluator.answer(from, to, "8/TCP") == "allow/deny=deny")
        #expect(try evaluator.answer(from, to, "7/TCP") == "allow/allow=allow")
        #expect(try evaluator.answer(to, from, "8/TCP") == "allow/allow=allow")
    }

    /// "Equal priority with overlapping match: implementation may pick any." netpold asks each policy by itself, in its own
    /// order; among the answers Deny beats Accept beats Pass, whatever the policies are called and wherever the rules stand.
    @Test("of two policies of one priority, Deny beats Accept beats Pass", arguments: [("a", "b"), ("b", "a")])
    func samePriority(_ one: String, _ other: String) throws {
        func answer(_ first: String, _ second: String) throws -> String {
            let evaluator = try evaluator(
                clusterPolicy(one, ingress(first)) + clusterPolicy(other, ingress(second))
                    + clusterPolicy("base", .baseline, ingress("{action: Deny, \(every)}")))
            return try evaluator.answer(from, to)
        }
        let accept = "{action: Accept, \(every)}"
        let deny = "{action: Deny, \(every)}"
        let pass = "{action: Pass, \(every)}"
        let other = "{action: Pass, from: [{\(houseSelection("sly"))}]}"
        #expect(try answer(accept, deny) == "allow/deny=deny")
        // The place in the list counts inside a policy only.
        #expect(try answer(accept, "\(other), \(deny)") == "allow/deny=deny")
        #expect(try answer("\(accept), \(deny)", "\(pass), \(deny)") == "allow/allow=allow")
        #expect(try answer("\(pass), \(deny)", "\(other), \(pass)") == "allow/deny=deny")
        #expect(try answer("\(pass), \(deny)", other) == "allow/deny=deny")
        #expect(try answer("\(accept), \(deny)", other) == "allow/allow=allow")
    }

    @Test("the one BaselineAdminNetworkPolicy is asked after the ClusterNetworkPolicies of its tier")
    func baselineAdmin() throws {
        let old = """
            ---
            apiVersion: policy.networking.k8s.io/v1alpha1
            kind: BaselineAdminNetworkPolicy
            metadata: {name: default}
            spec: {subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}

            """
        #expect(try evaluator(old).answer(from, to) == "allow/deny=deny")
        let newer = clusterPolicy("b", .baseline, priority: 1000, ingress("{action: Accept, \(every)}"))
        #expect(try evaluator(old + newer).answer(from, to) == "allow/allow=allow")
    }

    @Test("an explanation uses the name of a rule, with control characters escaped")
    func ruleNames() throws {
        let evaluator = try evaluator(
            clusterPolicy(ingress("{name: \"no \\e[31mred\", action: Deny, \(every)}")))
        let explanation = try evaluator.explain(
            Flow(
                from: .pod(namespace: "ravenclaw", name: "ravenclaw-0"),
                to: .pod(namespace: "gryffindor", name: "gryffindor-0"), protocol: .tcp, port: 80))
        #expect(
            explanation.ingress.lines.contains(
                "  by rule 0: ClusterNetworkPolicy p spec.ingress[0] \"no \\u{1B}[31mred\" (p.yaml:9:13) [Admin priority 10]"
            ))
    }
}
