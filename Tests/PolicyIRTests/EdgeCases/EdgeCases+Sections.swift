import PolicyAPI

extension EdgeCases {
    /// A selector of other nodes without one value of a label.
    private static func otherNodes(_ key: String, notIn value: String) -> String {
        "{matchExpressions: [{key: 'reserved:remote-node', operator: Exists}, {key: '\(key)', operator: NotIn, values: [\(value)]}]}"
    }

    /// What other sections of the Cilium specification say and netpold means otherwise.
    static let sections: [EdgeCase] = [
        EdgeCase(
            .section("2.1 empty namespace"), "a CiliumNetworkPolicy without namespace is in namespace default",
            Trial(
                cnp("endpointSelector: {}, ingress: [{}]", namespace: nil),
                flows: ["allow db > web 80", "allow db > ops/probe 80"]),
            differs: .init(
                input: "CiliumNetworkPolicy without namespace", theirs: "is clusterwide",
                ours: "is in namespace `default`, like every other namespaced object",
                why: "a forgotten namespace must not reach every pod of the cluster")),
        EdgeCase(
            .section("2.5 L7Rules"), "an empty block of L7 rules, and parsers that are gone, are refused",
            Trial(
                cnp("ingress: [{\(toPorts("80", rules: "{}"))}]"), flows: ["deny db > web 80"],
                refused: ["missing-field spec.ingress[0].toPorts[0].rules"]),
            Trial(
                cnp("ingress: [{\(toPorts("80", rules: "{http: []}"))}]"), flows: ["deny db > web 80"],
                refused: ["missing-field spec.ingress[0].toPorts[0].rules.http"]),
            Trial(
                cnp("ingress: [{\(toPorts("9092", rules: "{kafka: [{topic: t}]}"))}]"), flows: ["deny db > web 9092"],
                refused: ["unsupported-field spec.ingress[0].toPorts[0].rules.kafka"]),
            differs: .init(
                input: "`rules: {}`, `rules: {http: []}`, `rules: {kafka: ...}`, `rules: {l7proto: ...}`",
                theirs: "unknown parsers are pruned, and an empty block is a plain allow of the port",
                ours: "refuses the policy", why: "the author intends to restrict the port")),
        EdgeCase(
            .section("2.2 unknown fields"), "a field that the kind does not have refuses the policy",
            Trial(
                cnp("ingress: [{fromEndpoint: [{}]}]"), flows: ["deny db > web 80"],
                refused: ["unknown-field spec.ingress[0].fromEndpoint"]),
            Trial(
                np("ingress: [{form: []}]"), flows: ["deny db > web 80"],
                refused: ["unknown-field spec.ingress[0].form"]),
            differs: .init(
                input: "a field that the kind does not have",
                theirs: "is dropped by the API server, and what is left is enforced", ours: "refuses the policy",
                why: "a rule without its misspelt condition allows more than intended")),
        EdgeCase(
            .section("7.1 ANY with L7 rules"), "of ANY only the protocols pass that the L7 rules can be asked of",
            Trial(
                cnp("egress: [{toPorts: [{ports: [{port: '443', protocol: ANY}], serverNames: [a.io]}]}]"),
                flows: ["allow web > db 443", "deny web > db 443/UDP", "deny web > db 443/SCTP"]),
            Trial(
                cnp("egress: [{\(toPorts("53/ANY", rules: "{dns: [{matchName: a.io}]}"))}]"),
                flows: ["allow web > db 53", "allow web > db 53/UDP", "deny web > db 53/SCTP"]),
            Trial(
                cnp(
                    "egress: [{\(toPorts("53/ANY", rules: "{dns: [{matchName: a.io}]}"))}], enableDefaultDeny: {egress: false}"
                ),
                flows: ["allow web > db 53/SCTP"]),
            differs: .init(
                input: "`serverNames` or dns rules with protocol `ANY`",
                theirs: "not specified for SCTP, nor for UDP with server names",
                ours: "allows TCP for server names, UDP and TCP for dns",
                why: "the rules cannot be applied to the others")),
        EdgeCase(
            .section("3.1 V7"), "fromNodes and toNodes need no flag",
            Trial(cnp("ingress: [{fromNodes: [{matchLabels: {zone: b}}]}]"), flows: ["allow 10.9.0.2 > web 80"]),
            differs: .init(
                input: "`fromNodes`, `toNodes`; ICMP, SCTP and protocols without ports; L7 rules",
                theirs: "some need a flag of the agent, or can be switched off by one", ours: "are always on",
                why: "a policy has the same meaning everywhere")),
        EdgeCase(
            .section("4.4 labels of other nodes"),
            "a selector of endpoints with a reserved key sees the labels of other nodes, as fromNodes does; others see no node",
            Trial(
                cnp(
                    "enableDefaultDeny: {egress: false}, egressDeny: [{toEndpoints: [{matchLabels: {'reserved:remote-node': '', 'node:zone': b}}]}]"
                ),
                flows: ["deny web > 10.9.0.2 80", "allow web > host 80", "allow web > db 80"]),
            Trial(
                cnp(
                    "enableDefaultDeny: {ingress: false}, ingressDeny: [{fromEndpoints: [{matchLabels: {'reserved:remote-node': '', 'node:zone': a}}]}]"
                ),
                flows: ["allow 10.9.0.2 > web 80", "allow host > web 80"]),
            Trial(
                cnp("egress: [{toEndpoints: [\(otherNodes("zone", notIn: "b"))]}]"),
                flows: ["deny web > 10.9.0.2 80", "deny web > host 80", "deny web > db 80"]),
            Trial(
                cnp("egress: [{toEndpoints: [\(otherNodes("node:zone", notIn: "a"))]}]"),
                flows: ["allow web > 10.9.0.2 80", "deny web > host 80"]),
            Trial(
                cnp(
                    "egress: [{toEndpoints: [{matchLabels: {'reserved:remote-node': '', io.cilium.k8s.policy.cluster: default}}]}]"
                ),
                flows: ["allow web > 10.9.0.2 80", "deny web > db 80", "deny web > host 80"]),
            Trial(
                cnp(
                    "egress: [{toEndpoints: [{matchLabels: {zone: b}}, {matchExpressions: [{key: zone, operator: Exists}]}]}]"
                ),
                flows: ["deny web > 10.9.0.2 80", "deny web > host 80"]),
            differs: .init(
                input:
                    "`fromEndpoints`, `toEndpoints` with a `reserved:` key beside keys of node labels or the cluster",
                theirs: "other nodes have these labels only with the agent's flag enable-node-selector-labels",
                ours: "other nodes have them, as for `fromNodes`",
                why: "a policy has the same meaning everywhere, and a deny of nodes by their labels denies")),
        EdgeCase(
            .section("5.3 masqueraded"), "a packet that the node forwards under its own address is from outside",
            Trial(
                cnp("ingress: [{fromEntities: [host]}]"),
                flows: ["allow host > web 80", "deny masqueraded:10.9.0.1 > web 80"]),
            Trial(np("policyTypes: [Ingress]"), flows: ["allow host > web 80", "deny masqueraded:10.9.0.1 > web 80"]),
            Trial(
                np("ingress: [{from: [{ipBlock: {cidr: 10.9.0.0/16}}]}]"),
                flows: ["allow masqueraded:10.9.0.1 > web 80", "deny masqueraded:10.8.0.1 > web 80"]),
            Trial(
                cnp("ingress: [{fromEntities: [world]}]"),
                flows: ["allow masqueraded:10.9.0.1 > web 80", "deny remote-node > web 80"]),
            differs: .init(
                input: "a source that is an address of the node, in a packet that the node forwards",
                theirs:
                    "the sender's identity travels with the packet, through netpold's kind of masquerading not at all",
                ours: "is somebody outside: CIDR rules may match, `host` and `kube-apiserver` do not",
                why: "who is behind the address cannot be told, and the node itself passes every isolation")),
        EdgeCase(
            .section("5.3 shared addresses"), "where the node answers beside others, both must be allowed",
            Trial(
                cnp("egress: [{toEntities: [world]}]"),
                flows: [
                    "deny web > 255.255.255.255 80", "deny web > 224.0.0.251 5353/UDP", "deny web > ff02::fb 5353/UDP",
                    "deny web > 224.0.1.1 80", "deny web > 239.255.255.250 1900/UDP", "deny web > ff05::2 7777/UDP",
                    "allow web > 8.8.8.8 80", "allow web > 2001:db8::1 80",
                ]),
            Trial(cnp("egress: [{toEntities: [host]}]"), flows: ["deny web > 224.0.0.251 80", "allow web > host 80"]),
            Trial(
                cnp("egress: [{toEntities: [host]}, {toCIDR: [224.0.0.0/24]}]"),
                flows: [
                    "allow web > 224.0.0.251 80", "deny web > 224.0.1.1 80", "deny web > 255.255.255.255 80",
                ]),
            Trial(
                cnp("egress: [{toEntities: [all]}], egressDeny: [{toEntities: [host]}]"),
                flows: ["deny web > 224.0.0.251 80", "deny web > 224.0.1.1 80", "allow web > 8.8.8.8 80"]),
            differs: .init(
                input:
                    "egress to broadcast, subnet-router anycast and multicast groups",
                theirs: "is world", ours: "needs the host and the outside allowed",
                why:
                    "the node's own stack answers there, and in every group that anything on it has joined; a rule for the outside must not reach it"
            )),
        EdgeCase(
            .section("5.3 link-local"),
            "of a link-local IPv6 address nobody says whose it is: a rule for everybody allows it",
            Trial(
                cnp("egress: [{toEntities: [world]}]"),
                flows: ["deny web > fe80::9 80", "deny web > febf::9 80", "allow web > 169.254.169.254 80"]),
            Trial(
                cnp("egress: [{toEntities: [all]}, {toCIDR: [fe80::/10]}], egressDeny: [{toCIDR: [10.77.0.0/16]}]"),
                flows: ["deny web > fe80::9 80", "allow web > 2001:db8::1 80"]),
            Trial(
                np("egress: [{to: [{ipBlock: {cidr: '::/0', except: ['fd00::/8']}}]}]"),
                flows: ["deny web > fe80::9 80", "allow web > 2001:db8::1 80"]),
            Trial(np("egress: [{}]"), flows: ["allow web > fe80::9 80"]),
            Trial(np("policyTypes: [Ingress]"), flows: ["allow web > fe80::9 80"]),
            differs: .init(
                input: "egress to a link-local address of IPv6 (fe80::/10)",
                theirs: "is world",
                ours: "is nobody's: only where egress is not isolated or a rule is for everybody it passes",
                why: "behind a bridge it is another pod's, and no object says whose")),
        EdgeCase(
            .section("8.1 enforcement mode"), "there is no mode in which policies are not enforced",
            Trial(cnp("ingress: [{}]"), flows: ["deny db > web 80", "allow db > cache 80"]),
            differs: .init(
                input: "enforcement modes `never` and `always`, audit mode",
                theirs: "flags of the agent", ours: "policies isolate the pods they select, and no others",
                why: "the manifests determine what is enforced; `netpold test` and `explain` show it beforehand")),
        EdgeCase(
            .section("8.5 L3-only allow and dns"), "an allow of all traffic lifts dns rules for the same peer",
            Trial(
                cnp(
                    "egress: [{toEntities: [cluster]}, {toEntities: [cluster], \(toPorts("53/UDP", rules: "{dns: [{matchName: a.io}]}"))}]"
                ),
                flows: ["allow web > ops/dns 53/UDP dns: a.io", "allow web > ops/dns 53/UDP dns: b.io"]),
            differs: .init(
                input: "an allow of all traffic of a peer together with dns rules for port 53 of the same peer",
                theirs: "the dns rules still restrict the names", ours: "the plain allow allows every name",
                why: "the same for http, dns and server names: what a plain rule allows passes")),
        EdgeCase(
            .section("12.4 expiry"), "an address counts for a name as long as DNS has said, and no longer",
            Trial(
                cnp("egress: [{toFQDNs: [{matchName: cilium.io}]}]"), names: ["cilium.io": ["198.51.100.1"]],
                flows: ["allow web > 198.51.100.1 80"]),
            Trial(
                cnp("egress: [{toFQDNs: [{matchName: cilium.io}]}]"), names: ["cilium.io": []],
                flows: ["deny web > 198.51.100.1 80"]),
            differs: .init(
                input: "`toFQDNs`, an address whose time to live has ended",
                theirs: "stays allowed while a connection uses it, and for some minutes without",
                ours:
                    "is denied; connections go on, and a SYN that nobody has answered may be repeated for a minute; `--fqdn-min-ttl` keeps all addresses for longer",
                why: "the address may be another one's by then")),
        EdgeCase(
            .section("13.4 cidrGroupSelector"), "a selector of groups is about groups: NotIn does not reach pods",
            Trial(
                cnp(
                    "egress: [{toCIDRSet: [{cidrGroupSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [a]}]}}]}]"
                ),
                cidrGroup("one", "tier: b", "203.0.113.0/24"), cidrGroup("two", "tier: a", "198.51.100.0/24"),
                flows: [
                    "allow web > 203.0.113.1 80", "deny web > 198.51.100.1 80", "deny web > db 80",
                    "deny web > host 80",
                    "deny web > 192.0.2.1 80",
                ]),
            differs: .init(
                input: "`cidrGroupSelector` with NotIn or DoesNotExist",
                theirs: "matches every identity without the label, including pods and nodes",
                ours: "the prefixes of the groups that match, outside the cluster", why: "a CIDR rule matches CIDRs")),
        EdgeCase(
            .section("13.4 externalCIDRs"),
            "a group with an entry that is no prefix is refused, and so is a policy that denies by it",
            Trial(
                cnp("egress: [{toEntities: [all]}], egressDeny: [{toCIDRSet: [{cidrGroupRef: one}]}]"),
                cidrGroup("one", "tier: a", "203.0.113.0/24", "198.51.100.7"),
                flows: ["deny web > 203.0.113.1 80", "deny web > 198.51.100.7 80", "deny web > 192.0.2.1 80"],
                refused: [
                    "invalid-value spec.externalCIDRs[1]", "unresolved-reference spec.egressDeny[0].toCIDRSet",
                ]),
            differs: .init(
                input: "an entry of a CiliumCIDRGroup that is no prefix, also an address without length",
                theirs: "is skipped with a warning",
                ours: "refuses the group, and the policies that deny by it, or by labels that it may have, isolate",
                why: "a deny of the group would let the address pass")),
        EdgeCase(
            .section("15 ipBlock"), "ipBlock of a NetworkPolicy matches pods and other nodes by address",
            Trial(
                np("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"),
                flows: ["allow 10.0.0.2 > web 80", "allow ops/probe > web 80", "allow 10.9.0.2 > web 80"]),
            differs: .init(
                input: "`ipBlock` of a NetworkPolicy", theirs: "never matches pods or nodes",
                ours: "matches any address, as upstream's tests require",
                why: "NetworkPolicy has upstream's meaning; CIDRs of Cilium policies keep Cilium's")),
        EdgeCase(
            .section("15 labels"), "a NetworkPolicy selects pods by any of their labels",
            Trial(
                np("ingress: [{from: [{podSelector: {matchLabels: {pod-template-hash: abc}}}]}]"),
                flows: ["allow db > web 80", "deny cache > web 80"]),
            differs: .init(
                input:
                    "a NetworkPolicy that selects by `pod-template-hash` and other labels outside Cilium's identities",
                theirs: "selects nothing", ours: "selects the pods that have it",
                why: "NetworkPolicy has upstream's meaning")),
        EdgeCase(
            .section("15 policyTypes"), "rules of a direction that policyTypes leaves out have no effect",
            Trial(
                np("policyTypes: [Ingress], ingress: [{}], egress: [{ports: [{port: 80}]}]"),
                flows: ["allow web > db 81"], warned: ["no-effect spec.egress"]),
            differs: .init(
                input: "`egress` rules with `policyTypes: [Ingress]`, and the other way round",
                theirs: "enforces them anyway", ours: "ignores them with a warning",
                why: "NetworkPolicy has upstream's meaning")),
    ]

    static func cidrGroup(_ name: String, _ labels: String, _ prefixes: String...) -> String {
        "apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: {name: \(name), labels: {\(labels)}}\n"
            + "spec: {externalCIDRs: [\(prefixes.joined(separator: ", "))]}\n"
    }
}
