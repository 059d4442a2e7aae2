extension EdgeCases {
    /// Rows 12-26 and 131: selectors, their scope, and which members go together.
    static let selectors: [EdgeCase] = [
        EdgeCase(
            .edge(12), "a key with two sources is not a key",
            Trial(
                cnp("endpointSelector: {matchLabels: {'k8s:k8s:app': web}}, ingress: [{}]"),
                flows: ["deny db > web 80", "deny web > db 80", "allow ops/probe > ops/web 80"],
                refused: ["invalid-value spec.endpointSelector.matchLabels[\"k8s:k8s:app\"]"])),
        EdgeCase(
            .edge(13), "an unknown operator is refused",
            Trial(
                cnp("endpointSelector: {matchExpressions: [{key: app, operator: asdf}]}, ingress: [{}]"),
                flows: ["deny db > web 80"],
                refused: ["invalid-value spec.endpointSelector.matchExpressions[0].operator"])),
        EdgeCase(
            .edge(14), "a key without source means any source: `app`, `any:app` and `k8s:app` select the same pods",
            Trial(
                cnp("ingress: [{fromEndpoints: [{matchLabels: {app: db}}]}]"),
                flows: ["allow db > web 80", "deny cache > web 80"]),
            Trial(
                cnp("ingress: [{fromEndpoints: [{matchLabels: {'any:app': db}}]}]"),
                flows: ["allow db > web 80", "deny cache > web 80"]),
            Trial(
                cnp("ingress: [{fromEndpoints: [{matchLabels: {'k8s:app': db}}]}]"),
                flows: ["allow db > web 80", "deny cache > web 80"])),
        EdgeCase(
            .edge(15), "a peer of a CiliumNetworkPolicy is in the policy's namespace",
            Trial(
                cnp(
                    "ingress: [{fromEndpoints: [{matchExpressions: [{key: app, operator: In, values: [db, probe]}]}]}]"),
                flows: ["allow db > web 80", "deny ops/probe > web 80"])),
        EdgeCase(
            .edge(16), "a peer that names a namespace, without source too, is in that one",
            Trial(
                cnp("ingress: [{fromEndpoints: [{matchLabels: {io.kubernetes.pod.namespace: ops}}]}]"),
                flows: ["allow ops/probe > web 80", "deny db > web 80"])),
        EdgeCase(
            .edge(17), "a peer that names a namespace's label is in any namespace with it",
            Trial(
                cnp("ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.namespace.labels.team: blue}}]}]"),
                flows: ["allow ops/probe > web 80", "deny db > web 80"]),
            Trial(
                cnp(
                    "ingress: [{fromEndpoints: [{matchLabels: {'k8s:io.cilium.k8s.namespace.labels.team': blue, app: web}}]}]"
                ),
                flows: ["allow ops/web > web 80", "deny ops/probe > web 80"])),
        EdgeCase(
            .edge(18), "`[{}]` in a clusterwide policy is every pod, and neither nodes nor the outside",
            Trial(
                ccnp("egress: [{toEndpoints: [{}]}]"),
                flows: [
                    "allow web > db 80", "allow web > ops/probe 80", "deny web > host 80", "deny web > remote-node 80",
                    "deny web > 203.0.113.1 80",
                ])),
        EdgeCase(
            .edge(20), "a peer is in the local cluster, unless it names one; netpold's is called default",
            Trial(
                cnp("ingress: [{fromEndpoints: [{matchLabels: {'k8s:io.cilium.k8s.policy.cluster': default}}]}]"),
                flows: ["allow db > web 80", "deny ops/probe > web 80"]),
            Trial(
                cnp("ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.cluster: other}}]}]"),
                flows: ["deny db > web 80"])),
        EdgeCase(
            .edge(21), "a peer with a reserved label is taken as it stands: `reserved:host` is the own node",
            Trial(
                cnp("egress: [{toEndpoints: [{matchLabels: {'reserved:host': ''}}]}]"),
                flows: ["allow web > host 80", "deny web > db 80", "deny web > remote-node 80"]),
            Trial(
                cnp("egress: [{toEndpoints: [{matchLabels: {$host: ''}}]}]"),
                flows: ["allow web > host 80", "deny web > db 80"])),
        EdgeCase(
            .edge(22), "`fromNodes: [{}]` is every other node, never the own one, a pod or the outside",
            Trial(
                cnp("ingress: [{fromNodes: [{}]}]"),
                flows: ["allow 10.9.0.2 > web 80", "allow remote-node > web 80", "deny db > web 80"]),
            Trial(
                cnp("egress: [{toNodes: [{}]}]"),
                flows: [
                    "allow web > 10.9.0.2 80", "deny web > host 80", "deny web > db 80", "deny web > 203.0.113.1 80",
                ])),
        EdgeCase(
            .edge(23), "`toEndpoints: []` with a port allows nothing and isolates",
            Trial(
                cnp("egress: [{toEndpoints: [], \(toPorts("80"))}]"), flows: ["deny web > db 80", "deny web > host 80"]),
            Trial(
                cnp(
                    "egress: [{toCIDR: [], \(toPorts("80"))}, {toCIDRSet: [], \(toPorts("80"))}, {toEntities: [], \(toPorts("80"))}]"
                ),
                flows: ["deny web > db 80", "deny web > 203.0.113.1 80"])),
        EdgeCase(
            .edge(24), "a port without peers is that port of everybody",
            Trial(
                cnp("egress: [{\(toPorts("80"))}]"),
                flows: [
                    "allow web > db 80", "allow web > host 80", "allow web > remote-node 80",
                    "allow web > 203.0.113.1 80",
                    "deny web > db 81", "deny web > db 80/UDP",
                ])),
        EdgeCase(
            .edge(25), "two kinds of peers in one element are refused; in two elements they are ORed",
            Trial(
                cnp("ingress: [{fromEndpoints: [{}], fromCIDR: [192.0.2.0/24]}]"), flows: ["deny db > web 80"],
                refused: ["conflict spec.ingress[0].fromCIDR"]),
            Trial(
                cnp("ingress: [{fromEndpoints: [{}]}, {fromCIDR: [192.0.2.0/24]}]"),
                flows: [
                    "allow db > web 80", "allow 192.0.2.7 > web 80", "deny ops/probe > web 80",
                    "deny 192.0.3.7 > web 80",
                ]
            )),
        EdgeCase(
            .edge(26), "toServices goes with toPorts, in a deny too",
            Trial(
                cnp(
                    "egress: [{toServices: [{k8sService: {serviceName: database, namespace: shop}}], \(toPorts("5432"))}]"
                ),
                flows: ["allow web > db 5432", "deny web > db 80", "deny web > cache 5432"]),
            Trial(
                cnp(
                    "egress: [{toEntities: [all]}], "
                        + "egressDeny: [{toServices: [{k8sService: {serviceName: database, namespace: shop}}], \(toPorts("5432"))}]"
                ),
                flows: [
                    "deny web > db 5432", "allow web > db 80", "allow web > cache 5432", "allow web > 203.0.113.1 5432",
                ]),
            differs: .init(
                input: "`egressDeny` with `toServices` and `toPorts`",
                theirs:
                    "never resolves the services: the port is denied to every peer, or without `toPorts` nothing is denied",
                ours: "denies the port of the services' pods or addresses", why: "a deny does what it says")),
        EdgeCase(
            .edge(131), "a label that is not part of a pod's identity selects nothing in a Cilium policy",
            Trial(
                cnp("endpointSelector: {matchLabels: {pod-template-hash: abc}}, ingress: [{}]"),
                flows: ["allow web > db 80"]),
            Trial(
                cnp("ingress: [{fromEndpoints: [{matchLabels: {pod-template-hash: abc}}]}]"),
                flows: ["deny db > web 80"])),
    ]
}
