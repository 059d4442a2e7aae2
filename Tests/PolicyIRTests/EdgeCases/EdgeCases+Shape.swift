extension EdgeCases {
    /// Rows 1-11: what a rule must hold, and who is isolated by it.
    static let shape: [EdgeCase] = [
        EdgeCase(
            .edge(1),
            "a rule without ingress, ingressDeny, egress and egressDeny is refused, and isolates whom it names",
            Trial(
                cnp("description: nothing"), flows: ["deny db > web 80", "deny web > db 80", "allow db > cache 80"],
                refused: ["missing-field spec"]),
            Trial(cnp("ingress: [], egress: []"), flows: ["deny db > web 80"], refused: ["missing-field spec"])),
        EdgeCase(
            .edge(2), "`ingress: [{}]` isolates ingress and allows nothing; egress stays open",
            Trial(cnp("ingress: [{}]"), flows: ["deny db > web 80", "deny 203.0.113.1 > web 80", "allow web > db 80"])),
        EdgeCase(
            .edge(3), "`ingressDeny: [{}]` alone isolates ingress and denies nothing itself: the own node passes",
            Trial(
                cnp("ingressDeny: [{}]"), flows: ["deny db > web 80", "allow host > web 80", "allow web > db 80"])),
        EdgeCase(
            .edge(4), "`egress: [{}]` with `egressDeny: [{}]` isolates egress, not ingress",
            Trial(cnp("egress: [{}], egressDeny: [{}]"), flows: ["deny web > db 80", "allow db > web 80"])),
        EdgeCase(
            .edge(5), "only rules without default deny: everything passes but what they deny",
            Trial(
                cnp(
                    "ingressDeny: [{fromEndpoints: [\(app("db"))]}], enableDefaultDeny: {ingress: false}",
                    "ingress: [{fromEndpoints: [\(app("probe"))]}], enableDefaultDeny: {ingress: false}"),
                flows: ["deny db > web 80", "allow cache > web 80", "allow 203.0.113.1 > web 80"])),
        EdgeCase(
            .edge(6), "one rule with default deny among others without it isolates",
            Trial(
                cnp(
                    "ingress: [{fromEndpoints: [\(app("db"))]}], enableDefaultDeny: {ingress: false}", "ingress: [{}]"),
                flows: ["allow db > web 80", "deny cache > web 80"])),
        EdgeCase(
            .edge(7), "where nothing isolates, a dns rule restricts no name",
            Trial(
                cnp(
                    "egress: [{toEntities: [cluster], \(toPorts("53/ANY", rules: "{dns: [{matchName: example.com}]}"))}], "
                        + "enableDefaultDeny: {egress: false}"),
                flows: [
                    "allow web > ops/dns 53/UDP dns: example.com", "allow web > ops/dns 53/UDP dns: example.org",
                    "allow web > db 80",
                ])),
        EdgeCase(
            .edge(8), "where nothing isolates, an http rule restricts no request",
            Trial(
                cnp(
                    "ingress: [{\(toPorts("80", rules: "{http: [{method: GET, path: /api}]}"))}], enableDefaultDeny: {ingress: false}"
                ),
                flows: [
                    "allow db > web 80 http: {path: /api}", "allow db > web 80 http: {method: POST, path: /other}",
                    "allow db > web 81",
                ])),
        EdgeCase(
            .edge(9), "where nothing isolates, a deny of port 80 denies it and nothing else",
            Trial(
                cnp("ingressDeny: [{\(toPorts("80"))}], enableDefaultDeny: {ingress: false}"),
                flows: ["deny db > web 80", "deny host > web 80", "allow db > web 81", "allow db > web 80/UDP"])),
        EdgeCase(
            .edge(10), "a rule selects either endpoints or nodes: neither and both are refused",
            Trial(
                cnp("!ingress: [{}]"), flows: ["deny db > cache 80", "allow ops/probe > ops/web 80"],
                refused: ["missing-field spec"]),
            Trial(
                cnp("endpointSelector: {matchLabels: {app: web}}, nodeSelector: {}, ingress: [{}]"),
                flows: ["deny db > web 80"], refused: ["conflict spec.nodeSelector"]),
            Trial(
                ccnp("endpointSelector: {matchLabels: {app: web}}, nodeSelector: {}, ingress: [{}]"),
                flows: ["deny db > web 80", "deny ops/probe > ops/web 80"], refused: ["conflict spec.nodeSelector"])),
        EdgeCase(
            .edge(11), "a CiliumNetworkPolicy cannot select nodes",
            Trial(cnp("nodeSelector: {}, ingress: [{}]"), refused: ["conflict spec.nodeSelector"])),
    ]
}
