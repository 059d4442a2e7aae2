import NetpoldTestSupport
import Testing

@testable import NetTypes
@testable import PolicyAPI

/// The field rules of docs/spec/network-policy.md 2.1 and 2.2, as diagnostics.
@Suite("cluster-scoped policies, decoded")
struct ClusterPolicyDecodeTests {
    /// The errors of a ClusterNetworkPolicy; each must have its path and a hint.
    private func errors(_ manifest: String) -> [String] {
        let decoded = decode(manifest)
        for error in decoded.diagnostics where error.severity == .error {
            #expect(error.location?.file == "p.yaml" && !error.path.isEmpty && !error.hint.isEmpty, "\(error)")
        }
        if !decoded.errors.isEmpty { #expect(decoded.objects.clusterPolicies.isEmpty && !decoded.refused.isEmpty) }
        return decoded.errors
    }

    /// An AdminNetworkPolicy, or a BaselineAdminNetworkPolicy where `isBaseline`.
    private func old(_ rules: String, isBaseline: Bool = false, name: String = "default") -> String {
        "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: \(isBaseline ? "Baseline" : "")AdminNetworkPolicy\n"
            + "metadata: {name: \(name)}\nspec:\n"
            + indented(isBaseline ? rules : "priority: 5\n" + rules, by: 2) + "\n  subject: {namespaces: {}}\n"
    }

    private static let everyone = "namespaces: {}"

    @Test("every form of the API is read")
    func forms() throws {
        let decoded = decode(
            clusterPolicy(
                "p", .baseline, priority: 1000,
                subject: "pods: {namespaceSelector: {matchLabels: {a: b}}, podSelector: {matchLabels: {c: d}}}",
                """
                ingress:
                - name: monitoring
                  action: Pass
                  from: [{namespaces: {}}, {pods: {podSelector: {}}}]
                egress:
                - action: Accept
                  to:
                  - nodes: {matchExpressions: [{key: zone, operator: Exists}]}
                  - networks: [10.0.0.0/8, "fd00::/8"]
                  - domainNames: [kubernetes.io, "*.Example.COM."]
                  protocols:
                  - tcp: {destinationPort: {number: 80}}
                  - udp: {destinationPort: {range: {start: 1, end: 65535}}}
                  - sctp: {destinationPort: {number: 9003}}
                - action: Deny
                  to: [{namespaces: {}}]
                  protocols: [{destinationNamedPort: web}]
                """))
        #expect(decoded.diagnostics == [])
        let policy = try #require(decoded.objects.clusterPolicies.first)
        #expect(policy.tier == .baseline && policy.priority == 1000 && policy.kind == .clusterNetworkPolicy)
        #expect(policy.subject.namespaces.requirements.map(\.key) == ["a"])
        #expect(policy.subject.pods.requirements.map(\.key) == ["c"])
        #expect(policy.ingress.map(\.action) == [.pass] && policy.ingress.map(\.name) == ["monitoring"])
        #expect(policy.ingress[0].ports == nil && policy.ingress[0].peers.count == 2)
        #expect(policy.egress.map(\.action) == [.allow, .deny])
        #expect(
            policy.egress[0].ports == [
                .range(.tcp, PortRange(80)), .range(.udp, PortRange(1, 65535)), .range(.sctp, PortRange(9003)),
            ])
        #expect(policy.egress[1].ports == [.named("web")])
        #expect(
            policy.egress[0].peers[2] == .names([.name("kubernetes.io"), .pattern("**.example.com")]))
        #expect(policy.egress[0].path == "spec.egress[0]")
        #expect(policy.egress[1].location?.description == "p.yaml:23:5")
    }

    @Test("AdminNetworkPolicy and BaselineAdminNetworkPolicy are equivalent")
    func olderKinds() throws {
        let rules = """
            ingress:
            - action: Allow
              from: [{namespaces: {}}, {pods: {namespaceSelector: {}, podSelector: {}}}]
              ports:
              - portNumber: {port: 80}
              - portNumber: {protocol: SCTP, port: 9003}
              - portRange: {protocol: UDP, start: 1, end: 53}
              - namedPort: web
            egress:
            - {action: Deny, to: [{networks: [0.0.0.0/0]}, {nodes: {}}]}

            """
        for isBaseline in [false, true] {
            let decoded = decode(old(rules, isBaseline: isBaseline))
            #expect(decoded.diagnostics == [])
            let policy = try #require(decoded.objects.clusterPolicies.first)
            // "ANP -> tier Admin, BANP -> tier Baseline", the latter after every ClusterNetworkPolicy of its tier.
            #expect(policy.tier == (isBaseline ? .baseline : .admin))
            #expect(policy.priority == (isBaseline ? 1001 : 5))
            #expect(policy.ingress.map(\.action) == [.allow] && policy.egress.map(\.action) == [.deny])
            // "protocol=TCP default".
            #expect(
                policy.ingress[0].ports == [
                    .range(.tcp, PortRange(80)), .range(.sctp, PortRange(9003)), .range(.udp, PortRange(1, 53)),
                    .named("web"),
                ])
            #expect(policy.egress[0].peers.count == 2)
        }
    }

    private static let specCases: [(String, String)] = [
        ("priority: 1, subject: {namespaces: {}}", "spec: `tier` is missing"),
        (
            "tier: admin, priority: 1, subject: {namespaces: {}}",
            "spec.tier: Unsupported value: \"admin\": supported values: \"Admin\", \"Baseline\""
        ),
        ("tier: Admin, subject: {namespaces: {}}", "spec: `priority` is missing"),
        (
            "tier: Admin, priority: 1001, subject: {namespaces: {}}",
            "spec.priority: Invalid value: 1001: must be between 0 and 1000, inclusive"
        ),
        (
            "tier: Admin, priority: -1, subject: {namespaces: {}}",
            "spec.priority: Invalid value: -1: must be between 0 and 1000, inclusive"
        ),
        (
            "tier: Admin, priority: \"5\", subject: {namespaces: {}}",
            "spec.priority: must be a whole number, not the string \"5\""
        ),
        ("tier: Admin, priority: 1", "spec: `subject` is missing"),
        (
            "tier: Admin, priority: 1, subject: {}",
            "spec.subject: exactly one of namespaces, pods must be set"
        ),
        (
            "tier: Admin, priority: 1, subject: {namespaces: {}, pods: {podSelector: {}}}",
            "spec.subject: exactly one of namespaces, pods must be set, not namespaces and pods"
        ),
        ("tier: Admin, priority: 1, subject: {pods: {}}", "spec.subject.pods: `podSelector` is missing"),
    ]

    @Test("tier, priority and subject are required and have few values", arguments: specCases)
    func spec(_ spec: String, _ expected: String) {
        let head = "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\n"
        #expect(errors("\(head)spec: {\(spec)}") == [expected])
    }

    @Test("an object without spec or name is an error; a namespace has no effect")
    func metadata() {
        let head = "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
        #expect(decode("\(head)metadata: {name: p}").errors == ["the policy has no spec"])
        #expect(decode("\(head)metadata: {}\nspec: {}").errors.contains("metadata: the object has no name"))
        let spec = "spec: {tier: Admin, priority: 0, subject: {namespaces: {}}}"
        #expect(
            decode("\(head)metadata: {name: p, namespace: shop}\n\(spec)").warnings
                == ["metadata.namespace: objects of this kind are cluster-scoped"])
    }

    private static let ruleCases: [(String, String)] = [
        ("ingress: [{from: [{namespaces: {}}]}]", "spec.ingress[0]: `action` is missing"),
        (
            "ingress: [{action: Allow, from: [{namespaces: {}}]}]",
            "spec.ingress[0].action: Unsupported value: \"Allow\": supported values: \"Accept\", \"Deny\", \"Pass\""
        ),
        ("ingress: [{action: Deny}]", "spec.ingress[0]: `from` is missing"),
        ("egress: [{action: Deny, to: []}]", "spec.egress[0].to: the list is empty"),
        (
            "ingress: [{action: Deny, from: [{}]}]",
            "spec.ingress[0].from[0]: exactly one of namespaces, pods must be set"
        ),
        (
            "egress: [{action: Deny, to: [{namespaces: {}, networks: [10.0.0.0/8]}]}]",
            "spec.egress[0].to[0]: exactly one of namespaces, pods, nodes, networks, domainNames must be set, "
                + "not namespaces and networks"
        ),
        (
            "ingress: [{action: Deny, from: [{networks: [10.0.0.0/8]}]}]",
            "spec.ingress[0].from[0].networks: ingress peers are selected by namespaces and pods only"
        ),
        (
            "ingress: [{action: Deny, from: [{nodes: {}}]}]",
            "spec.ingress[0].from[0].nodes: ingress peers are selected by namespaces and pods only"
        ),
        (
            "ingress: [{action: Accept, from: [{domainNames: [a.b]}]}]",
            "spec.ingress[0].from[0].domainNames: ingress peers are selected by namespaces and pods only"
        ),
        (
            "egress: [{action: Deny, to: [{networks: [10.0.0.0]}]}]",
            "spec.egress[0].to[0].networks[0]: \"10.0.0.0\" is not a valid CIDR"
        ),
        ("egress: [{action: Deny, to: [{networks: []}]}]", "spec.egress[0].to[0].networks: the list is empty"),
        (
            "egress: [{action: Deny, to: [{networks: [10.0.0.0/8, 10.0.0.0/8]}]}]",
            "spec.egress[0].to[0].networks[1]: Duplicate value: \"10.0.0.0/8\""
        ),
        (
            "egress: [{action: Deny, to: [{networks: [\"::ffff:10.0.0.0/104\"]}]}]",
            "spec.egress[0].to[0].networks[0]: CIDR must be either an IPv4 or IPv6 address. IPv4 address embedded in "
                + "IPv6 addresses are not supported"
        ),
        (
            "egress: [{action: Deny, to: [{domainNames: [example.com]}]}]",
            "spec.egress[0].to: domainNames is only supported for Accept rules"
        ),
        (
            "egress: [{action: Pass, to: [{domainNames: [example.com]}]}]",
            "spec.egress[0].to: domainNames is only supported for Accept rules"
        ),
        (
            "egress: [{action: Accept, to: [{domainNames: [a.example, A.example.]}]}]",
            "spec.egress[0].to[0].domainNames[1]: Duplicate value: \"A.example.\""
        ),
        (
            "egress: [{action: Deny, to: [{namespaces: {}}], protocols: []}]",
            "spec.egress[0].protocols: the list is empty"
        ),
        (
            "egress: [{action: Deny, to: [{namespaces: {}}], protocols: [{}]}]",
            "spec.egress[0].protocols[0]: exactly one of tcp, udp, sctp, destinationNamedPort must be set"
        ),
        (
            "egress: [{action: Deny, to: [{namespaces: {}}], protocols: [{tcp: {}}]}]",
            "spec.egress[0].protocols[0].tcp: `destinationPort` is missing"
        ),
        (
            "egress: [{action: Deny, to: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {}}}]}]",
            "spec.egress[0].protocols[0].tcp.destinationPort: exactly one of number, range must be set"
        ),
        (
            "egress: [{action: Deny, to: [{namespaces: {}}], protocols: [{udp: {destinationPort: {number: 0}}}]}]",
            "spec.egress[0].protocols[0].udp.destinationPort.number: Invalid value: 0: must be between 1 and 65535, "
                + "inclusive"
        ),
        (
            "egress: [{action: Deny, to: [{namespaces: {}}], protocols: [{sctp: {destinationPort: "
                + "{range: {start: 5, end: 5}}}}]}]",
            "spec.egress[0].protocols[0].sctp.destinationPort.range: Start port must be less than End port"
        ),
        (
            "egress: [{action: Deny, to: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {range: {start: 5}}}}]}]",
            "spec.egress[0].protocols[0].tcp.destinationPort.range: `end` is missing"
        ),
        (
            "egress: [{action: Deny, to: [{namespaces: {}}], protocols: [{destinationNamedPort: Web}]}]",
            "spec.egress[0].protocols[0].destinationNamedPort: Invalid value: \"Web\": \(NameSyntax.portName("Web") ?? "")"
        ),
        (
            "egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}], protocols: [{destinationNamedPort: web}]}]",
            "spec.egress[0].protocols: networks/nodes/domainNames peer cannot be set with namedPorts since there are no "
                + "namedPorts for networks/nodes/domainNames"
        ),
        (
            "egress: [{action: Deny, to: [{nodes: {}}, {namespaces: {}}], protocols: [{destinationNamedPort: web}]}]",
            "spec.egress[0].protocols: networks/nodes/domainNames peer cannot be set with namedPorts since there are no "
                + "namedPorts for networks/nodes/domainNames"
        ),
        (
            "egress: [{action: Deny, to: [{namespaces: {}}], ports: [{portNumber: {port: 80}}]}]",
            "spec.egress[0].ports: ClusterNetworkPolicy lists ports in `protocols`"
        ),
    ]

    @Test("rules, peers and ports have the API's rules", arguments: ruleCases)
    func rules(_ rules: String, _ expected: String) {
        #expect(errors(clusterPolicy(rules)) == [expected])
    }

    @Test("lists have the API's limits: 25 of everything, and names 100 characters")
    func limits() {
        func list(_ element: String, _ count: Int) -> String {
            "[\(Array(repeating: element, count: count).joined(separator: ", "))]"
        }
        let rule = "{action: Deny, from: [{namespaces: {}}]}"
        func distinct(_ count: Int, _ make: (Int) -> String) -> String {
            "[\((0..<count).map(make).joined(separator: ", "))]"
        }
        let ports = "{tcp: {destinationPort: {number: 1}}}"
        let cases: [(make: (Int) -> String, path: String)] = [
            ({ "ingress: \(list(rule, $0))" }, "spec.ingress"),
            ({ "ingress: [{action: Deny, from: \(list("{namespaces: {}}", $0))}]" }, "spec.ingress[0].from"),
            (
                { "egress: [{action: Deny, to: [{namespaces: {}}], protocols: \(list(ports, $0))}]" },
                "spec.egress[0].protocols"
            ),
            (
                { count in
                    "egress: [{action: Deny, to: [{networks: \(distinct(count) { "10.\($0).0.0/16" })}]}]"
                }, "spec.egress[0].to[0].networks"
            ),
            (
                { count in "egress: [{action: Accept, to: [{domainNames: \(distinct(count) { "n\($0).example" })}]}]" },
                "spec.egress[0].to[0].domainNames"
            ),
        ]
        for (make, path) in cases {
            #expect(errors(clusterPolicy(make(25))) == [])
            #expect(errors(clusterPolicy(make(26))) == ["\(path): Too many: 26: must have at most 25 items"])
        }
        #expect(errors(old("ingress: \(list(rule, 100))")) == [])
        #expect(
            errors(old("ingress: \(list(rule, 101))")) == ["spec.ingress: Too many: 101: must have at most 100 items"])
        func named(_ count: Int) -> String {
            "ingress: [{name: \(String(repeating: "n", count: count)), action: Deny, from: [{namespaces: {}}]}]"
        }
        #expect(errors(clusterPolicy(named(100))) == [])
        #expect(
            errors(clusterPolicy(named(101))) == ["spec.ingress[0].name: Too long: may not be more than 100 characters"]
        )
    }

    private static let olderCases: [(Bool, String, String)] = [
        (
            false, "ingress: [{action: Accept, from: [{namespaces: {}}]}]",
            "spec.ingress[0].action: Unsupported value: \"Accept\": supported values: \"Allow\", \"Deny\", \"Pass\""
        ),
        (
            true, "ingress: [{action: Pass, from: [{namespaces: {}}]}]",
            "spec.ingress[0].action: Unsupported value: \"Pass\": supported values: \"Allow\", \"Deny\""
        ),
        (
            true, "egress: [{action: Allow, to: [{domainNames: [example.com]}]}]",
            "spec.egress[0].to[0].domainNames: a BaselineAdminNetworkPolicy has no domainNames"
        ),
        (true, "priority: 5", "spec.priority: there is one BaselineAdminNetworkPolicy, so it has no priority"),
        (false, "tier: Admin", "spec.tier: an AdminNetworkPolicy is always of tier Admin"),
        (
            false, "egress: [{action: Deny, to: [{namespaces: {}}], protocols: [{tcp: {}}]}]",
            "spec.egress[0].protocols: AdminNetworkPolicy lists ports in `ports`"
        ),
        (
            false,
            "egress: [{action: Deny, to: [{namespaces: {}}], ports: [{portNumber: {protocol: tcp, port: 1}}]}]",
            "spec.egress[0].ports[0].portNumber.protocol: Unsupported value: \"tcp\": supported values: \"TCP\", "
                + "\"UDP\", \"SCTP\""
        ),
        (
            false, "egress: [{action: Deny, to: [{namespaces: {}}], ports: [{portNumber: {}}]}]",
            "spec.egress[0].ports[0].portNumber: `port` is missing"
        ),
        (
            false, "egress: [{action: Deny, to: [{namespaces: {}}], ports: [{portRange: {start: 9, end: 8}}]}]",
            "spec.egress[0].ports[0].portRange: Start port must be less than End port"
        ),
        (
            false, "egress: [{action: Deny, to: [{nodes: {}}], ports: [{namedPort: web}]}]",
            "spec.egress[0].ports: networks/nodes/domainNames peer cannot be set with namedPorts since there are no "
                + "namedPorts for networks/nodes/domainNames"
        ),
        (
            false, "ingress: [{action: Deny, from: [{namespaces: {sameLabels: [tenant]}}]}]",
            "spec.ingress[0].from[0].namespaces.sameLabels: unknown field"
        ),
        (
            false, "ingress: [{action: Allow, from: [{pods: {podSelector: {}}}]}]",
            "spec.ingress[0].from[0].pods: `namespaceSelector` is missing"
        ),
        (
            true, "egress: [{action: Deny, to: [{pods: {podSelector: {}}}]}]",
            "spec.egress[0].to[0].pods: `namespaceSelector` is missing"
        ),
    ]

    @Test("the older kinds have their own rules", arguments: olderCases)
    func olderRules(_ isBaseline: Bool, _ rules: String, _ expected: String) {
        #expect(errors(old(rules, isBaseline: isBaseline)) == [expected])
    }

    @Test("the one BaselineAdminNetworkPolicy is called default")
    func singleton() {
        #expect(
            errors(old("", isBaseline: true, name: "other")) == [
                "metadata.name: Only one baseline admin network policy with metadata.name=\"default\" can be created in the "
                    + "cluster"
            ])
    }

    @Test("domain names: exact or below a name, whole labels only, a final dot allowed")
    func domainNames() {
        #expect(DomainName.selector("Kubernetes.IO.") == .name("kubernetes.io"))
        #expect(DomainName.selector("*.kubernetes.io") == .pattern("**.kubernetes.io"))
        #expect(DomainName.selector("a_b-c.x1") == .name("a_b-c.x1"))
        for bad in [
            "", "*", "*.", "localhost", "*.com", "a.*.com", "w*.com", "*a.com", "**.a.com", "-a.com", "a-.com",
            "_a.com",
            "a..com", ".a.com", "a.com..", "^a.com", "[a].com", "a`.com", "a b.com", "ü.com",
            String(repeating: "a", count: 64) + ".com", String(repeating: "a.", count: 127) + "com",
        ] {
            #expect(DomainName.selector(bad) == nil, "\(bad)")
        }
    }

    @Test("two policies of one tier, priority and direction are a warning that names both")
    func sharedPriority() {
        let rules = "ingress: [{action: Deny, from: [{namespaces: {}}]}]"
        let egress = "egress: [{action: Deny, to: [{namespaces: {}}]}]"
        #expect(
            decode(clusterPolicy("a", rules) + clusterPolicy("b", rules)).warnings == [
                "spec.priority: priority 10 of tier Admin is also used by ClusterNetworkPolicy a; where both match, the API "
                    + "lets either win: in netpold Deny beats Accept, and Accept beats Pass"
            ])
        #expect(decode(clusterPolicy("a", rules) + clusterPolicy("b", egress)).warnings == [])
        #expect(decode(clusterPolicy("a", rules) + clusterPolicy("b", priority: 11, rules)).warnings == [])
        #expect(decode(clusterPolicy("a", rules) + clusterPolicy("b", .baseline, rules)).warnings == [])
    }
}
