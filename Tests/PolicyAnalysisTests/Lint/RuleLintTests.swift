import NetpoldTestSupport
import Testing

@testable import PolicyAPI

@Suite("Lint: rules with another effect than they seem to have")
struct RuleLintTests {
    private func policy(_ spec: String, name: String = "p") -> String {
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: \(name), namespace: shop}\nspec: \(spec)\n---\n"
    }

    private func cilium(_ spec: String, name: String = "p") -> String {
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: \(name), namespace: shop}\nspec: \(spec)\n---\n"
    }

    @Test("Two elements where one with both selectors was meant, in either order")
    func orInsteadOfAnd() {
        let namespaces = "{namespaceSelector: {matchLabels: {a: b}}}"
        let pods = "{podSelector: {matchLabels: {c: d}}}"
        for list in ["\(namespaces), \(pods)", "\(pods), \(namespaces)"] {
            #expect(lint(policy("{podSelector: {}, ingress: [{from: [\(list)]}]}"), .orInsteadOfAnd).count == 1)
            let egress = "{podSelector: {}, policyTypes: [Egress], egress: [{to: [\(list)]}]}"
            #expect(lint(policy(egress), .orInsteadOfAnd).first?.contains("spec.egress[0].to[1]") == true)
        }
    }

    @Test(
        "Alternatives that cannot be meant as a conjunction are not reported",
        arguments: [
            // All pods of the own namespace, or those of others.
            "{podSelector: {}}, {namespaceSelector: {matchLabels: {a: b}}}",
            "{namespaceSelector: {matchLabels: {a: b}}, podSelector: {matchLabels: {c: d}}}",
            "{ipBlock: {cidr: 10.0.0.0/8}}, {namespaceSelector: {matchLabels: {a: b}}}, {podSelector: {matchLabels: {c: d}}}",
            "{podSelector: {matchLabels: {c: d}}}, {podSelector: {matchLabels: {c: e}}}",
            "{namespaceSelector: {matchLabels: {a: b}}}",
        ])
    func alternatives(_ list: String) {
        #expect(lint(policy("{podSelector: {}, ingress: [{from: [\(list)]}]}"), .orInsteadOfAnd) == [])
    }

    @Test("Alternatives that pods show to be intended are not reported")
    func alternativesShown() {
        let list = "{namespaceSelector: {matchLabels: {a: b}}}, {podSelector: {matchLabels: {c: d}}}"
        let text = policy("{podSelector: {}, ingress: [{from: [\(list)]}]}")
        let here = namespace("other", "a: b") + pod("x", "c: d") + pod("y", "e: f", namespace: "other")
        #expect(lint(here + text, .orInsteadOfAnd) == [])
        let there = namespace("other", "a: b") + pod("x", "e: f") + pod("y", "c: d", namespace: "other")
        #expect(lint(there + text, .orInsteadOfAnd).count == 1)
    }

    @Test("An empty element of a Cilium list, alone or beside others, allows nothing")
    func emptyElement() {
        #expect(lint(cilium("{endpointSelector: {}, ingress: [{}]}"), .emptyElement).count == 1)
        #expect(
            lint(cilium("{endpointSelector: {}, egress: [{toEntities: [all]}, {}]}"), .emptyElement).first?
                .contains("spec.egress[1]: the element {} selects no peer and adds nothing") == true)
        #expect(
            lint(
                cilium("{endpointSelector: {}, enableDefaultDeny: {ingress: false}, ingressDeny: [{}]}"), .emptyElement
            )
            .count == 1)
    }

    @Test("Allow rules without isolation have no effect, unless a Baseline rule would deny what they allow")
    func allowWithoutIsolation() {
        let allow =
            pod("web", "app: web")
            + cilium(
                "{endpointSelector: {}, enableDefaultDeny: {ingress: false}, ingress: [{fromEntities: [cluster]}]}")
        #expect(lint(allow, .noEffect).count == 1)
        let baseline = """
            apiVersion: policy.networking.k8s.io/v1alpha2
            kind: ClusterNetworkPolicy
            metadata: {name: b}
            spec: {tier: Baseline, priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}
            ---

            """
        #expect(lint(baseline + allow, .noEffect) == [])
        #expect(lint(baseline.replacing("action: Deny", with: "action: Accept") + allow, .noEffect).count == 1)
    }

    @Test("A default deny that says so, and a NetworkPolicy's empty rule, are not reported")
    func meantEmptyElement() {
        #expect(lint(cilium("{endpointSelector: {}, ingress: [{}]}", name: "default-deny"), .emptyElement) == [])
        #expect(
            lint(cilium("{description: Isolates everything, endpointSelector: {}, ingress: [{}]}"), .emptyElement) == []
        )
        #expect(lint(cilium("{endpointSelector: {}, ingress: [{fromEntities: [all]}]}"), .emptyElement) == [])
        #expect(lint(policy("{podSelector: {}, ingress: [{}]}"), .emptyElement) == [])
    }

    @Test("Each empty list of peers is reported; a missing one and one with content are not")
    func emptyPeerList() {
        for list in ["toEndpoints", "toEntities", "toCIDR", "toCIDRSet", "toServices", "toFQDNs", "toNodes"] {
            let found = lint(cilium("{endpointSelector: {}, egress: [{\(list): []}]}"), .emptyPeerList)
            #expect(found.first?.contains("spec.egress[0].\(list): an empty list selects no peer") == true)
        }
        let ports = "toPorts: [{ports: [{port: \"80\", protocol: TCP}]}]"
        #expect(lint(cilium("{endpointSelector: {}, ingress: [{\(ports)}]}"), .emptyPeerList) == [])
        #expect(lint(cilium("{endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}"), .emptyPeerList) == [])
        #expect(lint(policy("{podSelector: {}, ingress: [{from: []}]}"), .emptyPeerList) == [])
    }

    @Test("A lone deny isolates, unless enableDefaultDeny is set, or another policy isolates anyway")
    func denyIsolates() {
        let deny = "ingressDeny: [{fromEntities: [world]}]"
        #expect(lint(cilium("{endpointSelector: {}, \(deny)}"), .denyIsolates).count == 1)
        for said in ["true", "false"] {
            #expect(
                lint(cilium("{endpointSelector: {}, enableDefaultDeny: {ingress: \(said)}, \(deny)}"), .denyIsolates)
                    == [])
        }
        #expect(
            lint(cilium("{endpointSelector: {}, \(deny), ingress: [{fromEntities: [cluster]}]}"), .denyIsolates) == [])
        let lone = cilium("{endpointSelector: {matchLabels: {app: web}}, \(deny)}")
        #expect(lint(lone + policy("{podSelector: {}}", name: "deny"), .denyIsolates) == [])
        // One that isolates other pods does not help.
        #expect(lint(lone + policy("{podSelector: {matchLabels: {app: db}}}", name: "db"), .denyIsolates).count == 1)
    }

    @Test("An allow that a deny of the same pods covers is reported, whichever object the deny is in")
    func shadowed() {
        let allow = cilium(
            "{endpointSelector: {matchLabels: {app: web}}, ingress: [{fromEndpoints: [{matchLabels: {a: b}}]}]}")
        let deny = { (what: String) in
            "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: d}\n"
                + "spec: {endpointSelector: {}, enableDefaultDeny: {ingress: false}, ingressDeny: [\(what)]}\n---\n"
        }
        let found = lint(allow + deny("{fromEntities: [cluster]}"), .shadowedByDeny)
        #expect(found.count == 1)
        #expect(found[0].contains("spec.ingress[0]: this allows nothing: CiliumClusterwideNetworkPolicy d"))
        for narrow in [
            "{fromEntities: [world]}", "{fromEndpoints: [{matchLabels: {a: b, c: d}}]}",
            "{fromEntities: [cluster], toPorts: [{ports: [{port: \"80\", protocol: TCP}]}]}",
        ] {
            #expect(lint(allow + deny(narrow), .shadowedByDeny) == [], "\(narrow)")
        }
    }

    @Test("A NetworkPolicy's rule is shadowed by a Cilium deny as well")
    func shadowedAcrossKinds() {
        let allow = policy("{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {a: b}}}]}]}")
        let deny = { (selector: String) in
            cilium(
                "{endpointSelector: {}, enableDefaultDeny: {ingress: false}, ingressDeny: [{fromEndpoints: [\(selector)]}]}",
                name: "d")
        }
        #expect(lint(allow + deny("{}"), .shadowedByDeny).count == 1)
        #expect(lint(allow + deny("{matchLabels: {c: d}}"), .shadowedByDeny) == [])
    }

    @Test("A rule next to a wider one of its policy is redundant; of two equal ones the second")
    func redundant() {
        let narrow = "{from: [{podSelector: {matchLabels: {a: b}}}], ports: [{port: 80}]}"
        #expect(
            lint(policy("{podSelector: {}, ingress: [\(narrow), {}]}"), .redundantRule).map {
                $0.contains("spec.ingress[0]:")
            }
                == [true])
        #expect(
            lint(policy("{podSelector: {}, ingress: [\(narrow), \(narrow)]}"), .redundantRule)
                .map { $0.contains("spec.ingress[1]:") } == [true])
        let other = "{from: [{podSelector: {matchLabels: {a: c}}}], ports: [{port: 80}]}"
        #expect(lint(policy("{podSelector: {}, ingress: [\(narrow), \(other)]}"), .redundantRule) == [])
        // A wider rule of another policy is how policies are composed.
        #expect(
            lint(
                policy("{podSelector: {}, ingress: [\(narrow)]}")
                    + policy("{podSelector: {}, ingress: [{}]}", name: "q"),
                .redundantRule) == [])
    }

    @Test("L7 rules next to a plain allow of the same connections have no effect, in whichever policy it is")
    func bypassed() {
        let http = "toPorts: [{ports: [{port: \"80\", protocol: TCP}], rules: {http: [{method: GET}]}}]"
        let guarded = cilium("{endpointSelector: {matchLabels: {app: web}}, ingress: [{\(http)}]}")
        #expect(lint(guarded, .bypassedL7) == [])
        #expect(
            lint(guarded + policy("{podSelector: {}, ingress: [{}]}", name: "all"), .bypassedL7).first?
                .contains("spec.ingress[0].toPorts[0].rules: NetworkPolicy shop/all spec.ingress[0]") == true)
        #expect(
            lint(guarded + policy("{podSelector: {}, ingress: [{ports: [{port: 81}]}]}", name: "x"), .bypassedL7) == [])
        #expect(
            lint(guarded + policy("{podSelector: {matchLabels: {app: db}}, ingress: [{}]}", name: "x"), .bypassedL7)
                == [])
    }

    private let guardedWeb =
        "{endpointSelector: {matchLabels: {app: api}}, ingress: [{fromEndpoints: [{matchLabels: {app: web}}], "
        + "toPorts: [{ports: [{port: \"80\", protocol: TCP}], rules: {http: [{method: GET}]}}]}]}"

    @Test(
        "A plain rule of a NetworkPolicy bypasses L7 rules for pods, however it selects them",
        arguments: [
            ("{podSelector: {matchLabels: {app: web}}}", 1), ("{podSelector: {}}", 1), ("{namespaceSelector: {}}", 1),
            ("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}", 1),
            (
                "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}, podSelector: {matchLabels: {app: web}}}",
                1
            ),
            ("{podSelector: {matchLabels: {app: admin}}}", 0), ("{podSelector: {matchLabels: {app: web, a: b}}}", 0),
            ("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}}", 0),
            ("{namespaceSelector: {matchLabels: {team: x}}}", 0), ("{ipBlock: {cidr: 10.0.0.0/8}}", 0),
        ])
    func bypassedByPodSelector(_ peer: String, _ count: Int) {
        let plain = policy(
            "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [\(peer)], ports: [{port: 80}]}]}", name: "plain"
        )
        #expect(lint(cilium(guardedWeb) + plain, .bypassedL7).count == count)
    }

    @Test("A plain rule bypasses L7 rules where it selects the known pods by other labels")
    func bypassedForKnownPods() {
        let plain = policy(
            "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {tier: front}}}]}]}", name: "plain")
        let web = pod("web", "app: web, tier: front") + pod("api", "app: api")
        #expect(lint(cilium(guardedWeb) + plain, .bypassedL7) == [])
        #expect(lint(web + cilium(guardedWeb) + plain, .bypassedL7).count == 1)
        #expect(lint(web + pod("web2", "app: web") + cilium(guardedWeb) + plain, .bypassedL7) == [])
    }

    @Test("A ClusterNetworkPolicy of the tier Admin bypasses L7 rules, unless something is passed on before it")
    func bypassedByAdmin() {
        func admin(_ name: String, _ priority: Int, _ action: String, _ tier: String = "Admin") -> String {
            """
            apiVersion: policy.networking.k8s.io/v1alpha2
            kind: ClusterNetworkPolicy
            metadata: {name: \(name)}
            spec:
              tier: \(tier)
              priority: \(priority)
              subject: {namespaces: {}}
              ingress: [{action: \(action), from: [{namespaces: {}}]}]
            ---

            """
        }
        let accept = admin("accept", 5, "Accept")
        #expect(
            lint(cilium(guardedWeb) + accept, .bypassedL7).first?.contains(": ClusterNetworkPolicy accept ") == true)
        #expect(lint(cilium(guardedWeb) + accept + admin("pass", 9, "Pass"), .bypassedL7).count == 1)
        #expect(lint(cilium(guardedWeb) + accept + admin("pass", 1, "Pass"), .bypassedL7) == [])
        #expect(lint(cilium(guardedWeb) + admin("accept", 5, "Accept", "Baseline"), .bypassedL7) == [])
    }

    @Test("L7 rules that are bypassed for one of their peers or ports only are reported as such")
    func bypassedInPart() {
        let dns = cilium(
            "{endpointSelector: {}, egress: [{toEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: kube-system}}], "
                + "toPorts: [{ports: [{port: \"53\", protocol: ANY}], rules: {dns: [{matchPattern: \"*.example.com\"}]}}]}]}"
        )
        let plain = policy(
            "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: "
                + "{matchLabels: {kubernetes.io/metadata.name: kube-system}}}], ports: [{port: 53, protocol: UDP}]}]}",
            name: "plain")
        let found = lint(dns + plain, .bypassedL7)
        #expect(found.count == 1 && found[0].contains("allows some of the connections without L7 rules"))
        let two = guardedWeb.replacing("{app: web}}", with: "{app: web}}, {matchLabels: {app: admin}}")
        let admin = policy(
            "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: admin}}}]}]}", name: "plain")
        #expect(lint(cilium(two) + admin, .bypassedL7).count == 1)
    }

    @Test("A rule is not called redundant where its peer is reported as a mistake")
    func redundantMistake() {
        let rules = { (peer: String) in
            self.policy("{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {\(peer)}}}]}, {from: []}]}")
        }
        let web = pod("web", "app: web")
        #expect(lint(web + rules("app: web"), .redundantRule).count == 1)
        #expect(lint(web + rules("app: wbe"), .selectsNothing).count == 1)
        #expect(lint(web + rules("app: wbe"), .redundantRule) == [])
        // Nobody knows whether it is one.
        #expect(lint(rules("app: wbe"), .redundantRule).count == 1)
        let wide = "toPorts: [{ports: [{port: \"80\", protocol: TCP}]}]"
        let peer = "fromEndpoints: [{matchLabels: {app: wbe}}]"
        let both = cilium("{endpointSelector: {}, ingress: [{\(peer), \(wide)}, {\(wide)}]}")
        #expect(lint(web + both, .redundantRule) == [])
        #expect(lint(web + both.replacing("wbe", with: "web"), .redundantRule).count == 1)
    }

    @Test("Rules that allow where nothing isolates have no effect")
    func noIsolation() {
        let open = cilium(
            "{endpointSelector: {}, enableDefaultDeny: {ingress: false}, ingress: [{fromEntities: [world]}]}")
        #expect(lint(pod("web", "app: web") + open, .noEffect).count == 1)
        #expect(lint(pod("web", "app: web") + open + policy("{podSelector: {}}", name: "deny"), .noEffect) == [])
        // Nobody knows which pods there are.
        #expect(lint(open, .noEffect) == [])
    }
}
