import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

struct RefusedPolicyTests {
    private func decoded(_ text: String) -> DecodedManifests {
        var decoder = ManifestDecoder()
        decoder.add(Array(text.utf8), file: "policies.yaml")
        return decoder.finish()
    }

    private func evaluator(_ text: String) -> ReferenceEvaluator {
        let decoded = decoded(text)
        var objects = decoded.objects
        objects.pods = [
            pod("shop/web", "app=web", ["10.0.0.1"]), pod("shop/db", "app=db", ["10.0.0.2"]),
            pod("ops/web", "app=web", ["10.0.1.1"]),
        ]
        return ReferenceEvaluator(
            objects,
            policies: PolicyLowering.lower(objects).policies + PolicyLowering.lowerRefused(decoded.refused))
    }

    @Test("a refused NetworkPolicy isolates the pods that it selects, in its directions, and allows nothing")
    func networkPolicy() throws {
        let evaluator = evaluator(
            """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: bad, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: web}}
              policyTypes: [Ingress]
              ingress: [{}, {ports: [{port: 80, protocol: HTTP}]}]
            """)
        #expect(try evaluator.answer("shop/db", "shop/web") == "allow/deny=deny")
        #expect(try evaluator.answer("shop/web", "shop/db") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/db", "ops/web") == "allow/allow=allow")
    }

    @Test("a refused CiliumNetworkPolicy stays in its namespace")
    func ciliumPolicy() throws {
        let evaluator = evaluator(
            """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: bad, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              enableDefaultDeny: {egress: false}
              egress: [{toEntities: [all]}, {toEntities: [everything]}]
            """)
        #expect(try evaluator.answer("shop/web", "shop/db") == "deny/allow=deny")
        #expect(try evaluator.answer("ops/web", "shop/db") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/db", "shop/web") == "allow/allow=allow")
    }

    /// Manifests with a mistake in whom a policy of namespace shop selects, meant to be app=web.
    private static let badSelectors = [
        "podSelector: {app: web}", "podSelector: {matchlabels: {app: web}}", "podSelector: {matchLabels: {app: 5}}",
        "podSelector: {matchLabels: {app: yes}}", "podSelector: [app]", "podSelectr: {matchLabels: {app: web}}",
        "podSelector: {matchExpressions: [{key: app, operator: Equals, values: [web]}]}",
        "podSelector: {matchExpressions: [{key: app, operator: In}]}",
        "podSelector: {matchExpressions: [{key: app, operator: DoesNotExist, values: [web]}]}",
        "podSelector: {matchLabels: {app: db, app: web}}",
    ]

    @Test(
        "a condition of a refused selector that cannot be read selects every pod of the namespace",
        arguments: badSelectors)
    func unreadableSelector(_ selector: String) throws {
        let evaluator = evaluator(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: bad, namespace: shop}\n"
                + "spec:\n  \(selector)\n  policyTypes: [Ingress]\n")
        #expect(try evaluator.answer("ops/web", "shop/web") == "allow/deny=deny")
        #expect(try evaluator.answer("ops/web", "shop/db") == "allow/deny=deny")
    }

    @Test("of a refused selector, the conditions that can be read still hold")
    func partlyReadableSelector() throws {
        for (kind, field) in [
            ("networking.k8s.io/v1\nkind: NetworkPolicy", "podSelector"),
            ("cilium.io/v2\nkind: CiliumNetworkPolicy", "endpointSelector"),
        ] {
            let evaluator = evaluator(
                "apiVersion: \(kind)\nmetadata: {name: bad, namespace: shop}\n"
                    + "spec: {\(field): {matchLabels: {app: web, tier: 5}}, ingress: [{}]}")
            #expect(try evaluator.answer("ops/web", "shop/web") == "allow/deny=deny")
            #expect(try evaluator.answer("ops/web", "shop/db") == "allow/allow=allow")
        }
    }

    @Test("a refused policy that denies lets nothing pass but the own node, whatever others allow")
    func deny() throws {
        for mistake in [
            "ingressDeny: [{fromEntities: [wrld]}]", "ingresDeny: [{fromEntities: [world]}]",
            "ingressDeny: [{fromGroups: [{aws: {}}]}]",
        ] {
            let evaluator = evaluator(
                """
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: bad, namespace: shop}
                spec: {endpointSelector: {matchLabels: {app: web}}, ingress: [{fromEntities: [all]}], \(mistake)}
                ---
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: open, namespace: shop}
                spec: {podSelector: {}, ingress: [{}]}
                """)
            #expect(try evaluator.answer("shop/db", "shop/web") == "allow/deny=deny")
            #expect(try evaluator.answer("ip:8.8.8.8", "shop/web") == "allow/deny=deny")
            #expect(try evaluator.answer("host", "shop/web") == "allow/allow=allow")
            #expect(try evaluator.answer("ops/web", "shop/db") == "allow/allow=allow")
        }
    }

    @Test("the reason of a denial says that the policy was refused")
    func reason() throws {
        let evaluator = evaluator(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: bad, namespace: shop}\n"
                + "spec: {podSelector: {}, ingres: []}")
        let explanation = try evaluator.explain(
            Flow(
                from: .pod(namespace: "ops", name: "web"), to: .pod(namespace: "shop", name: "web"), protocol: .tcp,
                port: 80))
        #expect(
            explanation.ingress.lines.contains(
                "    NetworkPolicy shop/bad (policies.yaml:1:1), refused because of its errors"))
    }

    @Test("a refused policy that names no pods isolates nobody")
    func unknownSubject() {
        let refusal = PolicyRefusal(
            origin: RuleOrigin(kind: "NetworkPolicy", namespace: "shop", name: "bad", path: ""), subject: nil,
            ingress: true, egress: true)
        #expect(PolicyLowering.lowerRefused([refusal]).isEmpty)
    }

    @Test("one refused rule of several refuses the object: every rule's subject is isolated")
    func wholeObject() throws {
        let evaluator = evaluator(
            """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: bad, namespace: shop}
            specs:
            - endpointSelector: {matchLabels: {app: web}}
              ingress: [{fromEntities: [all]}]
            - endpointSelector: {matchLabels: {app: db}}
              ingressDeny: [{fromCIDRSet: [{cidrGroupRef: office}]}]
            """)
        #expect(try evaluator.answer("ops/web", "shop/web") == "allow/deny=deny")
        #expect(try evaluator.answer("ops/web", "shop/db") == "allow/deny=deny")
    }
}
