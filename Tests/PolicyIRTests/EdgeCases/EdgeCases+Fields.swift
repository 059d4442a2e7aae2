import PolicyAPI

extension EdgeCases {
    /// docs/spec/network-policy.md 1.2: fields, defaults and traps of a NetworkPolicy.
    static let fields: [EdgeCase] = [
        EdgeCase(
            .field("metadata.namespace"),
            "a policy is about pods of its namespace; one without is in namespace default",
            Trial(
                "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {}\n",
                EdgeCluster.pod("default", "one", "app: one", ["10.0.2.1"]) + "\n",
                flows: ["allow db > web 80", "deny db > default/one 80"])),
        EdgeCase(
            .field("spec absent"), "no spec, and an empty one, deny ingress of every pod of the namespace",
            Trial(
                "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\n",
                flows: ["deny db > web 80", "deny web > cache 80", "allow web > ops/probe 80"]),
            Trial(np("", selects: ""), flows: ["deny db > web 80", "allow web > ops/probe 80"])),
        EdgeCase(
            .field("spec.podSelector"), "a missing, null and empty podSelector is every pod of the namespace",
            Trial(np("ingress: []", selects: ""), flows: ["deny db > web 80", "deny web > cache 80"]),
            Trial(np("ingress: []", selects: "null"), flows: ["deny db > web 80", "deny web > cache 80"]),
            Trial(np("ingress: []", selects: "{}"), flows: ["deny db > web 80", "allow web > ops/web 80"])),
        EdgeCase(
            .field("policyTypes missing or []"), "Ingress always, Egress if there is an egress rule",
            Trial(
                np("egress: [{to: [{podSelector: \(app("db"))}]}]"),
                flows: ["deny db > web 80", "allow web > db 80", "deny web > cache 80"]),
            Trial(np("egress: []"), flows: ["deny db > web 80", "allow web > db 80"]),
            Trial(
                np("egress: [{ports: [{port: 81}]}], policyTypes: []"), flows: ["deny db > web 80", "deny web > db 80"])
        ),
        EdgeCase(
            .field("policyTypes [Ingress] with egress"),
            "rules of a direction that is not listed are ignored, and warned of",
            Trial(
                np("policyTypes: [Ingress], egress: [{ports: [{port: 81}]}]"),
                flows: ["deny db > web 80", "allow web > db 80"], warned: ["no-effect spec.egress"]),
            Trial(
                np("policyTypes: [Egress], ingress: [{ports: [{port: 81}]}]"),
                flows: ["allow db > web 80", "deny web > db 80"], warned: ["no-effect spec.ingress"])),
        EdgeCase(
            .field("policyTypes [Ingress, Ingress]"), "a type twice is a type once",
            Trial(
                np("policyTypes: [Ingress, Ingress], ingress: [{ports: [{port: 80}]}]"),
                flows: ["allow db > web 80", "deny db > web 81", "allow web > db 80"])),
        EdgeCase(
            .field("ingress missing or []"), "a missing list, null and an empty list have no rule",
            Trial(np("policyTypes: [Ingress]"), flows: ["deny db > web 80"]),
            Trial(np("policyTypes: [Ingress], ingress: null"), flows: ["deny db > web 80"]),
            Trial(
                np("policyTypes: [Ingress, Egress], ingress: [], egress: []"),
                flows: ["deny db > web 80", "deny web > db 80"])),
        EdgeCase(
            .field("rule {}"), "an empty rule allows every peer, port and protocol",
            Trial(
                np("policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]"),
                flows: [
                    "allow db > web 80", "allow db > web 80/SCTP", "allow db > web icmp/8",
                    "allow remote-node > web 80",
                    "allow 2001:db8::1 > web 80", "allow web > host 80", "allow web > 203.0.113.1 80/UDP",
                    "allow web > fd00::2 icmpv6/128",
                ])),
        EdgeCase(
            .field("from missing or []"), "no peers are all peers of both families, by named port too",
            Trial(
                np("ingress: [{ports: [{port: http}]}]"),
                flows: [
                    "allow db > web 8080", "allow 203.0.113.1 > web 8080", "allow 2001:db8::1 > web 8080",
                    "allow remote-node > web 8080", "deny db > web 80",
                ]),
            Trial(
                np("egress: [{to: [], ports: [{port: http}]}], policyTypes: [Egress]"),
                flows: [
                    "allow web > db 80", "allow web > ops/probe 9000", "deny web > db 8080",
                ])),
        EdgeCase(
            .field("from: [{}]"), "an empty peer is refused",
            Trial(
                np("ingress: [{from: [{}]}]"), flows: ["deny db > web 80"],
                refused: ["missing-field spec.ingress[0].from[0]"])),
        EdgeCase(
            .field("ports missing or []"), "no ports are all ports and protocols",
            Trial(
                np("ingress: [{from: [{podSelector: \(app("db"))}]}]"),
                flows: ["allow db > web 1", "allow db > web 9/SCTP", "allow db > web icmp/8", "deny cache > web 1"]),
            Trial(
                np("ingress: [{from: [{podSelector: \(app("db"))}], ports: []}]"),
                flows: ["allow db > web 1/UDP", "deny cache > web 1"])),
        EdgeCase(
            .field("ports: [{}]"), "an empty element of ports is every TCP port, and neither UDP nor SCTP",
            Trial(
                np("ingress: [{ports: [{}]}]"),
                flows: ["allow db > web 80", "deny db > web 80/UDP", "deny db > web 80/SCTP", "deny db > web icmp/8"])),
        EdgeCase(
            .field("ports[].protocol"), "TCP where none is written; ICMP, ANY and lower case are refused",
            Trial(
                np("ingress: [{ports: [{port: 80}, {port: 53, protocol: UDP}, {port: 9, protocol: SCTP}]}]"),
                flows: [
                    "allow db > web 80", "deny db > web 80/UDP", "allow db > web 53/UDP", "deny db > web 53",
                    "allow db > web 9/SCTP", "deny db > web 9",
                ]),
            Trial(
                np("ingress: [{ports: [{protocol: ICMP}, {protocol: ANY}, {protocol: tcp}]}]"),
                flows: ["deny db > web 80", "deny db > web icmp/8"],
                refused: (0..<3).map { "invalid-value spec.ingress[0].ports[\($0)].protocol" })),
        EdgeCase(
            .field("ports[].port int"), "the port of the destination pod, after translation of the service's",
            Trial(np("ingress: [{ports: [{port: 8080}]}]"), flows: ["allow db > web 8080", "deny db > web 80"])),
        EdgeCase(
            .field("ports[].port string"), "the destination pod's own port of that name and protocol",
            Trial(
                np("policyTypes: [Egress], egress: [{ports: [{port: http}]}]"),
                flows: [
                    "allow web > db 80", "deny web > db 8080", "allow web > ops/probe 9000", "deny web > cache 80",
                    "deny web > 203.0.113.1 80", "deny web > db 80/UDP",
                ]),
            Trial(np("ingress: [{ports: [{port: dns}]}]"), flows: ["deny db > web 53", "deny db > web 53/UDP"]),
            Trial(
                np("ingress: [{ports: [{port: dns, protocol: UDP}]}]"),
                flows: ["allow db > web 53/UDP", "deny db > web 53"])),
        EdgeCase(
            .field("ports[].endPort"), "port to endPort, both included; equal is one port",
            Trial(
                np("ingress: [{ports: [{port: 80, endPort: 82}, {port: 90, endPort: 90}]}]"),
                flows: [
                    "deny db > web 79", "allow db > web 80", "allow db > web 82", "deny db > web 83",
                    "allow db > web 90",
                    "deny db > web 91",
                ])),
        EdgeCase(
            .field("peer podSelector only"), "pods of the policy's namespace",
            Trial(
                np("ingress: [{from: [{podSelector: {}}]}]"), flows: ["allow db > web 80", "deny ops/probe > web 80"])),
        EdgeCase(
            .field("peer namespaceSelector only"), "all pods of the namespaces; no hostNetwork pod, no node",
            Trial(
                np("ingress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}}]}]"),
                flows: ["allow ops/probe > web 80", "deny db > web 80"]),
            Trial(
                np("policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}]}]"),
                flows: ["allow web > db 80", "deny web > agent 80", "deny web > remote-node 80"])),
        EdgeCase(
            .field("both in one list item"), "AND in one item, OR in two",
            Trial(
                np("ingress: [{from: [{namespaceSelector: {}, podSelector: \(app("web"))}]}]"),
                flows: ["allow ops/web > web 80", "deny ops/probe > web 80"]),
            Trial(
                np(
                    "ingress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}}, {podSelector: \(app("db"))}]}]"
                ),
                flows: ["allow ops/probe > web 80", "allow db > web 80", "deny cache > web 80"])),
        EdgeCase(
            .field("selector {} or nil"), "`{}` matches all; null is not written",
            Trial(
                np("ingress: [{from: [{namespaceSelector: null, podSelector: {}}]}]"),
                flows: ["allow db > web 80", "deny ops/probe > web 80"]),
            Trial(
                np("ingress: [{from: [{namespaceSelector: {}, podSelector: null}]}]"),
                flows: ["allow db > web 80", "allow ops/probe > web 80"])),
        EdgeCase(
            .field("matchExpressions NotIn, DoesNotExist"), "match where the key is absent, in own labels only",
            Trial(
                np(
                    "ingress: [{from: [{podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [front]}]}}]}]"
                ),
                flows: ["allow db > web 80", "deny cache > web 80"]),
            Trial(
                np("ingress: [{from: [{podSelector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}}]}]"),
                flows: ["allow db > web 80", "deny cache > web 80", "deny ops/probe > web 80"]),
            Trial(
                np(
                    "ingress: [{from: [{podSelector: {matchExpressions: [{key: io.kubernetes.pod.namespace, operator: Exists}]}}]}]"
                ),
                flows: ["deny db > web 80"])),
        EdgeCase(
            .field("ipBlock.cidr, except"), "an exception is cut out of its own element, and of no other",
            Trial(
                np(
                    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/16, except: [10.0.0.0/24]}}, {ipBlock: {cidr: 10.0.0.2/32}}]}]"
                ),
                flows: ["allow 10.0.0.2 > web 80", "deny cache > web 80", "allow ops/probe > web 80"]),
            Trial(
                np("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/16, except: [10.0.0.0/24]}}]}]"),
                np("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/28}}], ports: [{port: 80}]}]", name: "q"),
                flows: ["allow 10.0.0.2 > web 80", "deny db > web 81", "allow ops/probe > web 81"])),
        EdgeCase(
            .field("label kubernetes.io/metadata.name"),
            "every namespace has it with its own name, whatever is written",
            Trial(
                np(
                    "ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}]}]"),
                flows: ["allow ops/probe > web 80", "deny db > web 80"]),
            Trial(
                np("ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}]}]"),
                "apiVersion: v1\nkind: Namespace\nmetadata: {name: evil, labels: {kubernetes.io/metadata.name: shop}}\n",
                EdgeCluster.pod("evil", "one", "app: one", ["10.0.2.1"]) + "\n",
                flows: ["deny evil/one > web 80", "allow db > web 80"])),
        EdgeCase(
            .field("status"), "an object's status says nothing about traffic",
            Trial(
                np("ingress: [{}]") + "status: {conditions: [{type: Accepted}]}\n", flows: ["allow db > web 80"])),
    ]
}
