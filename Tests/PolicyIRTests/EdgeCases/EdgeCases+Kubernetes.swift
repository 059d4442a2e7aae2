import PolicyAPI

extension EdgeCases {
    /// Rows 113-120: NetworkPolicies as the Cilium specification lists them.
    static let kubernetes: [EdgeCase] = [
        EdgeCase(
            .edge(113), "a NetworkPolicy without policyTypes and rules denies ingress, and only that",
            Trial(np(""), flows: ["deny db > web 80", "allow web > db 80", "allow db > cache 80"])),
        EdgeCase(
            .edge(114), "`ingress: [{}]` of a NetworkPolicy allows everything",
            Trial(
                np("ingress: [{}]"),
                flows: [
                    "allow db > web 80", "allow 203.0.113.1 > web 80/UDP", "allow db > web icmp/8",
                    "allow remote-node > web 80",
                ])),
        EdgeCase(
            .edge(115), "policyTypes [Egress] without rules denies egress, and only that",
            Trial(np("policyTypes: [Egress]"), flows: ["deny web > db 80", "allow db > web 80"])),
        EdgeCase(
            .edge(116), "an element of ports without port and protocol is every port of TCP",
            Trial(
                np("ingress: [{ports: [{}]}]"),
                flows: ["allow db > web 1", "allow db > web 65535", "deny db > web 80/UDP", "deny db > web icmp/8"])),
        EdgeCase(
            .edge(117), "`namespaceSelector: {}` is the pods of every namespace, and nothing but pods",
            Trial(
                np("ingress: [{from: [{namespaceSelector: {}}]}]"),
                flows: [
                    "allow db > web 80", "allow ops/probe > web 80", "deny remote-node > web 80",
                    "deny 203.0.113.1 > web 80",
                ])),
        EdgeCase(
            .edge(118), "both selectors in one peer are ANDed, two peers are ORed",
            Trial(
                np("ingress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}, podSelector: \(app("web"))}]}]"),
                flows: ["allow ops/web > web 80", "deny ops/probe > web 80", "deny db > web 80"]),
            Trial(
                np(
                    "ingress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}}, {podSelector: \(app("db"))}]}]"
                ),
                flows: ["allow ops/probe > web 80", "allow db > web 80", "deny cache > web 80"])),
        EdgeCase(
            .edge(119), "an unknown protocol refuses the policy, which isolates",
            Trial(
                np("ingress: [{}, {ports: [{protocol: unknown}]}]"), flows: ["deny db > web 80"],
                refused: ["invalid-value spec.ingress[1].ports[0].protocol"])),
        EdgeCase(
            .edge(120), "ipBlock with exceptions",
            Trial(
                np("ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.128/25]}}]}]"),
                flows: ["allow 192.0.2.1 > web 80", "deny 192.0.2.129 > web 80", "deny 192.0.3.1 > web 80"])),
    ]
}
