import NetpoldTestSupport
import Testing

@testable import NetTypes
@testable import PolicyAPI
@testable import PolicyIR

@Suite("Cilium policies, decoded")
struct CiliumPolicyDecodeTests {
    /// A rule around one element.
    private static func rule(_ element: String, in list: String = "egress") -> String {
        "endpointSelector: {}\n\(list): [\(element)]"
    }

    private func element(_ text: String, in list: String = "egress") throws -> CiliumElement {
        let decoded = decode(ciliumPolicy(CiliumPolicyDecodeTests.rule(text, in: list)))
        #expect(decoded.errors == [])
        let rule = try #require(decoded.objects.ciliumPolicies.first?.rules.first)
        return try #require((rule.ingress + rule.ingressDeny + rule.egress + rule.egressDeny).first)
    }

    @Test("Absent, empty and filled lists are distinguished")
    func presence() throws {
        let absent = try element("{}")
        #expect(absent.endpoints == .absent && absent.toPorts == .absent && absent.icmps == .absent)
        #expect(try element("{toEndpoints: null}").endpoints == .absent)
        #expect(try element("{toEndpoints: []}").endpoints == .empty)
        #expect(try element("{toEntities: []}").entities == .empty)
        #expect(try element("{toCIDR: []}").cidrs == .empty)
        #expect(try element("{toCIDRSet: []}").cidrSet == .empty)
        #expect(try element("{toNodes: []}").nodes == .empty)
        #expect(try element("{toFQDNs: [], toPorts: [{ports: [{port: '443'}]}]}").fqdns == .empty)
        #expect(try element("{toServices: []}").services == .empty)
        #expect(try element("{toPorts: []}").toPorts == .empty)
        #expect(try element("{icmps: []}").icmps == .empty)
        #expect(try element("{icmps: [{}]}").icmps == .some([]))
        #expect(try element("{toPorts: [{}]}").toPorts.value?.first?.ports == [])
        #expect(try element("{toEndpoints: [{}]}").endpoints.value?.first?.requirements == [])
        #expect(try element("{toRequires: []}").endpoints == .absent)
    }

    @Test(
        "A field of another kind of policy, or in the wrong place, is told what to write instead",
        arguments: [
            ("{fromEndpoints: [{toPorts: []}]}", "it belongs beside fromEndpoints, one level up"),
            (
                "{fromNamespaces: [a]}",
                "namespaces are selected by a label: fromEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: NAME}}]"
            ),
            (
                "{fromEndpoints: [{namespaceSelector: {}}]}",
                "a namespace is selected by a label: matchLabels: {k8s:io.kubernetes.pod.namespace: NAME}"
            ),
            ("{podSelector: {}}", "pods are selected by their labels: fromEndpoints: [{matchLabels: ...}]"),
            ("{endpointSelector: {}}", "it belongs beside ingress, one level up"),
        ])
    func misplaced(_ text: String, _ expected: String) {
        let decoded = decode(ciliumPolicy(CiliumPolicyDecodeTests.rule(text, in: "ingress")))
        #expect(decoded.diagnostics.filter { $0.severity == .error }.map(\.hint) == [expected])
    }

    @Test(
        "A deny without ports denies nothing, and says so",
        arguments: [
            ("{toPorts: [{ports: []}]}", "egressDeny"), ("{fromEntities: [world], toPorts: [{}]}", "ingressDeny"),
            ("{toEntities: [world], icmps: [{fields: []}]}", "egressDeny"),
        ])
    func denyWithoutPorts(_ text: String, _ list: String) {
        let decoded = decode(ciliumPolicy(CiliumPolicyDecodeTests.rule(text, in: list)))
        #expect(decoded.errors == [] && decoded.refused.isEmpty)
        #expect(decoded.warnings.count == 1 && decoded.warnings.first?.contains("denies nothing") == true)
    }

