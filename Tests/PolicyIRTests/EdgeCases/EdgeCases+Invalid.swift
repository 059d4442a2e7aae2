extension EdgeCases {
    private static func refused(_ spec: String, _ errors: String...) -> Trial {
        Trial(np(spec), flows: ["deny db > web 80"], refused: errors)
    }

    /// docs/spec/network-policy.md 1.3: what the API server refuses; NetworkPolicyDecodeTests compares the words.
    static let invalid: [EdgeCase] = [
        EdgeCase(
            .invalid("protocol"), "only TCP, UDP and SCTP",
            refused("ingress: [{}, {ports: [{protocol: ICMP}]}]", "invalid-value spec.ingress[1].ports[0].protocol")),
        EdgeCase(
            .invalid("port number"), "1 to 65535, endPort too",
            refused("ingress: [{}, {ports: [{port: 0}]}]", "invalid-value spec.ingress[1].ports[0].port"),
            refused("ingress: [{}, {ports: [{port: 65536}]}]", "invalid-value spec.ingress[1].ports[0].port"),
            refused(
                "ingress: [{}, {ports: [{port: 80, endPort: 70000}]}]", "invalid-value spec.ingress[1].ports[0].endPort"
            )),
        EdgeCase(
            .invalid("endPort below port"), "is refused",
            refused(
                "ingress: [{}, {ports: [{port: 80, endPort: 79}]}]",
                "end-port-below-port spec.ingress[1].ports[0].endPort")),
        EdgeCase(
            .invalid("endPort with named port"), "is refused",
            refused("ingress: [{}, {ports: [{port: http, endPort: 90}]}]", "conflict spec.ingress[1].ports[0].endPort")),
        EdgeCase(
            .invalid("endPort without port"), "is refused",
            refused("ingress: [{}, {ports: [{endPort: 90}]}]", "conflict spec.ingress[1].ports[0].endPort")),
        EdgeCase(
            .invalid("bad port name"), "15 lower-case letters, digits and single dashes, with a letter",
            refused(
                "ingress: [{}, {ports: [{port: '80'}, {port: HTTP}, {port: a--b}, {port: -a}, {port: a23456789012345b}]}]",
                "invalid-value spec.ingress[1].ports[0].port", "invalid-value spec.ingress[1].ports[1].port",
                "invalid-value spec.ingress[1].ports[2].port", "invalid-value spec.ingress[1].ports[3].port",
                "invalid-value spec.ingress[1].ports[4].port")),
        EdgeCase(
            .invalid("peer with nothing"), "is refused",
            refused("ingress: [{}, {from: [{}]}]", "missing-field spec.ingress[1].from[0]")),
        EdgeCase(
            .invalid("ipBlock and selector"), "are mutually exclusive",
            refused(
                "ingress: [{}, {from: [{ipBlock: {cidr: 10.0.0.0/8}, namespaceSelector: {}}]}]",
                "conflict spec.ingress[1].from[0]")),
        EdgeCase(
            .invalid("cidr empty or unparsable"),
            "is refused: also leading zeros and IPv4 in IPv6; host bits are a warning",
            refused(
                "ingress: [{}, {from: [{ipBlock: {cidr: ''}}]}]", "missing-field spec.ingress[1].from[0].ipBlock.cidr"),
            refused(
                "ingress: [{}, {from: [{ipBlock: {cidr: 10.0.0.1}}]}]",
                "invalid-value spec.ingress[1].from[0].ipBlock.cidr"),
            refused(
                "ingress: [{}, {from: [{ipBlock: {cidr: 010.0.0.0/8}}]}]",
                "invalid-value spec.ingress[1].from[0].ipBlock.cidr"),
            refused(
                "ingress: [{}, {from: [{ipBlock: {cidr: '::ffff:10.0.0.0/104'}}]}]",
                "invalid-value spec.ingress[1].from[0].ipBlock.cidr"),
            Trial(
                np("ingress: [{from: [{ipBlock: {cidr: 192.0.2.1/24}}]}]"),
                flows: ["allow 192.0.2.77 > web 80", "deny 192.0.3.1 > web 80"],
                warned: ["no-effect spec.ingress[0].from[0].ipBlock.cidr"]),
            differs: .init(
                input:
                    "`ipBlock` with leading zeros or an IPv4-mapped IPv6 address, in an existing object",
                theirs: "is kept until the field is changed", ours: "refuses the policy",
                why: "programs parse such addresses differently")),
        EdgeCase(
            .invalid("except outside or not longer"), "an exception is a longer prefix inside the CIDR",
            refused(
                "ingress: [{}, {from: [{ipBlock: {cidr: 10.0.0.0/16, except: [10.0.0.0/16, 10.1.0.0/24, '::/0']}}]}]",
                "invalid-value spec.ingress[1].from[0].ipBlock.except[0]",
                "invalid-value spec.ingress[1].from[0].ipBlock.except[1]",
                "invalid-value spec.ingress[1].from[0].ipBlock.except[2]")),
        EdgeCase(
            .invalid("policyTypes"), "at most two, and no others than Ingress and Egress",
            refused("ingress: [{}], policyTypes: [Ingress, Egress, Ingress]", "too-many spec.policyTypes"),
            refused("ingress: [{}], policyTypes: [ingress]", "invalid-value spec.policyTypes[0]")),
        EdgeCase(
            .invalid("label selector"), "operators have their values or none, keys and values the syntax of labels",
            refused(
                "ingress: [{}, {from: [{podSelector: {matchExpressions: [{key: a, operator: In}]}}]}]",
                "missing-field spec.ingress[1].from[0].podSelector.matchExpressions[0]"),
            refused(
                "ingress: [{}, {from: [{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}]}]",
                "conflict spec.ingress[1].from[0].podSelector.matchExpressions[0].values"),
            refused(
                "ingress: [{}, {from: [{podSelector: {matchExpressions: [{key: a, operator: Gt, values: ['1']}]}}]}]",
                "invalid-value spec.ingress[1].from[0].podSelector.matchExpressions[0].operator"),
            refused(
                "ingress: [{}, {from: [{podSelector: {matchLabels: {a b: c}}}]}]",
                "invalid-value spec.ingress[1].from[0].podSelector.matchLabels[\"a b\"]"),
            refused(
                "ingress: [{}, {from: [{podSelector: {matchLabels: {a: b c}}}]}]",
                "invalid-value spec.ingress[1].from[0].podSelector.matchLabels.a"),
            differs: .init(
                input:
                    "a selector with a label key or value that no label can have, in an existing object",
                theirs: "is kept until the field is changed", ours: "refuses the policy",
                why: "it selects nothing, which cannot be intended")),
    ]
}
