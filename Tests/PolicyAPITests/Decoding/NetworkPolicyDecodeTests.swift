import NetpoldTestSupport
import Testing

@testable import NetTypes
@testable import PolicyAPI

@Suite("NetworkPolicy, decoded")
struct NetworkPolicyDecodeTests {
    private func good(_ spec: String) throws -> NetworkPolicy {
        let decoded = decode(networkPolicy(spec))
        #expect(decoded.errors == [])
        return try #require(decoded.objects.networkPolicies.first)
    }

    @Test(
        "A missing spec is the empty spec: all pods, ingress isolated",
        arguments: ["", "spec:\n", "spec: {}\n", "spec: {podSelector: null}\n"])
    func noSpec(_ spec: String) throws {
        let decoded = decode("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n" + spec)
        #expect(decoded.diagnostics == [])
        let policy = try #require(decoded.objects.networkPolicies.first)
        #expect(policy.metadata.namespace == "default")
        #expect(policy.podSelector.requirements == [])
        #expect(policy.policyTypes == [.ingress])
        #expect(policy.ingress.isEmpty && policy.egress.isEmpty)
    }

    @Test(
        "policyTypes are defaulted as the API server does",
        arguments: [
            ("egress: [{}]", [Direction.ingress, .egress]), ("egress: []", [.ingress]), ("egress:", [.ingress]),
            ("policyTypes: []\negress: [{}]", [.ingress, .egress]), ("policyTypes: [Egress]", [.egress]),
            ("policyTypes: [Ingress, Ingress]", [.ingress]), ("policyTypes: [Ingress]\negress: [{}]", [.ingress]),
        ])
    func types(_ spec: String, _ expected: [Direction]) throws {
        #expect(try good(spec).policyTypes == Set(expected))
    }

