import NetpoldTestSupport

extension EdgeCases {
    /// A ClusterNetworkPolicy about `app=web` in namespace shop.
    static func clusterPolicy(_ name: String, tier: String = "Admin", priority: Int = 10, _ rules: String) -> String {
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: \(name)}\n"
            + "spec: {tier: \(tier), priority: \(priority), subject: {pods: {namespaceSelector: "
            + "{matchLabels: {team: red}}, podSelector: \(app("web"))}}, \(rules)}\n"
    }

    private static func from(_ name: String) -> String {
        "from: [{pods: {namespaceSelector: {}, podSelector: \(app(name))}}]"
    }

    private static func tcp(_ ports: String) -> String {
        "protocols: [{tcp: {destinationPort: {\(ports)}}}]"
    }

    /// Rows 124-127: tiers, priorities and Pass.
    static let tiers: [EdgeCase] = [
        EdgeCase(
            .edge(124), "an Accept of the Admin tier beats a deny of a CiliumNetworkPolicy",
            Trial(
                clusterPolicy("a", "ingress: [{action: Accept, \(from("db"))}]"),
                cnp("ingressDeny: [{fromEntities: [cluster]}]"),
                flows: ["allow db > web 80", "deny cache > web 80"])),
        EdgeCase(
            .edge(125), "of an allow and a deny of one priority, the deny wins",
            Trial(
                cnp("ingress: [{fromEndpoints: [\(app("db"))]}]"),
                cnp("ingressDeny: [{fromEndpoints: [\(app("db"))]}]", name: "q"), flows: ["deny db > web 80"])),
        EdgeCase(
            .edge(126),
            "the first rule that matches decides: a Deny of port 80, then an Accept of 80-81, then of the rest",
            Trial(
                clusterPolicy(
                    "a",
                    "egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}], \(tcp("number: 80"))}, "
                        + "{action: Accept, to: [{networks: [1.1.1.1/32]}], \(tcp("range: {start: 80, end: 81}"))}, "
                        + "{action: Accept, to: [{networks: [0.0.0.0/0]}]}]"),
                cnp("egress: [{}]"),
                flows: [
                    "deny web > 1.1.1.1 80", "deny web > 1.1.1.2 80", "allow web > 1.1.1.1 81",
                    "allow web > 1.1.1.2 443",
                ])),
        EdgeCase(
            .edge(127), "Pass skips a later Deny of its tier; the next tier decides",
            Trial(
                clusterPolicy(
                    "a", "ingress: [{action: Pass, \(from("db"))}, {action: Deny, from: [{namespaces: {}}]}]"),
                np("ingress: [{ports: [{port: 80}]}]"),
                flows: ["allow db > web 80", "deny db > web 81", "deny cache > web 80"]),
            Trial(
                clusterPolicy(
                    "a", "ingress: [{action: Pass, \(from("db"))}, {action: Deny, from: [{namespaces: {}}]}]"),
                flows: ["allow db > web 81", "deny cache > web 80"])),
    ]
}
