import NetpoldTestSupport
import PolicyAPI

extension EdgeCases {
    private static let anyone = "from: [{namespaces: {}}]"
    private static let toAnyone = "to: [{namespaces: {}}]"

    private static func peer(_ name: String) -> String {
        "{pods: {namespaceSelector: {}, podSelector: \(app(name))}}"
    }

    /// An AdminNetworkPolicy or, without priority, the BaselineAdminNetworkPolicy, about `app=web` in namespace shop.
    private static func admin(_ rules: String, priority: Int? = 10) -> String {
        let kind = priority == nil ? "BaselineAdminNetworkPolicy" : "AdminNetworkPolicy"
        return "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: \(kind)\nmetadata: {name: default}\n"
            + "spec: {\(priority.map { "priority: \($0), " } ?? "")subject: {pods: {namespaceSelector: "
            + "{matchLabels: {team: red}}, podSelector: \(app("web"))}}, \(rules)}\n"
    }

    private static func bare(_ spec: String) -> String {
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: bare}\nspec: {\(spec)}\n"
    }

    /// docs/spec/network-policy.md 2.1 and 2.2, items about tiers, subjects and verdicts.
    static let clusterTiers: [EdgeCase] = [
        EdgeCase(
            .clusterPolicy("Scope"), "the policy has no namespace and selects pods of every one",
            Trial(
                bare("tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, \(anyone)}]"),
                flows: ["deny db > web 80", "deny db > ops/probe 80"])),
        EdgeCase(
            .clusterPolicy("tier"), "Admin, then NetworkPolicy, then Baseline, then allow; no other tier",
            Trial(
                clusterPolicy("a", "ingress: [{action: Accept, from: [\(peer("db"))]}]"), np("ingress: []"),
                flows: ["allow db > web 80", "deny cache > web 80"]),
            Trial(
                clusterPolicy("a", tier: "Baseline", "ingress: [{action: Deny, \(anyone)}]"),
                flows: ["deny db > web 80", "allow 203.0.113.1 > web 80", "allow web > db 80"]),
            Trial(
                clusterPolicy("a", tier: "Middle", "ingress: [{action: Deny, \(anyone)}]"),
                flows: ["deny db > web 80"], refused: ["invalid-value spec.tier"])),
        EdgeCase(
            .clusterPolicy("priority"), "0 to 1000, the lower first; equal ones are warned of",
            Trial(
                clusterPolicy("a", priority: 5, "ingress: [{action: Deny, from: [\(peer("db"))]}]"),
                clusterPolicy("b", priority: 4, "ingress: [{action: Accept, from: [\(peer("db"))]}]"),
                flows: ["allow db > web 80"]),
            Trial(
                clusterPolicy("a", priority: 0, "ingress: [{action: Deny, from: [\(peer("db"))]}]"),
                clusterPolicy("b", priority: 1000, "ingress: [{action: Accept, \(anyone)}]"),
                flows: ["deny db > web 80", "allow cache > web 80"]),
            Trial(
                clusterPolicy("a", "ingress: [{action: Deny, from: [\(peer("db"))]}]"),
                clusterPolicy("b", "ingress: [{action: Accept, from: [\(peer("db"))]}]"), flows: ["deny db > web 80"],
                warned: ["conflict spec.priority"]),
            Trial(
                clusterPolicy("a", priority: 1001, "ingress: [{action: Deny, \(anyone)}]"),
                flows: ["deny db > web 80"], refused: ["invalid-value spec.priority"])),
        EdgeCase(
            .clusterPolicy("Rule order"), "the first rule of the list that matches decides",
            Trial(
                clusterPolicy(
                    "a", "ingress: [{action: Accept, from: [\(peer("db"))]}, {action: Deny, \(anyone)}]"),
                flows: ["allow db > web 80", "deny cache > web 80"]),
            Trial(
                clusterPolicy(
                    "a", "ingress: [{action: Deny, \(anyone)}, {action: Accept, from: [\(peer("db"))]}]"),
                flows: ["deny db > web 80"])),
        EdgeCase(
            .clusterPolicy("Isolation"), "a policy isolates nobody: what no rule matches passes",
            Trial(
                clusterPolicy("a", "ingress: [{action: Accept, from: [\(peer("db"))]}]"),
                flows: ["allow cache > web 80", "allow 203.0.113.1 > web 80", "allow web > db 80"])),
        EdgeCase(
            .clusterPolicy("subject"), "namespaces or pods, exactly one; no hostNetwork pod",
            Trial(
                bare(
                    "tier: Admin, priority: 1, subject: {namespaces: {matchLabels: {team: blue}}}, ingress: [{action: Deny, \(anyone)}]"
                ),
                flows: ["deny db > ops/probe 80", "allow db > web 80"]),
            Trial(
                bare("tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, \(anyone)}]"),
                flows: ["deny db > web 80", "allow db > agent 80", "allow db > host 80"]),
            Trial(
                bare("tier: Admin, priority: 1, subject: {}, ingress: [{action: Deny, \(anyone)}]"),
                flows: ["deny db > web 80", "deny db > ops/probe 80"], refused: ["missing-field spec.subject"])),
        EdgeCase(
            .clusterPolicy("Accept"), "is final in its direction at its end, and opens nothing at the other",
            Trial(
                clusterPolicy("a", "egress: [{action: Accept, \(toAnyone)}]"), np("policyTypes: [Egress]"),
                np("ingress: []", selects: app("db"), name: "q"),
                flows: ["allow web > cache 80", "deny web > db 80 egress: allow, ingress: deny"])),
        EdgeCase(
            .clusterPolicy("Deny"), "is final",
            Trial(
                clusterPolicy("a", "ingress: [{action: Deny, from: [\(peer("db"))]}]"), np("ingress: [{}]"),
                clusterPolicy("b", tier: "Baseline", "ingress: [{action: Accept, \(anyone)}]"),
                flows: ["deny db > web 80", "allow cache > web 80"])),
        EdgeCase(
            .clusterPolicy("Pass"), "skips the rest of the tier; in Baseline it is the default allow",
            Trial(
                clusterPolicy("a", "ingress: [{action: Pass, from: [\(peer("db"))]}, {action: Deny, \(anyone)}]"),
                clusterPolicy("b", priority: 20, "ingress: [{action: Deny, \(anyone)}]"),
                flows: ["allow db > web 80", "deny cache > web 80"]),
            Trial(
                clusterPolicy("a", "ingress: [{action: Pass, from: [\(peer("db"))]}]"), np("ingress: []"),
                flows: ["deny db > web 80"]),
            Trial(
                clusterPolicy(
                    "a", tier: "Baseline",
                    "ingress: [{action: Pass, from: [\(peer("db"))]}, {action: Deny, \(anyone)}]"),
                flows: ["allow db > web 80", "deny cache > web 80"])),
        EdgeCase(
            .clusterPolicy("no match"), "the next policy, then the next tier",
            Trial(
                clusterPolicy("a", priority: 1, "ingress: [{action: Accept, from: [\(peer("db"))]}]"),
                clusterPolicy("b", priority: 2, "ingress: [{action: Accept, from: [\(peer("cache"))]}]"),
                np("ingress: [{from: [{podSelector: {}}], ports: [{port: 81}]}]"),
                flows: ["allow cache > web 80", "deny ops/probe > web 80", "deny ops/probe > web 81"])),
        EdgeCase(
            .clusterPolicy("NetworkPolicy tier"), "a pod that a NetworkPolicy isolates has no Baseline",
            Trial(
                clusterPolicy("a", tier: "Baseline", "ingress: [{action: Accept, \(anyone)}]"), np("ingress: []"),
                flows: ["deny db > web 80"]),
            Trial(
                clusterPolicy("a", tier: "Baseline", "ingress: [{action: Deny, \(anyone)}]"),
                np("ingress: [{ports: [{port: 80}]}]"), flows: ["allow db > web 80", "deny db > web 81"])),
        EdgeCase(
            .clusterPolicy("Hairpin"), "a pod reaches itself by its own address",
            Trial(
                clusterPolicy("a", "ingress: [{action: Deny, \(anyone)}], egress: [{action: Deny, \(toAnyone)}]"),
                flows: ["allow web > web 80", "deny web > db 80"])),
        EdgeCase(
            .clusterPolicy("Open"), "a Deny of nodes holds for the own node too; a Deny of pods does not reach it",
            Trial(
                clusterPolicy("a", "ingress: [{action: Deny, \(anyone)}]"),
                flows: ["allow host > web 80", "deny db > web 80"]),
            Trial(
                clusterPolicy("a", "egress: [{action: Deny, to: [{nodes: {}}]}]"),
                flows: ["deny web > host 80", "deny web > 10.9.0.2 80", "allow web > db 80"])),
    ]

    /// docs/spec/network-policy.md 2.1 and 2.2, items about rules, peers and ports.
    static let clusterRules: [EdgeCase] = [
        EdgeCase(
            .clusterPolicy("ingress[], egress[]"), "25 rules, names of 100 characters, peers required",
            Trial(
                clusterPolicy("a", "ingress: [{action: Deny}]"),
                flows: ["deny db > web 80", "deny 203.0.113.1 > web 80"],
                refused: ["missing-field spec.ingress[0]"]),
            Trial(
                clusterPolicy("a", "ingress: [{action: Deny, from: []}]"), flows: ["deny db > web 80"],
                refused: ["missing-field spec.ingress[0].from"]),
            Trial(
                clusterPolicy(
                    "a",
                    "ingress: [\(Array(repeating: "{action: Deny, \(anyone)}", count: 26).joined(separator: ", "))]"),
                flows: ["deny db > web 80"], refused: ["too-many spec.ingress"])),
        EdgeCase(
            .clusterPolicy("Ingress peers"), "namespaces and pods, no addresses, nodes and names",
            Trial(
                clusterPolicy("a", "ingress: [{action: Deny, from: [{namespaces: {matchLabels: {team: blue}}}]}]"),
                flows: ["deny ops/probe > web 80", "allow db > web 80", "allow 203.0.113.1 > web 80"]),
            Trial(
                clusterPolicy("a", "ingress: [{action: Accept, from: [{networks: [10.0.0.0/8]}]}]"),
                np("ingress: []"), flows: ["deny db > web 80"],
                refused: ["unsupported-field spec.ingress[0].from[0].networks"])),
        EdgeCase(
            .clusterPolicy("Egress peers"), "also networks, pods' addresses and ICMP too, and nodes by labels",
            Trial(
                clusterPolicy("a", "egress: [{action: Deny, to: [{networks: [10.0.0.0/24, 203.0.113.0/24]}]}]"),
                flows: [
                    "deny web > 10.0.0.2 80", "deny web > db icmp/8", "deny web > 203.0.113.1 80",
                    "allow web > ops/probe 80",
                ]),
            Trial(
                clusterPolicy("a", "egress: [{action: Deny, to: [{nodes: {matchLabels: {zone: b}}}]}]"),
                flows: ["deny web > 10.9.0.2 80", "allow web > host 80", "allow web > db 80"])),
        EdgeCase(
            .clusterPolicy("Unknown or empty peer"), "an Accept matches nothing; a Deny or Pass denies everything",
            Trial(
                clusterPolicy("a", "ingress: [{action: Accept, from: [{}]}]"), np("ingress: []"),
                flows: ["deny db > web 80"], refused: ["missing-field spec.ingress[0].from[0]"]),
            Trial(
                clusterPolicy("a", "ingress: [{action: Deny, from: [{galaxies: {}}]}]"), np("ingress: [{}]"),
                flows: ["deny db > web 80", "deny 203.0.113.1 > web 80", "allow web > db 80"],
                refused: ["unknown-field spec.ingress[0].from[0].galaxies"]),
            Trial(
                clusterPolicy("a", "egress: [{action: Pass, to: [{}]}]"), np("policyTypes: [Egress], egress: [{}]"),
                flows: ["deny web > db 80", "deny web > 203.0.113.1 80", "allow db > web 80"],
                refused: ["missing-field spec.egress[0].to[0]"])),
        EdgeCase(
            .clusterPolicy("protocols[]"), "tcp, udp or sctp with number or range, or a name of any protocol",
            Trial(
                clusterPolicy(
                    "a",
                    "ingress: [{action: Deny, \(anyone), protocols: [{tcp: {destinationPort: {number: 80}}}, "
                        + "{udp: {destinationPort: {range: {start: 5, end: 7}}}}, {destinationNamedPort: dns}]}]"),
                flows: [
                    "deny db > web 80", "allow db > web 80/UDP", "deny db > web 5/UDP", "deny db > web 7/UDP",
                    "allow db > web 8/UDP", "allow db > web 5", "deny db > web 53/UDP", "allow db > web 53",
                    "allow db > web 80/SCTP",
                ]),
            Trial(
                clusterPolicy("a", "ingress: [{action: Deny, \(anyone), protocols: [{}]}]"),
                flows: ["deny db > web 81"],
                refused: ["missing-field spec.ingress[0].protocols[0]"])),
        EdgeCase(
            .clusterPolicy("Trap: omitted destinationPort"), "`tcp: {}` and a range of one port are refused",
            Trial(
                clusterPolicy("a", "ingress: [{action: Deny, \(anyone), protocols: [{tcp: {}}]}]"),
                flows: ["deny db > web 80"], refused: ["missing-field spec.ingress[0].protocols[0].tcp"]),
            Trial(
                clusterPolicy(
                    "a",
                    "ingress: [{action: Accept, \(anyone), protocols: [{tcp: {destinationPort: {range: {start: 80, end: 80}}}}]}]"
                ),
                refused: ["invalid-value spec.ingress[0].protocols[0].tcp.destinationPort.range"])),
        EdgeCase(
            .clusterPolicy("CEL"), "no named port beside networks, nodes and names",
            Trial(
                clusterPolicy(
                    "a",
                    "egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}], protocols: [{destinationNamedPort: http}]}]"
                ),
                flows: ["deny web > db 80"], refused: ["conflict spec.egress[0].protocols"])),
        EdgeCase(
            .clusterPolicy("domainNames"),
            "in Accept only: the name, or with `*.` one or more labels before it, never the apex",
            Trial(
                clusterPolicy(
                    "a",
                    "egress: [{action: Accept, to: [{domainNames: ['*.example.com', example.org.]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]"
                ),
                names: [
                    "a.example.com": ["203.0.113.1"], "a.b.example.com": ["203.0.113.2"],
                    "example.com": ["203.0.113.3"],
                    "example.org": ["203.0.113.4"], "a.example.org": ["203.0.113.5"], "pod.example.com": ["10.0.0.2"],
                ],
                flows: [
                    "allow web > 203.0.113.1 80", "allow web > 203.0.113.2 80", "deny web > 203.0.113.3 80",
                    "allow web > 203.0.113.4 80", "deny web > 203.0.113.5 80", "deny web > 10.0.0.2 80",
                ]),
            Trial(
                clusterPolicy("a", "egress: [{action: Deny, to: [{domainNames: [example.com]}]}]"),
                flows: ["deny web > db 80"], refused: ["conflict spec.egress[0].to"]),
            Trial(
                clusterPolicy(
                    "a",
                    "egress: [{action: Accept, to: [{domainNames: [db.shop.svc.cluster.local, node.example.com]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]"
                ),
                names: ["db.shop.svc.cluster.local": ["10.0.0.2"], "node.example.com": ["10.9.0.2"]],
                flows: ["deny web > 10.0.0.2 80", "deny web > 10.9.0.2 80"],
                warned: ["no-effect spec.egress[0].to[0].domainNames[0]"]),
            differs: .init(
                input: "`domainNames` for which DNS gives the address of a pod (a headless Service) or node",
                theirs: "a headless Service's name matches its pods",
                ours: "never matches pods or nodes; names of the cluster's DNS are warned of",
                why: "who answers a pod's queries, maybe a name server of its own, must not open other pods to it")),
        EdgeCase(
            .clusterPolicy("Status"), "says nothing about traffic",
            Trial(
                clusterPolicy("a", "ingress: [{action: Deny, from: [\(peer("db"))]}]") + "status: {conditions: []}\n",
                flows: ["deny db > web 80", "allow cache > web 80"])),
        EdgeCase(
            .clusterPolicy("Features"), "the standard and the experimental channel are read alike",
            Trial(
                clusterPolicy(
                    "a",
                    "ingress: [{action: Deny, \(anyone), protocols: [{destinationNamedPort: http}]}], "
                        + "egress: [{action: Deny, to: [{nodes: {}}]}]"),
                flows: ["deny db > web 8080", "allow db > web 80", "deny web > 10.9.0.2 80"])),
        EdgeCase(
            .adminPolicy("AdminNetworkPolicy"), "Allow, Deny and Pass by priority, in tier Admin",
            Trial(
                admin(
                    "ingress: [{action: Allow, from: [\(peer("db"))]}, {action: Pass, from: [\(peer("cache"))]}, {action: Deny, \(anyone)}]"
                ),
                np("ingress: []"),
                flows: ["allow db > web 80", "deny cache > web 80", "deny ops/probe > web 80"]),
            Trial(
                admin("ingress: [{action: Accept, \(anyone)}]"), flows: ["deny db > web 80"],
                refused: ["invalid-value spec.ingress[0].action"]),
            Trial(
                admin("ingress: [{action: Deny, from: [{pods: {podSelector: {}}}]}]"), flows: ["deny db > web 80"],
                refused: ["missing-field spec.ingress[0].from[0].pods"])),
        EdgeCase(
            .adminPolicy("ports[]"), "portNumber (TCP where none is written), portRange and namedPort",
            Trial(
                admin(
                    "ingress: [{action: Deny, \(anyone), ports: [{portNumber: {port: 80}}, "
                        + "{portRange: {protocol: UDP, start: 5, end: 7}}, {namedPort: http}]}]"),
                flows: [
                    "deny db > web 80", "allow db > web 80/UDP", "deny db > web 6/UDP", "deny db > web 8080",
                    "allow db > web 81",
                ])),
        EdgeCase(
            .adminPolicy("sameLabels, notSameLabels"), "are gone, and refused; a Deny that has them denies everything",
            Trial(
                admin("ingress: [{action: Deny, from: [{namespaces: {sameLabels: [team]}}]}]"),
                flows: ["deny db > web 80", "deny ops/probe > web 80"],
                refused: ["unknown-field spec.ingress[0].from[0].namespaces.sameLabels"])),
        EdgeCase(
            .adminPolicy("BaselineAdminNetworkPolicy"),
            "is called default, has no priority, Pass and names, in tier Baseline",
            Trial(
                admin("ingress: [{action: Deny, \(anyone)}]", priority: nil),
                flows: ["deny db > web 80", "allow 203.0.113.1 > web 80"]),
            Trial(
                admin("ingress: [{action: Deny, \(anyone)}]", priority: nil), np("ingress: [{}]"),
                flows: ["allow db > web 80"]),
            Trial(
                admin("ingress: [{action: Deny, \(anyone)}]", priority: nil).replacing(
                    "name: default", with: "name: other"),
                flows: ["deny db > web 80"], refused: ["invalid-value metadata.name"]),
            Trial(
                admin("ingress: [{action: Pass, \(anyone)}]", priority: nil), flows: ["deny db > web 80"],
                refused: ["invalid-value spec.ingress[0].action"])),
        EdgeCase(
            .adminPolicy("Mapping"), "both kinds stand in the tiers of ClusterNetworkPolicy, by one priority",
            Trial(
                admin("ingress: [{action: Deny, from: [\(peer("db"))]}]", priority: 7),
                clusterPolicy("a", priority: 6, "ingress: [{action: Accept, from: [\(peer("db"))]}]"),
                flows: ["allow db > web 80"]),
            Trial(
                admin("ingress: [{action: Deny, from: [\(peer("db"))]}]", priority: nil),
                clusterPolicy("a", tier: "Baseline", "ingress: [{action: Accept, from: [\(peer("db"))]}]"),
                flows: ["allow db > web 80"])),
    ]
}
