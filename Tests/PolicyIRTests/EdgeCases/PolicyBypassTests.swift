import Testing

/// Mistakes by which other engines let through what their policies deny, each a case that must stay closed.
@Suite("Bypasses of other engines") struct PolicyBypassTests {
    /// A known bypass.
    struct Bypass: Sendable, CustomTestStringConvertible {
        /// The advisory or report.
        let id: String
        /// What must hold.
        let says: String
        let trials: [Trial]

        init(_ id: String, _ says: String, _ trials: Trial...) {
            self.id = id
            self.says = says
            self.trials = trials
        }

        var testDescription: String { "\(id): \(says)" }
    }

    private static let get = "{http: [{method: GET}]}"

    static let bypasses: [Bypass] = [
        Bypass(
            "GHSA-3wwx-63fv-pfq6", "a deny of a prefix holds where another rule names a longer one inside it",
            Trial(
                ccnp(
                    "endpointSelector: {}, egressDeny: [{toCIDRSet: [{cidr: 1.0.0.0/8}]}], enableDefaultDeny: {egress: false}"
                ),
                ccnp(
                    "endpointSelector: {}, egress: [{toCIDRSet: [{cidr: 1.1.1.2/32}]}], enableDefaultDeny: {egress: false}",
                    name: "q"),
                flows: ["deny web > 1.1.1.1 80", "deny web > 1.1.1.2 80", "allow web > 2.1.1.1 80"]),
            Trial(
                cnp(
                    "egressDeny: [{toCIDRSet: [{cidr: 1.0.0.0/8}]}], egress: [{toEntities: [all]}, {toFQDNs: [{matchName: a.io}]}]"
                ),
                names: ["a.io": ["1.1.1.2"]],
                flows: ["deny web > 1.1.1.1 80", "deny web > 1.1.1.2 80", "allow web > 2.1.1.1 80"])
        ),
        Bypass(
            "CVE-2023-41333", "a subject selector that names a reserved label stays in the policy's namespace",
            Trial(
                cnp(
                    "endpointSelector: {matchExpressions: [{key: 'reserved:init', operator: DoesNotExist}]}, ingress: [{fromEntities: [all]}]"
                ),
                np("ingress: []", selects: "{}").replacing("namespace: shop", with: "namespace: ops"),
                flows: ["deny db > ops/probe 80", "allow ops/probe > db 80"]),
            Trial(
                cnp(
                    "endpointSelector: {matchExpressions: [{key: 'reserved:init', operator: DoesNotExist}]}, ingress: [{}]"
                ),
                flows: ["deny db > web 80", "allow db > ops/probe 80"])),
        Bypass(
            "CVE-2023-30851", "an allow-all for one of two peers of an http rule does not open it for the other",
            Trial(
                cnp(
                    "ingress: [{fromEndpoints: [\(app("db")), \(app("cache"))], \(toPorts("80", rules: get))}, {fromEndpoints: [\(app("db"))]}]"
                ),
                flows: [
                    "allow db > web 80 http: {method: POST}", "deny cache > web 80 http: {method: POST}",
                    "allow cache > web 80 http: {method: GET}", "deny cache > web 81",
                ])),
        Bypass(
            "GHSA-c6pf-2v8j-96mc", "a rule about nodes does not let pods through, whatever their labels or node",
            Trial(
                cnp("ingress: [{fromNodes: [{}]}]"),
                flows: ["deny db > web 80", "deny ops/probe > web 80", "allow 10.9.0.2 > web 80"]),
            Trial(
                cnp("ingress: [{fromNodes: [{matchExpressions: [{key: zone, operator: NotIn, values: [b]}]}]}]"),
                flows: ["deny db > web 80", "deny 203.0.113.1 > web 80", "deny 10.9.0.2 > web 80"]),
            Trial(
                cnp("ingress: [{fromNodes: [{matchLabels: {zone: c}}]}]"),
                EdgeCluster.pod("shop", "zoned", "zone: c", ["10.0.0.9"]) + "\n", flows: ["deny zoned > web 80"])),
        Bypass(
            "CVE-2025-64715", "a reference that resolves to nothing is not a missing list of peers",
            Trial(
                cnp("egress: [{toCIDRSet: [{cidrGroupRef: absent}], \(toPorts("443"))}]"),
                flows: ["deny web > db 443", "deny web > 203.0.113.1 443"]),
            Trial(
                cnp("egress: [{toGroups: [{aws: {securityGroupsIds: [sg-1]}}], \(toPorts("443"))}]"),
                flows: ["deny web > db 443", "deny web > 203.0.113.1 443"],
                refused: ["unsupported-field spec.egress[0].toGroups"])),
        Bypass(
            "GHSA-hxv8-4j4r-cqgv", "what the sender's L7 rules admit still meets the receiver's ingress rules",
            Trial(
                cnp("endpointSelector: \(app("db")), egress: [{\(toPorts("80", rules: get))}]"),
                cnp("ingress: [{fromEndpoints: [\(app("cache"))]}]", name: "q"),
                flows: [
                    "deny db > web 80 http: {method: GET}, egress: allow, ingress: deny", "deny db > web 80",
                ]),
            Trial(
                cnp("endpointSelector: \(app("db")), egress: [{\(toPorts("80", rules: get))}]"),
                cnp("ingress: [{\(toPorts("80", rules: "{http: [{path: /api}]}"))}]", name: "q"),
                flows: [
                    "allow db > web 80 http: {method: GET, path: /api}",
                    "deny db > web 80 http: {method: GET, path: /other}",
                    "deny db > web 80 http: {method: POST, path: /api}",
                ])),
        Bypass(
            "aws-npa #180, #326, controller #197", "an exception takes nothing from another element, rule or policy",
            Trial(
                np(
                    "policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [192.0.2.0/24]}}]}, "
                        + "{to: [{ipBlock: {cidr: 192.0.2.0/25}}], ports: [{port: 443}]}]"),
                flows: [
                    "allow web > 192.0.3.1 80", "deny web > 192.0.2.1 80", "allow web > 192.0.2.1 443",
                    "deny web > 192.0.2.200 443",
                ])),
        Bypass(
            "controller #222", "a prefix inside an exception is what another element says, not what the wider one says",
            Trial(
                cnp(
                    "egress: [{toCIDRSet: [{cidr: 192.0.0.0/16, except: [192.0.2.0/24]}]}, {toCIDRSet: [{cidr: 192.0.2.128/25, except: [192.0.2.129/32]}]}]"
                ),
                flows: [
                    "allow web > 192.0.3.1 80", "deny web > 192.0.2.1 80", "allow web > 192.0.2.130 80",
                    "deny web > 192.0.2.129 80",
                ])),
        Bypass(
            "an exception of a deny", "re-opens nothing that no rule allows, and its own range only",
            Trial(
                cnp(
                    "egress: [{toCIDR: [192.0.2.0/25]}], egressDeny: [{toCIDRSet: [{cidr: 192.0.2.0/24, except: [192.0.2.0/26, 192.0.2.192/26]}]}]"
                ),
                flows: [
                    "allow web > 192.0.2.1 80", "deny web > 192.0.2.100 80", "deny web > 192.0.2.130 80",
                    "deny web > 192.0.2.200 80",
                ])),
        Bypass(
            "cilium #30003, aws-npa #149, aci #1707",
            "a port's name means each destination's number and no other pod's",
            Trial(
                np("policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}], ports: [{port: http}]}]"),
                flows: [
                    "allow web > db 80", "deny web > db 8080", "deny web > db 9000", "allow web > ops/probe 9000",
                    "deny web > ops/probe 80", "deny web > cache 80", "deny web > ops/web 8080",
                ]),
            Trial(
                np("ingress: [{from: [{podSelector: {}}], ports: [{port: http}]}]"),
                flows: ["allow db > web 8080", "deny db > web 80"])),
        Bypass(
            "aws controller #210",
            "a named port admits its number at pods that name it, and at no others behind the address",
            Trial(
                cnp("egress: [{toServices: [{k8sService: {serviceName: database}}], \(toPorts("http"))}]"),
                flows: ["allow web > db 80", "deny web > cache 80", "deny web > db 8080"]),
            Trial(
                cnp("egress: [{toCIDR: [0.0.0.0/0], \(toPorts("http"))}]"),
                flows: ["deny web > 203.0.113.1 80", "deny web > 203.0.113.1 8080", "deny web > db 80"])),
        Bypass(
            "cilium #9209", "an ipBlock of pod addresses selects the pods",
            Trial(
                np("policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/24, except: [10.0.0.3/32]}}]}]"),
                flows: ["allow web > 10.0.0.2 80", "deny web > cache 80", "deny web > ops/probe 80"])),
        Bypass(
            "labels of the agent",
            "a pod cannot lend itself the labels by which Cilium sees namespace, cluster or account",
            Trial(
                cnp(
                    "ingress: [{fromEndpoints: [{matchLabels: {io.kubernetes.pod.namespace: ops}}, "
                        + "{matchLabels: {io.cilium.k8s.namespace.labels.team: blue}}, "
                        + "{matchLabels: {io.cilium.k8s.policy.serviceaccount: admin}}]}]"),
                EdgeCluster.pod(
                    "shop", "liar",
                    "io.kubernetes.pod.namespace: ops, io.cilium.k8s.namespace.labels.team: blue, "
                        + "io.cilium.k8s.policy.serviceaccount: admin", ["10.0.0.9"]) + "\n",
                flows: ["deny liar > web 80", "allow ops/probe > web 80"])),
        Bypass(
            "a rule without its dash", "refuses the policy and isolates whom the rule selects",
            Trial(
                cnp("ingressDeny: [{}]").replacing("spec: ", with: "specs: "),
                flows: ["deny db > web 80", "allow db > cache 80"], refused: ["wrong-type specs"])),
        Bypass(
            "two owners of one address", "who has it is a peer of every deny and of no allow that names peers",
            Trial(
                cnp("ingress: [{fromEndpoints: [{}]}]"),
                EdgeCluster.pod("shop", "one", "app: one", ["10.0.0.9"]) + "\n---\n"
                    + EdgeCluster.pod("shop", "two", "app: two", ["10.0.0.9"]) + "\n",
                flows: ["deny 10.0.0.9 > web 80"]),
            Trial(
                cnp(
                    "ingress: [{fromEntities: [all]}], ingressDeny: [{fromEndpoints: [\(app("one"))], \(toPorts("80"))}]"
                ),
                EdgeCluster.pod("shop", "one", "app: one", ["10.0.0.9"]) + "\n---\n"
                    + EdgeCluster.pod("shop", "two", "app: two", ["10.0.0.9"]) + "\n",
                flows: ["deny 10.0.0.9 > web 80", "allow 10.0.0.9 > web 81"])),
    ]