    @Test("Rules without effect are a warning")
    func unused() {
        let decoded = decode(networkPolicy("policyTypes: [Egress]\ningress: [{}]"))
        #expect(
            decoded.warnings.count == 1 && decoded.warnings[0].hasPrefix("spec.ingress: these rules have no effect"))
    }

    @Test(
        "A misspelt or misplaced field is one error with its fix: none for what is missing without it, and the policy is refused",
        arguments: [
            ("ingress: [{form: []}]", "spec.ingress[0].form: unknown field; did you mean \"from\"?"),
            (
                "ingress: [{from: [{podselector: {}}]}]",
                "spec.ingress[0].from[0].podselector: unknown field; did you mean \"podSelector\"?"
            ),
            (
                "ingress: [{from: [{matchLabels: {app: x}}]}]",
                "spec.ingress[0].from[0].matchLabels: unknown field; write it below podSelector: podSelector: {matchLabels: ...}"
            ),
            (
                "ingress: [{from: [{ipBlock: {cdir: 10.0.0.0/8}}]}]",
                "spec.ingress[0].from[0].ipBlock.cdir: unknown field; did you mean \"cidr\"?"
            ),
            (
                "ingress: [{from: [{podSelector: {}, ports: []}]}]",
                "spec.ingress[0].from[0].ports: unknown field; it belongs beside the list of peers, one level up"
            ),
            (
                "ingress: [{from: [{podSelector: {namespaceSelector: {}}}]}]",
                "spec.ingress[0].from[0].podSelector.namespaceSelector: unknown field; it belongs beside podSelector, one level up"
            ),
            (
                "ingress: [{policyTypes: [Ingress]}]",
                "spec.ingress[0].policyTypes: unknown field; it belongs beside ingress, one level up"
            ),
            ("ports: [8000]", "spec.ports: unknown field; it belongs below an element of ingress or egress"),
            (
                "ingress: [{ports: [{proto: TCP, port: 80}]}]",
                "spec.ingress[0].ports[0].proto: unknown field; did you mean \"protocol\"?"
            ),
            (
                "podSelector: {app: web}",
                "spec.podSelector.app: unknown field; a label is written below matchLabels: matchLabels: {app: ...}"
            ),
        ])
    func mistaken(_ spec: String, _ expected: String) {
        let decoded = decode(networkPolicy(spec))
        #expect(decoded.diagnostics.map { "\($0.path): \($0.message); \($0.hint)" } == [expected])
        #expect(decoded.objects.networkPolicies.isEmpty)
    }

    @Test("A field of the specification beside it is told where it belongs")
    func besideSpec() {
        let text = networkPolicy("ingress: []") + "\npodSelector: {matchLabels: {app: web}}\n"
        #expect(decode(text).diagnostics.map(\.hint).contains("it belongs below spec"))
    }

    @Test("What is missing in another map is still said, and types that cannot be read leave out no rules")
    func otherMaps() {
        let decoded = decode(networkPolicy("ingress: [{from: [{podselector: {}}, {}]}]"))
        #expect(decoded.errors.count == 2)
        let types = decode(networkPolicy("policyTypes: [ingres]\negress: [{}]"))
        #expect(types.errors.count == 1 && types.warnings == [])
    }

    @Test("Peers keep what is written: own namespace, all namespaces, both, addresses")
    func peers() throws {
        let policy = try good(
            """
            ingress:
            - from:
              - podSelector: {}
              - namespaceSelector: {}
              - podSelector: {matchLabels: {b: "2", a: "1"}}
                namespaceSelector: {matchExpressions: [{key: k, operator: NotIn, values: [x]}]}
              - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}
              - ipBlock: {cidr: "fd00::/8"}
            - {}
            """)
        let peers = policy.ingress[0].peers
        guard case .pods(nil, let own?) = peers[0], case .pods(let all?, nil) = peers[1],
            case .pods(let some?, let labels?) = peers[2]
        else {
            Issue.record("wrong shapes: \(peers)")
            return
        }
        #expect(own.requirements.isEmpty && all.requirements.isEmpty)
        #expect(labels.requirements.map(\.key) == ["a", "b"])
        #expect(labels.requirements.map(\.operator) == [.isIn, .isIn])
        #expect(some.requirements.map(\.operator) == [.notIn])
        #expect(
            peers[3]
                == .ipBlock(
                    cidr: try #require(IPPrefix(parsing: "10.0.0.0/8")),
                    except: [try #require(IPPrefix(parsing: "10.1.0.0/16"))]))
        #expect(policy.ingress[1].peers.isEmpty && policy.ingress[1].ports.isEmpty)
        #expect(policy.ingress[0].path == "spec.ingress[0]")
        #expect(policy.ingress[1].location == SourceLocation(file: "p.yaml", line: 13, column: 5))
    }

    @Test(
        "Ports get their defaults",
        arguments: [
            ("{}", NetworkPolicyPort(protocol: .tcp, port: .all)),
            ("{protocol: UDP}", .init(protocol: .udp, port: .all)),
            ("{port: 80}", .init(protocol: .tcp, port: .range(PortRange(80)))),
            ("{port: 80, endPort: 80}", .init(protocol: .tcp, port: .range(PortRange(80)))),
            ("{port: 80, endPort: 65535, protocol: SCTP}", .init(protocol: .sctp, port: .range(PortRange(80, 65535)))),
            ("{port: http}", .init(protocol: .tcp, port: .named("http"))),
            ("{port: null, protocol: null}", .init(protocol: .tcp, port: .all)),
        ])
    func ports(_ text: String, _ expected: NetworkPolicyPort) throws {
        #expect(try good("ingress: [{ports: [\(text)]}]").ingress[0].ports == [expected])
    }

    /// Specs that are refused, and what is said.
    private static let refusals: [(spec: String, error: String)] = [
        (
            "ingress: [{ports: [{protocol: ICMP}]}]",
            #"spec.ingress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP""#
        ),
        (
            "ingress: [{ports: [{protocol: tcp}]}]",
            #"spec.ingress[0].ports[0].protocol: Unsupported value: "tcp": supported values: "TCP", "UDP", "SCTP""#
        ),
        (
            "ingress: [{ports: [{port: 0}]}]",
            "spec.ingress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"
        ),
        (
            "ingress: [{ports: [{port: 65536}]}]",
            "spec.ingress[0].ports[0].port: Invalid value: 65536: must be between 1 and 65535, inclusive"
        ),
        (
            "ingress: [{ports: [{port: -1}]}]",
            "spec.ingress[0].ports[0].port: Invalid value: -1: must be between 1 and 65535, inclusive"
        ),
        (
            "ingress: [{ports: [{port: 8, endPort: 70000}]}]",
            "spec.ingress[0].ports[0].endPort: Invalid value: 70000: must be between 1 and 65535, inclusive"
        ),
        (
            "ingress: [{ports: [{port: 8, endPort: 7}]}]",
            "spec.ingress[0].ports[0].endPort: Invalid value: 7: must be greater than or equal to `port`"
        ),
        (
            "ingress: [{ports: [{port: http, endPort: 7}]}]",
            "spec.ingress[0].ports[0].endPort: Forbidden: may not be specified when `port` is non-numeric"
        ),
        (
            "ingress: [{ports: [{endPort: 7}]}]",
            "spec.ingress[0].ports[0].endPort: Forbidden: may not be specified when `port` is not specified"
        ),
        (
            "ingress: [{ports: [{port: '80'}]}]",
            #"spec.ingress[0].ports[0].port: Invalid value: "80": must contain at least one letter (a-z)"#
        ),
        (
            "ingress: [{ports: [{port: a-very-long-name}]}]",
            #"spec.ingress[0].ports[0].port: Invalid value: "a-very-long-name": must be no more than 15 characters"#
        ),
        (
            "ingress: [{ports: [{port: HTTP}]}]",
            #"spec.ingress[0].ports[0].port: Invalid value: "HTTP": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"#
        ),
        (
            "ingress: [{ports: [{port: a--b}]}]",
            #"spec.ingress[0].ports[0].port: Invalid value: "a--b": must not contain consecutive hyphens"#
        ),
        (
            "ingress: [{ports: [{port: -ab}]}]",
            #"spec.ingress[0].ports[0].port: Invalid value: "-ab": must not begin or end with a hyphen"#
        ),
        (
            "ingress: [{ports: [{port: 080}]}]",
            "spec.ingress[0].ports[0].port: must be a whole number, not the number 080"
        ),
        (
            "ingress: [{ports: [{port: 99999999999999999999}]}]",
            "spec.ingress[0].ports[0].port: must be a whole number, not the number 99999999999999999999"
        ),
        (
            "ingress: [{ports: [{port: true}]}]",
            "spec.ingress[0].ports[0].port: must be a whole number, not the boolean true"
        ),
        ("ingress: [{ports: {port: 1}}]", "spec.ingress[0].ports: must be a list, not a map"),
        ("ingress: [{from: [{}]}]", "spec.ingress[0].from[0]: Required value: must specify a peer"),
        ("ingress: [{from: [{podSelector: null}]}]", "spec.ingress[0].from[0]: Required value: must specify a peer"),
        (
            "ingress: [{from: [{ipBlock: {cidr: 1.0.0.0/8}, podSelector: {}}]}]",
            "spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer"
        ),
        ("ingress: [{from: [{ipBlock: {}}]}]", "spec.ingress[0].from[0].ipBlock: cidr: Required value"),
        ("ingress: [{from: [{ipBlock: {cidr: ''}}]}]", "spec.ingress[0].from[0].ipBlock.cidr: cidr: Required value"),
        (
            "ingress: [{from: [{ipBlock: {cidr: 10.0.0.1}}]}]",
            #"spec.ingress[0].from[0].ipBlock.cidr: "10.0.0.1" is not a valid CIDR"#
        ),
        (
            "ingress: [{from: [{ipBlock: {cidr: 010.0.0.0/8}}]}]",
            #"spec.ingress[0].from[0].ipBlock.cidr: "010.0.0.0/8" is not a valid CIDR"#
        ),
        (
            "ingress: [{from: [{ipBlock: {cidr: '::ffff:10.0.0.0/104'}}]}]",
            #"spec.ingress[0].from[0].ipBlock.cidr: "::ffff:10.0.0.0/104" is not a valid CIDR"#
        ),
        (
            "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]",
            #"spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`"#
        ),
        (
            "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: ['fd00::/16']}}]}]",
            #"spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "fd00::/16": must be a strict subset of `cidr`"#
        ),
        (
            "ingress: [{from: [{ipBlock: {cidr: '::/0', except: [10.0.0.0/8]}}]}]",
            #"spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`"#
        ),
        ("policyTypes: [Ingress, Egress, Ingress]", "spec.policyTypes: may not specify more than two policyTypes"),
        (
            "policyTypes: [ingress]",
            #"spec.policyTypes[0]: Unsupported value: "ingress": supported values: "Ingress", "Egress""#
        ),
        (
            "podSelector: {matchExpressions: [{key: a, operator: In}]}",
            "spec.podSelector.matchExpressions[0]: must be specified when `operator` is 'In' or 'NotIn'"
        ),
        (
            "podSelector: {matchExpressions: [{key: a, operator: In, values: []}]}",
            "spec.podSelector.matchExpressions[0].values: must be specified when `operator` is 'In' or 'NotIn'"
        ),
        (
            "podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}",
            "spec.podSelector.matchExpressions[0].values: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        ),
        (
            "podSelector: {matchExpressions: [{key: a, operator: in, values: [b]}]}",
            #"spec.podSelector.matchExpressions[0].operator: "in" is not a valid label selector operator"#
        ),
        ("podSelector: {matchLabels: {a: 1}}", "spec.podSelector.matchLabels.a: must be a string, not the number 1"),
        ("podSelector: {matchLabels: {a: }}", "spec.podSelector.matchLabels.a: must be a string, not null"),
        ("podSelector: {app: web}", "spec.podSelector.app: unknown field"),
        ("podselector: {}", "spec.podselector: unknown field"),
        ("ingress: [{form: []}]", "spec.ingress[0].form: unknown field"),
        ("ingress: [{to: []}]", "spec.ingress[0].to: unknown field"),
        ("ingress:\n-", "spec.ingress[0]: an element of the list is empty"),
        ("ingress: [{from: [{podSelector: {}}, ]}, []]", "spec.ingress[1]: must be a map, not a list"),
    ]

    @Test("What the API server refuses is refused, with its message", arguments: refusals.map(\.spec))
    func refused(_ spec: String) throws {
        let expected = try #require(NetworkPolicyDecodeTests.refusals.first { $0.spec == spec }).error
        let decoded = decode(
            networkPolicy(spec) + "---\n" + networkPolicy("podSelector: {}").replacing("name: p", with: "name: q"))
        #expect(decoded.errors == [expected])
        #expect(decoded.objects.networkPolicies.map(\.metadata.name) == ["q"])
        #expect(decoded.refused.count == 1)
        #expect(decoded.hasErrors)
    }

    @Test("Host bits are a warning, and cleared")
    func hostBits() throws {
        let decoded = decode(networkPolicy("ingress: [{from: [{ipBlock: {cidr: 10.0.0.1/24}}]}]"))
        #expect(decoded.errors == [] && decoded.warnings.count == 1)
        let peer = try #require(decoded.objects.networkPolicies.first?.ingress.first?.peers.first)
        #expect(peer == .ipBlock(cidr: try #require(IPPrefix(parsing: "10.0.0.0/24")), except: []))
    }

    @Test("A refused policy still has a subject and directions to isolate")
    func refusal() throws {
        let bad = "ingress: [{ports: [{port: 0}]}]"
        func refusal(_ spec: String) throws -> PolicyRefusal { try #require(decode(networkPolicy(spec)).refused.first) }
        let plain = try refusal("podSelector: {matchLabels: {a: b}}\npolicyTypes: [Ingress]\n" + bad)
        guard case .pods(.named("shop"), let selector)? = plain.subject else {
            Issue.record("no subject")
            return
        }
        #expect(selector.requirements.map(\.key) == ["a"])
        #expect(plain.ingress && !plain.egress)
        #expect(plain.origin.description == "NetworkPolicy shop/p (p.yaml:1:1)")
        let types = try refusal("policyTypes: [Egres]")
        #expect(types.ingress && types.egress)
        let misspelt = try refusal("egres: []")
        #expect(misspelt.ingress && misspelt.egress)
        #expect(misspelt.subject == .pods(.named("shop"), LabelSelector()))
        let twice = try refusal("podSelector: {}\ningress: []\ningress: []")
        #expect(twice.ingress && twice.egress && twice.subject != nil)
    }
}