    @Test(
        "Selector keys carry their source",
        arguments: [
            ("app", "any", "app"), ("k8s:app", "k8s", "app"), ("any:app", "any", "app"), ("$host", "reserved", "host"),
            ("reserved:host", "reserved", "host"),
            ("k8s:io.kubernetes.pod.namespace", "k8s", "io.kubernetes.pod.namespace"),
            (
                "k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name", "k8s",
                "io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name"
            ),
        ])
    func sources(_ key: String, _ source: String, _ name: String) throws {
        let selector = try #require(try element("{toEndpoints: [{matchLabels: {'\(key)': x}}]}").endpoints.value?.first)
        #expect(selector.requirements.first?.source == source)
        #expect(selector.requirements.first?.key == name)
        let group = try #require(
            try element("{toCIDRSet: [{cidrGroupSelector: {matchLabels: {'\(key)': x}}}]}").cidrSet.value?.first)
        guard case .groups(let groups) = group.source else {
            Issue.record("no group selector")
            return
        }
        #expect(groups.requirements.first?.source == (key == "app" ? "cidrgroup" : source))
    }

    @Test(
        "Ports are read as spec 7.1 to 7.3 say",
        arguments: [
            ("{port: '80'}", [6, 17, 132], PortProtocol.Port.range(PortRange(80)), 0),
            ("{port: '80', protocol: ANY}", [6, 17, 132], .range(PortRange(80)), 0),
            ("{port: '80', protocol: tcp}", [6], .range(PortRange(80)), 0),
            ("{port: '0', protocol: UDP}", [17], .all, 0), ("{port: '0', endPort: 7}", [6, 17, 132], .all, 0),
            ("{port: '80', endPort: 90, protocol: SCTP}", [132], .range(PortRange(80, 90)), 0),
            ("{port: '80', endPort: 70}", [6, 17, 132], .range(PortRange(80)), 1),
            ("{port: '80', endPort: 0}", [6, 17, 132], .range(PortRange(80)), 0),
            ("{port: HTTP, protocol: TCP}", [6], .named("http"), 0),
            ("{port: http, endPort: 7, protocol: TCP}", [6], .named("http"), 1),
            ("{port: '0x50'}", [6, 17, 132], .named("0x50"), 0),
            ("{port: '010'}", [6, 17, 132], .range(PortRange(8)), 1), ("{port: '0', protocol: VRRP}", [112], .all, 0),
        ])
    func ports(_ text: String, _ protocols: [Int], _ port: PortProtocol.Port, _ warnings: Int) throws {
        let decoded = decode(ciliumPolicy(CiliumPolicyDecodeTests.rule("{toPorts: [{ports: [\(text)]}]}")))
        #expect(decoded.errors == [] && decoded.warnings.count == warnings)
        let found = decoded.objects.ciliumPolicies.first?.rules.first?.egress.first?.toPorts.value?.first?.ports.first
        #expect(found?.protocols.map { Int($0.rawValue) } == protocols)
        #expect(found?.port == port)
    }

    @Test(
        "ICMP types are read by number and by name, type 0 as itself",
        arguments: [
            ("{type: 8}", 1, 8), ("{family: IPv4, type: EchoReply}", 1, 0), ("{type: 0}", 1, 0), ("{type: '8'}", 1, 8),
            ("{family: IPv6, type: EchoRequest}", 58, 128), ("{family: '', type: Echo}", 1, 8),
            ("{family: IPv6, type: ExtendedEchoReply}", 58, 161), ("{type: 255}", 1, 255),
        ])
    func icmp(_ text: String, _ number: UInt8, _ type: UInt8) throws {
        let fields = try #require(try element("{icmps: [{fields: [\(text)]}]}").icmps.value)
        #expect(fields == [ICMPField(protocol: L4Protocol(rawValue: number), type: type)])
    }

    @Test("L7 rules, names, services, groups and nodes are decoded")
    func layers() throws {
        let http = try element(
            "{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET, path: '/a.*', host: h, headers: ['X: y'], headerMatches: [{name: A, value: b, mismatch: LOG, secret: {name: s, namespace: n}}]}, {}]}}]}",
            in: "ingress")
        let rules = try #require(http.toPorts.value?.first?.http.value)
        #expect(rules.count == 2)
        #expect(rules[0].value.headerMatches == [HeaderMatch(name: "A", value: "b", mismatch: "LOG", secret: "n/s")])
        let dns = try element(
            "{toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchName: a.b.}, {matchPattern: '**.c'}]}}]}")
        #expect(dns.toPorts.value?.first?.dns.value?.map(\.value) == [.name("a.b."), .pattern("**.c")])
        let names = try element("{toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: [a.b, '*.c']}]}")
        #expect(names.toPorts.value?.first?.serverNames.map(\.value) == ["a.b", "*.c"])
        let services = try element(
            "{toServices: [{k8sService: {serviceName: s}}, {k8sServiceSelector: {selector: {matchLabels: {a: b}}, namespace: n}}]}"
        )
        #expect(services.services.value?.first == .named(name: "s", namespace: ""))
        #expect(services.services.value?.count == 2)
        #expect(try element("{toFQDNs: [{matchPattern: '*'}]}").fqdns == .some([.pattern("*")]))
        #expect(try element("{fromNodes: [{}]}", in: "ingress").nodes.value?.count == 1)
        #expect(
            try element("{toCIDRSet: [{cidrGroupRef: g, except: [10.0.0.0/8]}]}").cidrSet.value?.first?.source
                == .group("g"))
        let cidr = try element("{toCIDR: [1.2.3.4, 'fd00::1', 10.0.0.0/8]}")
        #expect(cidr.cidrs.value?.map(\.description) == ["1.2.3.4/32", "fd00::1/128", "10.0.0.0/8"])
        #expect(
            try element("{toCIDRSet: [{cidr: 10.0.0.0/24, except: [10.0.0.1/32, 10.0.0.0/24]}]}").cidrSet.value?.first?
                .except.count == 2)
        #expect(
            try element("{toEntities: [world-ipv4, none, kube-apiserver]}").entities
                == .some([.worldIPv4, .none, .kubeAPIServer]))
    }

    @Test("spec and specs are one object; metadata of rules is read")
    func envelope() throws {
        let decoded = decode(
            """
            apiVersion: cilium.io/v2
            kind: CiliumClusterwideNetworkPolicy
            metadata: {name: p}
            spec:
              nodeSelector: {matchLabels: {a: b}}
              ingressDeny: [{}]
              labels: [{key: a}]
            specs:
            - endpointSelector: {}
              egress: [{}]
              enableDefaultDeny: {egress: false, ingress: true}
              description: d
              log: {value: l}
            """)
        #expect(decoded.errors == [] && decoded.warnings.count == 1)
        let policy = try #require(decoded.objects.ciliumPolicies.first)
        #expect(policy.isClusterwide && policy.metadata.namespace == "")
        #expect(policy.rules.map(\.path) == ["spec", "specs[0]"])
        #expect(policy.rules[1].defaultDenyEgress == false && policy.rules[1].defaultDenyIngress == true)
        #expect(policy.rules[1].log == "l" && policy.rules[1].description == "d")
        #expect(policy.rules[1].egress[0].path == "specs[0].egress[0]")
    }

    @Test("A matchLabels entry for the own namespace is overwritten, any other way to ask for one is kept")
    func ownNamespace() throws {
        let decoded = decode(
            ciliumPolicy(
                "endpointSelector:\n  matchLabels: {'k8s:io.kubernetes.pod.namespace': other, io.kubernetes.pod.namespace: kept}\n"
                    + "  matchExpressions: [{key: 'k8s:io.kubernetes.pod.namespace', operator: In, values: [other]}]\ningress: [{}]"
            ))
        #expect(decoded.warnings.count == 1)
        guard case .endpoints(let selector)? = decoded.objects.ciliumPolicies.first?.rules.first?.subject else {
            Issue.record("no subject")
            return
        }
        #expect(selector.requirements.map(\.source) == ["any", "k8s"])
        #expect(selector.requirements.map(\.values) == [["kept"], ["other"]])
    }

    /// Rules that are refused, each with a piece of what is said and the row of the validation table.
    private static let refusals: [(row: String, spec: String, error: String)] = {
        let ten = (1...41).map { "{port: '\($0)'}" }.joined(separator: ", ")
        let types = (1...41).map { "{type: \($0)}" }.joined(separator: ", ")
        let long = String(repeating: "a", count: 256)
        // One more than fits.
        let patterns = (0...1000).map { "{path: /\($0)}" }.joined(separator: ", ")
        func l7(_ rules: String, _ port: String = "{port: '80', protocol: TCP}") -> String {
            rule("{toPorts: [{ports: [\(port)], rules: \(rules)}]}")
        }
        return [
            ("V1", "endpointSelector: {}", "no element"), ("V1", "endpointSelector: {}\ningress: []", "no element"),
            ("V2", "ingress: [{}]", "neither endpointSelector nor nodeSelector"),
            ("V3", "endpointSelector: {}\nnodeSelector: {}\ningress: [{}]", "both endpointSelector and nodeSelector"),
            ("V4", "nodeSelector: {}\ningress: [{}]", "cannot select nodes"),
            ("V5", "endpointSelector: {matchLabels: {'k8s:k8s:app': x}}\ningress: [{}]", "label key"),
            ("V5", "endpointSelector: {matchLabels: {':app': x}}\ningress: [{}]", "label key"),
            ("V5", "endpointSelector: {matchLabels: {'k8s:': x}}\ningress: [{}]", "label key"),
            ("V5", "endpointSelector: {matchLabels: {app: 'a b'}}\ningress: [{}]", "label value"),
            (
                "V5", "endpointSelector: {matchExpressions: [{key: a, operator: asdf}]}\ningress: [{}]",
                "not a valid label selector operator"
            ),
            (
                "V5", "endpointSelector: {matchExpressions: [{key: a, operator: In}]}\ningress: [{}]",
                "must be specified when"
            ),
            (
                "V6", rule("{fromEndpoints: [{}], fromCIDR: [1.0.0.0/8]}", in: "ingress"),
                "cannot be used in one element"
            ),
            ("V6", rule("{toCIDR: [1.0.0.0/8], toCIDRSet: [{cidr: 1.0.0.0/8}]}"), "cannot be used in one element"),
            ("V6", rule("{toFQDNs: [{matchName: a}], toEntities: [all]}"), "cannot be used in one element"),
            (
                "V6", rule("{toServices: [{k8sService: {serviceName: s}}], toEndpoints: [{}]}"),
                "cannot be used in one element"
            ),
            ("V8", rule("{toEntities: [wrld]}"), "is not an entity"),
            ("V9", rule("{toCIDR: ['']}"), "is not a valid CIDR"),
            ("V9", rule("{toCIDR: [10.0.0.0/254.0.0.255]}"), "is not a valid CIDR"),
            ("V9", rule("{toCIDR: [10.0.0.0/33]}"), "is not a valid CIDR"),
            ("V9", rule("{toCIDR: ['::ffff:10.0.0.1']}"), "is not a valid CIDR"),
            ("V10", rule("{toCIDRSet: [{}]}"), "exactly one of"),
            ("V10", rule("{toCIDRSet: [{cidrGroupRef: g, cidrGroupSelector: {}}]}"), "exactly one of"),
            ("V11", rule("{toCIDRSet: [{cidr: 10.0.0.1}]}"), "is not a valid CIDR"),
            ("V12", rule("{toCIDRSet: [{cidr: 10.0.0.0/24, except: [10.0.0.0/16]}]}"), "is not inside"),
            ("V12", rule("{toCIDRSet: [{cidr: 10.0.0.0/24, except: [10.1.0.0/24]}]}"), "is not inside"),
            ("V12", rule("{toCIDRSet: [{cidr: 10.0.0.0/24, except: [10.0.0.1]}]}"), "is not a valid CIDR"),
            ("V12", rule("{toCIDRSet: [{cidr: '::/0', except: [10.0.0.0/8]}]}"), "is not inside"),
            ("V13", rule("{icmps: [{fields: [{type: 8}]}], toPorts: [{ports: [{port: '80'}]}]}"), "icmps and toPorts"),
            (
                "V13", rule("{icmps: [{fields: [{type: 8}]}], toPorts: [{ports: [{port: '80'}]}]}", in: "ingressDeny"),
                "icmps and toPorts"
            ),
            ("V15", rule("{icmps: [{fields: [{family: IPv5, type: 8}]}]}"), "is not a family"),
            ("V15", rule("{icmps: [{fields: [\(types)]}]}"), "too many"),
            (
                "V15", rule("{icmps: [{fields: [{family: IPv4, type: ICMPNodeInformationQuery}]}]}"),
                "is not an ICMP type"
            ),
            ("V15", rule("{icmps: [{fields: [{type: 256}]}]}"), "is not an ICMP type"),
            ("V15", rule("{icmps: [{fields: [{}]}]}"), "`type` is missing"),
            ("V16", rule("{toPorts: [{ports: [\(ten)]}]}"), "too many"),
            ("V16", rule("{toPorts: [{ports: [\(ten)]}]}", in: "egressDeny"), "too many"),
            ("V17", rule("{toPorts: [{ports: [{protocol: TCP}]}]}"), "no port"),
            ("V17", rule("{toPorts: [{ports: [{port: ''}]}]}"), "no port"),
            ("V18", rule("{toPorts: [{ports: [{port: '65536'}]}]}"), "neither"),
            ("V18", rule("{toPorts: [{ports: [{port: '080'}]}]}"), "neither"),
            ("V18", rule("{toPorts: [{ports: [{port: a--b}]}]}"), "neither"),
            ("V18", rule("{toPorts: [{ports: [{port: '-1'}]}]}"), "neither"),
            ("V18", rule("{toPorts: [{ports: [{port: a23456789012345b}]}]}"), "neither"),
            ("V18", rule("{toPorts: [{ports: [{port: 80}]}]}"), "must be a string"),
            ("V18", rule("{toPorts: [{ports: [{port: '80', endPort: 65536}]}]}"), "is not a port"),
            ("V19", rule("{toPorts: [{ports: [{port: '1', protocol: VRRP}]}]}"), "has no ports"),
            ("V20", rule("{toPorts: [{ports: [{port: '1', protocol: ICMP}]}]}"), "is not a protocol"),
            ("V20", rule("{toPorts: [{ports: [{port: '1', protocol: TPC}]}]}"), "is not a protocol"),
            ("V22", l7("{http: [{}]}", "{port: '80'}"), "need protocol TCP"),
            ("V22", l7("{http: [{}]}", "{port: '80', protocol: UDP}"), "need protocol TCP"),
            (
                "V22", l7("{http: [{}]}", "{port: '80', protocol: TCP}, {port: '80', protocol: UDP}"),
                "need protocol TCP"
            ),
            (
                "V23", rule("{toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchName: a}]}}]}", in: "ingress"),
                "egress only"
            ),
            ("V24", rule("{toPorts: [{rules: {dns: [{matchName: a}]}}]}"), "dns rules need ports"),
            ("V25", l7("{dns: [{matchName: a}]}", "{port: '443', endPort: 445}"), "do not support a port range"),
            ("V26", l7("{dns: [{matchName: a}], http: [{}]}"), "are mutually exclusive"),
            ("V27", l7("{http: [{}]}", "{port: '0', protocol: TCP}"), "need a port"),
            ("V28", l7("{http: [{path: '*x'}]}"), "RE2 regular expression: no argument for repetition operator: *"),
            ("V28", l7("{http: [{method: '(GET'}]}"), "RE2 regular expression: missing ): (GET"),
            ("V28", l7("{http: [{host: 'a(?=b)'}]}"), "RE2 regular expression: invalid perl operator: (?="),
            ("V28", l7("{http: [{path: '(\\pL{30}){30}'}]}"), "needs more than 512 KiB"),
            ("V28", l7("{http: [{path: '\(String(repeating: "a", count: 5000))'}]}"), "has 5000 bytes, at most 4096"),
            ("V28", l7("{http: [\(patterns)]}"), "too large in total"),
            ("header", l7("{http: [{headers: [': v']}]}"), "the header has no name"),
            ("V29", l7("{http: [{headerMatches: [{value: a}]}]}"), "no name"),
            ("V29", l7("{http: [{headerMatches: [{name: a, mismatch: DROP}]}]}"), "is not a mismatch action"),
            ("V29", l7("{http: [{headerMatches: [{name: a, secret: {}}]}]}"), "secret has no name"),
            ("V30", rule("{toPorts: [{ports: [{port: '1', protocol: TCP}], serverNames: ['']}]}"), "0 characters"),
            ("V30", rule("{toPorts: [{ports: [{port: '1', protocol: TCP}], serverNames: []}]}"), "is empty"),
            (
                "V31",
                rule("{toPorts: [{ports: [{port: '80', protocol: TCP}], serverNames: [a], rules: {http: [{}]}}]}"),
                "are mutually exclusive"
            ),
            ("V32", rule("{toPorts: [{ports: [{port: '80'}], listener: {name: x}}]}", in: "ingress"), "no Envoy"),
            ("V36", rule("{toFQDNs: [{}]}"), "exactly one of"),
            ("V36", rule("{toFQDNs: [{matchName: a, matchPattern: b}]}"), "are mutually exclusive"),
            ("V36", rule("{toFQDNs: [{matchName: 'a{1,2}.io'}]}"), "is not a DNS name"),
            ("V36", rule("{toFQDNs: [{matchPattern: '[a-z]*.io'}]}"), "is not a DNS name"),
            ("V36", rule("{toFQDNs: [{matchName: '*.io'}]}"), "is not a DNS name"),
            ("V36", rule("{toFQDNs: [{matchName: \(long)}]}"), "256 characters"),
            ("V37", l7("{dns: [{matchName: 'a b'}]}", "{port: '53'}"), "is not a DNS name"),
            ("L7 empty", l7("{}"), "are empty"), ("L7 empty", l7("{http: []}"), "are empty"),
            ("L7 gone", l7("{kafka: []}"), "removed"),
            ("L7 gone", l7("{l7proto: x}"), "removed"), ("L7 gone", l7("{l7: []}"), "removed"),
            ("V32", rule("{toPorts: [{ports: [{port: '80'}], listener: {name: x}}]}"), "no Envoy"),
            (
                "deny", rule("{toPorts: [{ports: [{port: '1'}], listener: {name: x}}]}", in: "egressDeny"),
                "addresses and ports only"
            ),
            ("deny", rule("{authentication: {mode: required}}", in: "egressDeny"), "no authentication"),
            ("groups", rule("{toGroups: [{aws: {}}]}", in: "egressDeny"), "not resolved"),
            ("TLS", rule("{toPorts: [{terminatingTLS: {}}]}"), "not terminated"),
            ("TLS", rule("{toPorts: [{originatingTLS: {}}]}"), "not originated"),
            ("auth", rule("{authentication: {mode: required}}"), "not enforced"),
            ("groups", rule("{toGroups: []}"), "not resolved"),
            ("groups", rule("{fromGroups: [{}]}", in: "ingress"), "not resolved"),
            ("requires", rule("{toRequires: [{}]}"), "removed"),
            ("requires", rule("{fromRequires: [{}]}", in: "ingress"), "removed"),
            ("deny", rule("{toFQDNs: [{matchName: a}]}", in: "egressDeny"), "cannot be denied"),
            (
                "deny", rule("{toPorts: [{ports: [{port: '1'}], rules: {http: [{}]}}]}", in: "egressDeny"),
                "addresses and ports only"
            ),
            ("direction", rule("{toEndpoints: [{}]}", in: "ingress"), "unknown field"),
            ("direction", rule("{toServices: []}", in: "ingress"), "unknown field"),
            ("service", rule("{toServices: [{}]}"), "does not name a service"),
            ("service", rule("{toServices: [{k8sServiceSelector: {}}]}"), "`selector` is missing"),
            ("log", "endpointSelector: {}\ningress: [{}]\nlog: {value: \(long)}", "more than 32"),
            ("log", "endpointSelector: {}\ningress: [{}]\nlog: {value: \"a\\tb\"}", "unprintable"),
            (
                "bool", "endpointSelector: {}\ningress: [{}]\nenableDefaultDeny: {ingress: 'false'}",
                "must be true or false"
            ),
        ]
    }()

    @Test(
        "a message is about the field that is wrong, and its fix is one for this kind",
        arguments: [
            (
                rule("{toPorts: [{ports: [{port: '53'}], rules: {http: [{}], dns: []}}]}"), "rules.dns",
                "list at least one"
            ),
            (
                rule("{toPorts: [{ports: [{port: '53'}], rules: {http: [], dns: [{matchName: a}]}}]}"), "rules.http",
                "list at"
            ),
            ("endpointSelector: {}\nnodeSelector: {}\ningress: [{}]", "nodeSelector", "CiliumClusterwideNetworkPolicy"),
            (rule("{toPorts: [{ports: [{port: '80-90'}]}]}"), "port", "write port: \"80\" and endPort: 90"),
        ])
    func fixes(_ spec: String, _ field: String, _ hint: String) {
        let found = decode(ciliumPolicy(spec)).diagnostics
        #expect(found.contains { $0.path.hasSuffix(field) && $0.hint.contains(hint) }, "\(found)")
        let clusterwide = decode(
            ciliumPolicy("endpointSelector: {}\nnodeSelector: {}\ningress: [{}]", isClusterwide: true)
        ).diagnostics
        #expect(clusterwide.contains { $0.hint.contains("two rules") })
    }

    @Test("Every row of the validation table refuses its object, and no other", arguments: refusals.indices)
    func refused(_ index: Int) {
        let (row, spec, error) = CiliumPolicyDecodeTests.refusals[index]
        let good = ciliumPolicy("endpointSelector: {}\ningress: [{}]").replacing("name: p", with: "name: q")
        let decoded = decode(ciliumPolicy(spec) + "---\n" + good)
        #expect(decoded.errors.count == 1, "\(row): \(spec): \(decoded.errors)")
        #expect(decoded.errors.first?.contains(error) == true, "\(row): \(spec): \(decoded.errors)")
        #expect(decoded.objects.ciliumPolicies.map(\.metadata.name) == ["q"])
        #expect(decoded.refused.count == 1)
    }

    @Test("Each refused field says what to do instead", arguments: refusals.indices)
    func instead(_ index: Int) {
        let decoded = decode(ciliumPolicy(CiliumPolicyDecodeTests.refusals[index].1))
        #expect(decoded.diagnostics.filter { $0.severity == .error }.allSatisfy { !$0.hint.isEmpty })
    }

    @Test(
        "A policy with neither spec nor specs is an error, and its subject is unknown",
        arguments: ["", "spec: null", "specs: []", "spec: {}"])
    func noRules(_ text: String) throws {
        let decoded = decode(
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}\n\(text)\n")
        #expect(!decoded.errors.isEmpty)
        #expect(decoded.objects.ciliumPolicies.isEmpty)
        #expect(decoded.refused.count == 1)
    }

    @Test("Fields without effect on traffic are read and change nothing: description, labels, log")
    func metadata() throws {
        let plain = decode(ciliumPolicy("endpointSelector: {}\ningress: [{}]"))
        let full = decode(
            ciliumPolicy(
                "endpointSelector: {}\ningress: [{}]\ndescription: why\nlabels: [{key: team, value: red}]\n"
                    + "log: {value: seen}"))
        #expect(full.diagnostics.isEmpty)
        let rules = [plain, full].map { PolicyLowering.lower($0.objects).policies.map(\.ingress) }
        #expect(rules[0] == rules[1])
        #expect(full.objects.ciliumPolicies.first?.rules.first?.log == "seen")
    }

    @Test("enableDefaultDeny is read for each direction, absent, true and false")
    func defaultDeny() throws {
        for (text, ingress, egress) in [
            ("{}", nil, nil), ("{ingress: false}", false, nil), ("{egress: true}", nil, true),
            ("{ingress: true, egress: false}", true, false),
        ] as [(String, Bool?, Bool?)] {
            let decoded = decode(
                ciliumPolicy("endpointSelector: {}\ningress: [{}]\negressDeny: [{}]\nenableDefaultDeny: \(text)"))
            let policy = try #require(PolicyLowering.lower(decoded.objects).policies.first)
            #expect(policy.ingress?.isolates == ingress ?? true)
            #expect(policy.egress?.isolates == egress ?? true)
        }
    }

    @Test("Rules for nodes take dns in egress, and no other L7")
    func nodeRules() {
        func errors(_ rule: String) -> Int {
            decode(ciliumPolicy("nodeSelector: {}\n" + rule, isClusterwide: true)).errors.count
        }
        #expect(errors("egress: [{toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchName: a}]}}]}]") == 0)
        #expect(errors("egress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{}]}}]}]") == 1)
        #expect(errors("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{}]}}]}]") == 1)
    }

    @Test("A refused policy still has subjects to isolate, rule by rule, with its namespace")
    func refusal() throws {
        let decoded = decode(
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}\nspecs:\n"
                + "- {endpointSelector: {matchLabels: {a: b}}, ingressDeny: [{fromEntities: [wrld]}]}\n"
                + "- {endpointSelector: {}, egress: [{}]}\n- {endpointSelectr: {}, egress: [{}]}\n")
        #expect(decoded.objects.ciliumPolicies.isEmpty)
        try #require(decoded.refused.count == 3)
        guard case .endpoints(let selector)? = decoded.refused[0].subject else {
            Issue.record("no subject")
            return
        }
        #expect(
            selector.requirements.map { "\($0.source):\($0.key)=\($0.values)" } == [
                #"any:a=["b"]"#, #"k8s:io.kubernetes.pod.namespace=["shop"]"#,
            ])
        #expect(decoded.refused.map(\.ingress) == [true, false, true])
        #expect(decoded.refused.map(\.egress) == [false, true, true])
        #expect(decoded.refused.map(\.denies) == [[.ingress], [], [.ingress, .egress]])
        let none = decode("apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p}\n")
        #expect(none.refused.count == 1 && none.refused[0].subject == nil)
    }
}