    /// Bypasses that only packets show, with the tests that send them.
    private static let packets: [(id: String, place: ElsewhereRows.Place)] = [
        (
            "GHSA-c66w-hq56-4q97: a conntrack entry lets an echo through that no policy allows",
            .tests(
                "DatapathTests/Packets/FlowTests.swift",
                ["pings are answered; answers nobody asked for, and pings back, are judged by their own type"])
        ),
        (
            "aws-npa conntrack poisoning: what one pod opens admits another's flow",
            .tests(
                "DatapathTests/Packets/FlowTests.swift",
                [
                    "what one pod has admitted opens nothing at the other",
                    "crafted answers without a question open nothing and leave no entry",
                ])
        ),
        (
            "aws-npa: ports are read at a fixed offset, short packets pass",
            .tests(
                "DatapathTests/Packets/ParsingTests.swift",
                ["options do not hide the port", "a frame cut anywhere is dropped as truncated"])
        ),
    ]

    @Test("what only packets show is tested with packets")
    func packets() throws {
        for (id, place) in PolicyBypassTests.packets {
            #expect(try place.missing(under: EdgeCaseTests.root.appending(path: "Tests")) == [], "\(id)")
        }
    }

    @Test("stays closed", arguments: bypasses)
    func closed(_ bypass: Bypass) {
        for trial in bypass.trials {
            let failures = trial.failures().joined(separator: "\n")
            #expect(failures.isEmpty, "\(bypass.id):\n\(failures)\n\(trial.manifests)")
        }
    }
}
