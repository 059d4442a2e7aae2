import Testing

/// Mistakes outside of what a policy says: each closes as one in it does.
@Suite("Mistakes close") struct MistakesCloseTests {
    /// A mistake, and the flows that must not pass for it.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let says: String
        let trials: [Trial]

        init(_ says: String, _ trials: Trial...) {
            self.says = says
            self.trials = trials
        }

        var testDescription: String { says }
    }

    private static let open = "egress: [{toEntities: [world, cluster]}], "
    private static let byLabel = "egressDeny: [{toCIDRSet: [{cidrGroupSelector: {matchLabels: {k: v}}}]}]"

    /// A policy under another apiVersion.
    private static func version(_ policy: String, _ wrong: String) -> String {
        policy.split(separator: "\n").map { $0.hasPrefix("apiVersion") ? wrong : String($0) }.joined(separator: "\n")
            + "\n"
    }

    private static func group(_ name: String, _ prefix: String, labels: String = "{k: v}") -> String {
        "apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: {name: \(name), labels: \(labels)}\nspec: {externalCIDRs: [\(prefix)]}\n"
    }

    private static let denyData =
        cnp(
            open
                + "egressDeny: [{toServices: [{k8sServiceSelector: {selector: {matchLabels: {kind: data}}, namespace: shop}}]}]"
        )
    private static let denyBank = cnp(
        open + "egressDeny: [{toServices: [{k8sService: {serviceName: bank, namespace: shop}}]}]")
    private static let unresolvedService = "unresolved-reference spec.egressDeny[0].toServices"

    private static func service(_ name: String, _ metadata: String, _ spec: String) -> String {
        "apiVersion: v1\nkind: Service\nmetadata: {name: \(name), namespace: shop, \(metadata)}\nspec: {\(spec)}\n"
    }

    private static func slice(_ name: String, _ addresses: String, service: String = "bank") -> String {
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: \(name), namespace: shop, labels: {kubernetes.io/service-name: \(service)}}\naddressType: IPv4\nendpoints: [{addresses: [\(addresses)]}]\n"
    }

    private static func apiServer(_ address: String) -> String {
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}\naddressType: IPv4\nendpoints: [{addresses: [\(address)]}]\n"
    }

    private static func namespace(_ labels: String) -> String {
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: pci, labels: {\(labels)}}\n"
    }

    private static let till =
        EdgeCluster.pod("pci", "till", "app: till", ["10.0.2.1"]) + "\n---\n"
        + cnp("ingress: [{fromEntities: [all]}]", name: "till", namespace: "pci").replacing(
            "app: web", with: "app: till")

    static let mistakes: [Mistake] = [
        Mistake(
            "a policy of another version of its API, or without one, isolates whom it selects",
            Trial(
                version(np("ingress: [{}]"), "apiVersion: networking.k8s.io/v1beta1"),
                flows: ["deny db > web 80", "deny web > db 80", "allow db > cache 80"], refused: ["unknown-kind kind"]),
            Trial(
                version(np("ingress: [{}]"), "apiVersion: extensions/v1beta1"), flows: ["deny db > web 80"],
                refused: ["unknown-kind kind"]),
            Trial(
                version(np("ingress: [{}]"), "apiVersion: 1"), flows: ["deny db > web 80"],
                refused: ["wrong-type apiVersion"]),
            Trial(
                version(cnp("ingress: [{}]"), "apiversion: cilium.io/v2"), flows: ["deny db > web 80"],
                refused: ["not-an-object "]),
            Trial(
                version(cnp("ingress: [{}]"), "apiVersion: cilium.io/v2alpha1"), flows: ["deny db > web 80"],
                refused: ["unknown-kind kind"]),
            Trial(
                EdgeCases.clusterPolicy(
                    "p", "ingress: [{action: Deny, from: [{namespaces: {}}]}]"
                )
                .replacing("v1alpha2", with: "v1alpha3"), np("ingress: [{}]"), flows: ["deny db > web 80"],
                refused: ["unknown-kind kind"])),
        Mistake(
            "so does one whose kind is misspelt",
            Trial(
                np("ingress: [{}]").replacing("kind: NetworkPolicy", with: "kind: NetworkPolcy"),
                flows: ["deny db > web 80"], refused: ["unknown-kind kind"]),
            Trial(
                np("ingress: [{}]").replacing("kind: NetworkPolicy", with: "Kind: NetworkPolicy"),
                flows: ["deny db > web 80"], refused: ["not-an-object "])),
        Mistake(
            "but another API's policy of the same name is not netpold's",
            Trial(
                version(np("ingress: [{}]"), "apiVersion: projectcalico.org/v3"), flows: ["allow db > web 80"],
                refused: ["unknown-kind kind"])),
        Mistake(
            "a policy that is defined twice, and not the same, isolates whom either selects, whichever comes first",
            Trial(
                np("ingress: [{}]"), np("", selects: "{matchLabels: {app: db}}"),
                flows: ["deny db > web 80", "deny web > db 80", "allow db > cache 80"],
                refused: ["duplicate-object "]),
            Trial(
                np("", selects: "{matchLabels: {app: db}}"), np("ingress: [{}]"),
                flows: ["deny db > web 80", "deny web > db 80", "allow db > cache 80"],
                refused: ["duplicate-object "]),
            Trial(
                cnp("egress: [{toEntities: [all]}]"),
                cnp("egressDeny: [{toEntities: [world]}], egress: [{toEntities: [all]}]"), cnp("ingress: [{}]"),
                flows: ["deny web > db 80", "deny db > web 80", "allow db > cache 80"],
                refused: ["duplicate-object ", "duplicate-object "]),
            Trial(
                EdgeCases.clusterPolicy("p", "ingress: [{action: Accept, from: [{namespaces: {}}]}]"),
                EdgeCases.clusterPolicy("p", "ingress: [{action: Deny, from: [{namespaces: {}}]}]"),
                flows: ["deny db > web 80"], refused: ["duplicate-object "]),
            Trial(
                np("ingress: [{}]"), String(np("", selects: "{matchLabels: {app: db}}").dropLast(2)),
                flows: ["deny db > web 80", "deny web > db 80"], refused: ["duplicate-object ", "syntax "])),
        Mistake(
            "one that says the same twice is one",
            Trial(
                np("ingress: [{}]"), np("ingress: [{}]"), flows: ["allow db > web 80"], warned: ["duplicate-object "])),
        Mistake(
            "a deny by a CIDR group that is doubled, no YAML, of another version or nameless refuses its policy",
            Trial(
                cnp(open + "egressDeny: [{toCIDRSet: [{cidrGroupRef: g}]}]"), group("g", "198.51.100.0/24"),
                group("g", "192.0.2.0/24"), flows: ["deny web > 192.0.2.9 80"],
                refused: ["duplicate-object ", "unresolved-reference spec.egressDeny[0].toCIDRSet"]),
            Trial(
                cnp(open + byLabel), group("ok", "198.51.100.0/24"),
                group("g", "192.0.2.0/24").replacing("]}", with: "]"),
                flows: ["deny web > 192.0.2.9 80"],
                refused: ["syntax ", "unresolved-reference spec.egressDeny[0].toCIDRSet"]),
            Trial(
                cnp(open + byLabel), group("ok", "198.51.100.0/24"),
                version(group("g", "192.0.2.0/24"), "apiVersion: cilium.io/v3"),
                flows: ["deny web > 192.0.2.9 80"],
                refused: ["unknown-kind kind", "unresolved-reference spec.egressDeny[0].toCIDRSet"]),
            Trial(
                cnp(open + byLabel), group("ok", "198.51.100.0/24"),
                group("g", "192.0.2.0/24").replacing("name: g", with: "generateName: g"),
                flows: ["deny web > 192.0.2.9 80"],
                refused: ["missing-field metadata", "unresolved-reference spec.egressDeny[0].toCIDRSet"])),
        Mistake(
            "so does a deny by one whose kind is misspelt, or in a list that breaks off before its kind",
            Trial(
                cnp(open + byLabel), group("ok", "198.51.100.0/24"),
                group("g", "192.0.2.0/24").replacing("kind: CiliumCIDRGroup", with: "kind: CiliumCIDRGruop"),
                flows: ["deny web > 192.0.2.9 80"],
                refused: ["unknown-kind kind", "unresolved-reference spec.egressDeny[0].toCIDRSet"]),
            Trial(
                cnp(open + byLabel), group("ok", "198.51.100.0/24"),
                "apiVersion: v1\nitems: [{apiVersion: cilium.io/v2, kind: CiliumCIDRGroup, metadata: {name: g}, spec: {externalCIDRs: [192.0.2.0/24]}}]\n",
                flows: ["deny web > 192.0.2.9 80"],
                refused: ["not-an-object ", "unresolved-reference spec.egressDeny[0].toCIDRSet"])),
        Mistake(
            "a CIDR group that says the same twice is one",
            Trial(
                cnp(open + "egressDeny: [{toCIDRSet: [{cidrGroupRef: g}]}]"), group("g", "198.51.100.0/24"),
                group("g", "198.51.100.0/24"), flows: ["deny web > 198.51.100.9 80", "allow web > 192.0.2.9 80"],
                warned: ["duplicate-object "])),
        Mistake(
            "a deny by Services of which one has an error, is no YAML or is defined twice and not the same refuses its policy",
            Trial(
                denyData, service("other", "labels: {kind: data}", "selector: {app: 5}"),
                flows: ["deny web > cache 80", "deny web > 192.0.2.9 80"],
                refused: ["wrong-type spec.selector.app", unresolvedService]),
            Trial(
                denyData, service("other", "labels: {kind: 5}", "selector: {app: cache}"),
                flows: ["deny web > cache 80"], refused: ["wrong-type metadata.labels.kind", unresolvedService]),
            Trial(
                denyData, service("other", "labels: {kind: none}", "selector: {app: 5}"),
                flows: ["allow web > cache 80", "deny web > db 80"], refused: ["wrong-type spec.selector.app"]),
            Trial(
                denyData, service("other", "labels: {kind: data}", "selector: {app: cache]"),
                flows: ["deny web > cache 80"], refused: ["syntax ", unresolvedService]),
            Trial(
                denyData, service("database", "labels: {kind: data}", "selector: {app: cache}"),
                flows: ["deny web > db 80", "deny web > cache 80"], refused: [unresolvedService],
                warned: ["duplicate-object "]),
            Trial(
                denyData, service("database", "labels: {kind: data}", "selector: {app: 5}"),
                flows: ["deny web > db 80", "deny web > cache 80"],
                refused: ["wrong-type spec.selector.app", unresolvedService]),
            Trial(
                denyData, service("database", "labels: {kind: data}", "selector: {app: db}"),
                flows: ["deny web > db 80", "allow web > cache 80"], warned: ["duplicate-object "])),
        Mistake(
            "so does one by a Service without selector of whose EndpointSlices one has an error, is no YAML or is defined twice",
            Trial(
                denyBank, slice("bank-2", "203.0.113.300"), flows: ["deny web > cache 80"],
                refused: ["invalid-value endpoints[0].addresses[0]", unresolvedService]),
            Trial(
                denyBank, slice("bank-2", "203.0.113.10", service: "5"), flows: ["deny web > cache 80"],
                refused: ["wrong-type metadata.labels[\"kubernetes.io/service-name\"]", unresolvedService]),
            Trial(
                denyBank, slice("bank-2", "203.0.113.300", service: "other"),
                flows: ["allow web > cache 80", "deny web > 203.0.113.9 80"],
                refused: ["invalid-value endpoints[0].addresses[0]"]),
            Trial(
                denyBank, slice("bank-2", "203.0.113.10").replacing("]}]", with: "]}"), flows: ["deny web > cache 80"],
                refused: ["syntax ", unresolvedService]),
            Trial(
                denyBank, slice("bank-1", "203.0.113.10"), flows: ["deny web > cache 80"],
                refused: ["duplicate-object ", unresolvedService])),
        Mistake(
            "an allow by what is not known gives nothing, and what is known of the rest",
            Trial(
                cnp("egress: [{toServices: [{k8sService: {serviceName: bank, namespace: shop}}]}]"),
                slice("bank-2", "203.0.113.10, 203.0.113.300"),
                flows: ["allow web > 203.0.113.9 80", "deny web > 203.0.113.10 80", "deny web > cache 80"],
                refused: ["invalid-value endpoints[0].addresses[1]"],
                warned: ["unresolved-reference spec.egress[0].toServices"]),
            Trial(
                cnp("egress: [{toServices: [{k8sService: {serviceName: database, namespace: shop}}]}]"),
                service("database", "labels: {kind: data}", "selector: {app: cache}"),
                flows: ["deny web > db 80", "deny web > cache 80"],
                warned: ["duplicate-object ", "unresolved-reference spec.egress[0].toServices"])),
        Mistake(
            "a deny by the entity kube-apiserver refuses its policy while its addresses are not known",
            Trial(
                cnp(open + "egressDeny: [{toEntities: [kube-apiserver]}]"),
                flows: ["deny web > cache 80", "deny web > 192.0.2.10 443"],
                refused: ["unresolved-reference spec.egressDeny[0].toEntities"]),
            Trial(
                cnp(open + #"egressDeny: [{toEndpoints: [{matchLabels: {"reserved:kube-apiserver": ""}}]}]"#),
                flows: ["deny web > cache 80", "deny web > 192.0.2.10 443"],
                refused: ["unresolved-reference spec.egressDeny[0].toEndpoints"]),
            Trial(
                cnp("ingress: [{fromEntities: [all]}], ingressDeny: [{fromEntities: [health, kube-apiserver]}]"),
                flows: ["deny db > web 80", "deny 192.0.2.10 > web 80", "allow host > web 80"],
                refused: ["unresolved-reference spec.ingressDeny[0].fromEntities"]),
            Trial(
                cnp(open + "egressDeny: [{toEntities: [kube-apiserver]}]"), apiServer("192.0.2.10"),
                flows: ["allow web > cache 80", "deny web > 192.0.2.10 443", "allow web > 192.0.2.11 443"]),
            Trial(
                cnp(open + "egressDeny: [{toEntities: [kube-apiserver]}]"), apiServer("192.0.2.10"),
                apiServer("192.0.2.300").replacing("kubernetes,", with: "kubernetes-2,"),
                flows: ["deny web > cache 80"],
                refused: [
                    "invalid-value endpoints[0].addresses[0]", "unresolved-reference spec.egressDeny[0].toEntities",
                ])),
        Mistake(
            "an allow by the entity kube-apiserver gives nothing while its slice is defined twice and not the same",
            Trial(
                cnp("egress: [{toEntities: [kube-apiserver]}]"), apiServer("192.0.2.10"), apiServer("192.0.2.11"),
                flows: ["deny web > 192.0.2.10 443", "deny web > 192.0.2.11 443"], refused: ["duplicate-object "])),
        Mistake(
            "the pods of a Namespace that is defined twice, once with a mistake, are closed, whichever comes first",
            Trial(
                namespace("secure: yes-it-is"), namespace("secure: true"), till,
                flows: ["deny web > pci/till 80", "deny pci/till > web 80", "allow host > pci/till 80"],
                refused: ["duplicate-object ", "wrong-type metadata.labels.secure"]),
            Trial(
                namespace("secure: true"), namespace("secure: yes-it-is"), till,
                flows: ["deny web > pci/till 80", "deny pci/till > web 80", "allow host > pci/till 80"],
                refused: ["duplicate-object ", "wrong-type metadata.labels.secure"])),
        Mistake(
            "the pods of a Namespace with a mistake are closed",
            Trial(
                "apiVersion: v1\nkind: Namespace\nmetadata: {name: pci, labels: {secure: true}}\n",
                EdgeCluster.pod("pci", "till", "app: till", ["10.0.2.1"]) + "\n",
                cnp("ingress: [{fromEntities: [all]}]", name: "till", namespace: "pci").replacing(
                    "app: web", with: "app: till"),
                flows: [
                    "deny web > pci/till 80", "deny pci/till > web 80", "allow host > pci/till 80", "allow web > db 80",
                ],
                refused: ["wrong-type metadata.labels.secure"])),
        Mistake(
            "a deny by a Service without selector is about whoever has the address",
            Trial(
                cnp(open + "egressDeny: [{toServices: [{k8sService: {serviceName: api, namespace: shop}}]}]"),
                "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: shop}\nspec: {}\n",
                "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: api-1, namespace: shop, labels: {kubernetes.io/service-name: api}}\naddressType: IPv4\nendpoints: [{addresses: [10.9.0.2, 10.0.0.2]}]\n",
                flows: ["deny web > 10.9.0.2 443", "deny web > 10.0.0.2 443", "allow web > cache 443"])),
        Mistake(
            "where a Baseline deny would drop, L7 rules restrict although nothing isolates",
            Trial(
                EdgeCases.clusterPolicy(
                    "b", tier: "Baseline",
                    "ingress: [{action: Deny, from: [{namespaces: {}}]}]"),
                cnp(
                    "enableDefaultDeny: {ingress: false}, ingress: [{\(toPorts("80", rules: "{http: [{method: GET}]}"))}]"
                ),
                flows: [
                    "allow db > web 80 http: {method: GET}", "deny db > web 80 http: {method: POST}",
                    "deny db > web 81",
                ])),
        Mistake(
            "a clusterwide policy whose selector has no value, or a misspelt name, is about every pod",
            Trial(
                ccnp("endpointSelector: , ingress: [{}]"), flows: ["deny web > db 80"],
                refused: ["missing-field spec"]),
            Trial(
                ccnp("!endpointselector: {}, ingress: [{}]"), flows: ["deny web > db 80"],
                refused: ["unknown-field spec.endpointselector"])),
        Mistake(
            "members without a value are as if not written, with a warning",
            Trial(
                cnp("egress: [{toEndpoints: , \(toPorts("443"))}]"),
                flows: ["allow web > 203.0.113.1 443", "deny web > db 80"],
                warned: ["no-effect spec.egress[0].toEndpoints"])),
        Mistake(
            "so is nobody at the addresses of a Pod or Node with a mistake, for which they would be outside the cluster",
            Trial(
                EdgeCluster.pod("ops", "v", "version: 1", ["10.0.1.9"]) + "\n",
                cnp("egress: [{toCIDR: [0.0.0.0/0]}], ingress: [{fromEntities: [all]}]"),
                flows: [
                    "deny web > 10.0.1.9 80", "deny 10.0.1.9 > web 80", "deny 10.0.1.9 > db 80",
                    "allow web > 10.0.1.10 80",
                ],
                refused: ["wrong-type metadata.labels.version"]),
            Trial(
                "apiVersion: v1\nkind: Node\nmetadata: {name: node-3, labels: {zone: 3}}\nstatus: {addresses: [{type: InternalIP, address: 10.9.0.3}]}\n",
                cnp("egress: [{toEntities: [all]}], egressDeny: [{toEntities: [remote-node]}]"),
                flows: ["deny web > 10.9.0.3 80", "allow web > 10.9.0.4 80"],
                refused: ["wrong-type metadata.labels.zone"])),
        Mistake(
            "a Node with an address that is none is known by its others",
            Trial(
                "apiVersion: v1\nkind: Node\nmetadata: {name: node-3, labels: {zone: c}}\nstatus: {addresses: [{type: InternalIP, address: 10.9.0.3}, {type: ExternalIP, address: ''}, {type: InternalIP, address: 'fe80::3%eth0'}, {type: ExternalIP, address: 010.9.0.5}]}\n",
                cnp("egress: [{toEntities: [all]}], egressDeny: [{toEntities: [remote-node]}]"),
                flows: ["deny web > 10.9.0.3 80", "deny web > fe80::3 80", "allow web > 203.0.113.1 80"],
                warned: ["invalid-value status.addresses[3].address"])),
        Mistake(
            "an empty toServices in a deny is as if not written, as Cilium reads it",
            Trial(
                cnp("egress: [{toEntities: [all]}], egressDeny: [{toEntities: [world], toServices: []}]"),
                flows: ["deny web > 203.0.113.1 80", "allow web > db 80"]),
            Trial(
                cnp("egress: [{toEntities: [all]}], egressDeny: [{toServices: [], \(toPorts("80"))}]"),
                flows: ["deny web > 203.0.113.1 80", "deny web > db 80", "allow web > db 81"])),
        Mistake(
            "a deny of the cluster refuses its policy while a slice of the API server, which belongs to it, is not known",
            Trial(
                cnp("egress: [{toEntities: [all]}], egressDeny: [{toEntities: [cluster]}]"), apiServer("192.0.2.300"),
                flows: ["deny web > 192.0.2.10 443", "deny web > db 80"],
                refused: [
                    "invalid-value endpoints[0].addresses[0]", "unresolved-reference spec.egressDeny[0].toEntities",
                ]),
            Trial(
                cnp("egress: [{toEntities: [all]}], egressDeny: [{toEntities: [cluster]}]"), apiServer("192.0.2.10"),
                flows: ["deny web > 192.0.2.10 443", "allow web > 192.0.2.11 443"]),
            Trial(
                cnp("egress: [{toEntities: [all]}], egressDeny: [{toEntities: [cluster]}]"),
                flows: ["allow web > 192.0.2.10 443", "deny web > db 80"])),
        Mistake(
            "a policy whose API group is misspelt, or another of netpold's, isolates whom it selects",
            Trial(
                version(np("ingress: [{}]"), "apiVersion: networking.k8s.oi/v1"), flows: ["deny db > web 80"],
                refused: ["unknown-kind kind"]),
            Trial(
                version(np("ingress: [{}]"), "apiVersion: cilium.io/v2"), flows: ["deny db > web 80"],
                refused: ["unknown-kind kind"]),
            Trial(
                version(cnp("ingress: [{}]"), "apiVersion: networking.k8s.io/v1"), flows: ["deny db > web 80"],
                refused: ["unknown-kind kind"]),
            Trial(
                version(cnp("ingress: [{}]"), "apiVersion: cilium.oi/v2"), flows: ["deny db > web 80"],
                refused: ["unknown-kind kind"])),
        Mistake(
            "the policies in a List that has no items, or a map of them, isolate whom they select",
            Trial(
                "apiVersion: v1\nkind: List\nitem: [{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {matchLabels: {app: web}}}}]\n",
                flows: ["deny db > web 80", "allow db > cache 80"], refused: ["missing-field "]),
            Trial(
                "apiVersion: v1\nkind: List\nitems: {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {matchLabels: {app: web}}}}\n",
                flows: ["deny db > web 80", "allow db > cache 80"], refused: ["wrong-type items"])),
        Mistake(
            "a node by whose address a pod goes as well is nobody, by name as by address",
            Trial(
                EdgeCluster.pod("ops", "agent2", "app: agent", ["10.9.0.2"], spec: "hostNetwork: true").replacing(
                    "node-1", with: "node-2") + "\n",
                EdgeCluster.pod("ops", "thief", "app: thief", ["10.9.0.2"]) + "\n",
                cnp("egress: [{toEntities: [remote-node]}]"),
                flows: ["deny web > 10.9.0.2 80", "deny web > ops/agent2 80"],
                warned: ["contested-address status.podIPs"])),
        Mistake(
            "nodes are selected by the labels of their objects, whatever labels Cilium gives nodes besides",
            Trial(
                EdgeCases.clusterPolicy(
                    "p",
                    "egress: [{action: Deny, to: [{nodes: {matchExpressions: [{key: host, operator: DoesNotExist}]}}]}]"
                ),
                flows: ["deny web > host 80", "deny web > 10.9.0.2 80", "allow web > db 80"]),
            Trial(
                EdgeCases.clusterPolicy(
                    "p",
                    "egress: [{action: Deny, to: [{nodes: {matchExpressions: [{key: remote-node, operator: DoesNotExist}]}}]}]"
                ),
                flows: ["deny web > host 80", "deny web > 10.9.0.2 80", "allow web > db 80"])),
    ]

    @Test("what must not pass does not", arguments: mistakes)
    func closed(_ mistake: Mistake) {
        for trial in mistake.trials {
            let failures = trial.failures().joined(separator: "\n")
            #expect(failures.isEmpty, "\(failures)\n\(trial.manifests)")
        }
    }
}
