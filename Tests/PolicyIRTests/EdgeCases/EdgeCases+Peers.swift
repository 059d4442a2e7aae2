extension EdgeCases {
    private static let cached = [
        "a.example.com": ["198.51.100.7"], "x.example.com": ["10.0.0.2"], "node.example.com": ["10.9.0.2"],
    ]

    /// Rows 47-58, 106, 108, 121-123 and 134: CIDRs, entities, services and who they are not.
    static let peers: [EdgeCase] = [
        EdgeCase(
            .edge(47), "an exception is cut out of a group too",
            Trial(
                cnp("egress: [{toCIDRSet: [{cidrGroupRef: one, except: [203.0.113.128/25]}]}]"),
                cidrGroup("one", "tier: b", "203.0.113.0/24"),
                flows: ["allow web > 203.0.113.1 80", "deny web > 203.0.113.129 80", "deny web > 198.51.100.1 80"])),
        EdgeCase(
            .edge(48), "`0.0.0.0/0` is the IPv4 outside: not IPv6, no pod, no node",
            Trial(
                cnp("egress: [{toCIDR: [0.0.0.0/0]}]"),
                flows: [
                    "allow web > 1.1.1.1 80", "deny web > 2001:db8::1 80", "deny web > db 80", "deny web > host 80",
                    "deny web > remote-node 80",
                ])),
        EdgeCase(
            .edge(49), "a prefix of one family matches nothing of the other",
            Trial(
                cnp("egress: [{toCIDR: ['::/0']}]"),
                flows: ["deny web > 1.1.1.1 80", "allow web > 2001:db8::1 80", "deny web > fd00::2 80"])),
        EdgeCase(
            .edge(50), "of groups that share a prefix and a key, each is selected by its own value",
            Trial(
                cnp(
                    "egress: [{toCIDRSet: [{cidrGroupSelector: {matchLabels: {tier: a}}}], \(toPorts("80"))}, "
                        + "{toCIDRSet: [{cidrGroupSelector: {matchLabels: {tier: b}}}], \(toPorts("443"))}]"),
                cidrGroup("one", "tier: a", "203.0.113.0/24"), cidrGroup("two", "tier: b", "203.0.113.0/24"),
                flows: ["allow web > 203.0.113.1 80", "allow web > 203.0.113.1 443", "deny web > 203.0.113.1 81"])),
        EdgeCase(
            .edge(52), "an address is in every prefix that covers it, known by name or not",
            Trial(
                cnp("egress: [{toCIDR: [198.51.0.0/16]}, {toFQDNs: [{matchName: a.example.com}], \(toPorts("80"))}]"),
                names: cached, flows: ["allow web > 198.51.100.7 443", "allow web > 198.51.100.8 443"]),
            Trial(
                cnp(
                    "egress: [{toCIDR: [198.51.0.0/16], \(toPorts("443"))}, {toCIDR: [198.51.100.7/32], \(toPorts("80"))}]"
                ),
                flows: ["allow web > 198.51.100.7 443", "allow web > 198.51.100.7 80", "deny web > 198.51.100.8 80"])),
        EdgeCase(
            .edge(53), "a CIDR with a node's address in it does not match the node",
            Trial(
                cnp("egress: [{toCIDR: [10.9.0.0/24]}]"),
                flows: ["deny web > 10.9.0.2 80", "deny web > 10.9.0.1 80", "allow web > 10.9.0.3 80"])),
        EdgeCase(
            .edge(55), "entity `all` is everything: pods, nodes, the outside, an address that nobody can place",
            Trial(
                cnp("egress: [{toEntities: [all]}]"),
                flows: [
                    "allow web > db 80", "allow web > host 80", "allow web > remote-node 80",
                    "allow web > 203.0.113.1 80",
                    "allow web > 2001:db8::1 80", "allow web > db icmp/8",
                ])),
        EdgeCase(
            .edge(56), "entity `cluster` is pods of every namespace and nodes, and not the outside",
            Trial(
                cnp("egress: [{toEntities: [cluster]}]"),
                flows: [
                    "allow web > ops/probe 80", "allow web > host 80", "allow web > remote-node 80",
                    "deny web > 203.0.113.1 80",
                ])),
        EdgeCase(
            .edge(57),
            "entity `host` is the own node and nothing else; `remote-node` the others; health has no endpoint",
            Trial(
                cnp("egress: [{toEntities: [host]}]"),
                flows: ["allow web > host 80", "deny web > remote-node 80", "deny web > db 80"]),
            Trial(
                cnp("egress: [{toEntities: [remote-node]}]"),
                flows: ["deny web > host 80", "allow web > remote-node 80", "deny web > db 80"]),
            Trial(
                cnp("egress: [{toEntities: [health, ingress, init, unmanaged, none]}]"),
                flows: ["deny web > host 80", "deny web > db 80", "deny web > 203.0.113.1 80"])),
        EdgeCase(
            .edge(58), "entities `world-ipv4` and `world-ipv6` are the outside of one family",
            Trial(
                cnp("ingress: [{fromEntities: [world-ipv4]}]"),
                flows: ["allow 203.0.113.1 > web 80", "deny 2001:db8::1 > web 80", "deny db > web 80"]),
            Trial(
                cnp("ingress: [{fromEntities: [world-ipv6]}]"),
                flows: ["deny 203.0.113.1 > web 80", "allow 2001:db8::1 > web 80"]),
            differs: .init(
                input: "entities `world-ipv4`, `world-ipv6`",
                theirs: "the agent supports them, the schema refuses them; single-stack clusters have no such identity",
                ours: "the outside of that family", why: "the same meaning in every cluster")),
        EdgeCase(
            .edge(106), "an address learnt for a name that two selectors match is both selectors' peer",
            Trial(
                cnp(
                    "egress: [{toFQDNs: [{matchName: a.example.com}], \(toPorts("80"))}, "
                        + "{toFQDNs: [{matchPattern: '*.example.com'}], \(toPorts("443"))}]"),
                names: cached,
                flows: ["allow web > 198.51.100.7 80", "allow web > 198.51.100.7 443", "deny web > 198.51.100.7 81"])),
        EdgeCase(
            .edge(108), "an address of a pod or node stays that, whatever name DNS gives it",
            Trial(
                cnp("egress: [{toFQDNs: [{matchPattern: '*.example.com'}]}]"), names: cached,
                flows: ["allow web > 198.51.100.7 80", "deny web > 10.0.0.2 80", "deny web > 10.9.0.2 80"])),
        EdgeCase(
            .edge(121), "a service with a selector stands for its pods, one without for its addresses",
            Trial(
                cnp("egress: [{toServices: [{k8sService: {serviceName: database, namespace: shop}}]}]"),
                flows: ["allow web > db 80", "deny web > cache 80", "deny web > 203.0.113.9 80"]),
            Trial(
                cnp("egress: [{toServices: [{k8sService: {serviceName: bank}}]}]"),
                flows: ["allow web > 203.0.113.9 80", "deny web > 203.0.113.8 80", "deny web > db 80"]),
            Trial(
                cnp("egress: [{toServices: [{k8sServiceSelector: {selector: {matchLabels: {kind: data}}}}]}]"),
                flows: ["allow web > db 80", "deny web > 203.0.113.9 80"])),
        EdgeCase(
            .edge(122), "a policy follows the addresses of a service",
            Trial(
                cnp("egress: [{toServices: [{k8sService: {serviceName: bank}}]}]"),
                """
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: bank-2, namespace: shop, labels: {kubernetes.io/service-name: bank}}
                addressType: IPv4
                endpoints: [{addresses: [203.0.113.8]}]

                """,
                flows: ["allow web > 203.0.113.9 80", "allow web > 203.0.113.8 80", "deny web > 203.0.113.7 80"])),
        EdgeCase(
            .edge(123), "the own node reaches an isolated pod, and no http rule restricts it",
            Trial(
                cnp("ingress: [{\(toPorts("80", rules: "{http: [{path: /api}]}"))}]"),
                flows: [
                    "allow host > web 80 http: {path: /healthz}", "allow host > web 81", "deny db > web 81",
                    "deny db > web 80 http: {path: /healthz}", "deny remote-node > web 81",
                ])),
        EdgeCase(
            .edge(134), "a service that is not there selects nothing, with ports too, and says so",
            Trial(
                cnp("egress: [{toServices: [{k8sService: {serviceName: absent}}], \(toPorts("443"))}]"),
                flows: ["deny web > db 443", "deny web > 203.0.113.1 443"],
                warned: ["unresolved-reference spec.egress[0].toServices"]),
            differs: .init(
                input: "`toServices` that resolves to nothing, with `toPorts`", theirs: "allows the port to every peer",
                ours: "selects nothing, with a warning", why: "fails closed")),
    ]
}
