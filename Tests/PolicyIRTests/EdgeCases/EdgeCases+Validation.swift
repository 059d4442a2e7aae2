extension EdgeCases {
    /// Rows 27-46, 94 and 119: what is refused. Whom the policy selects is isolated.
    static let validation: [EdgeCase] = [
        EdgeCase(
            .edge(27), "http rules need TCP and nothing else",
            Trial(
                cnp("ingress: [{\(toPorts("80/UDP", rules: "{http: [{}]}"))}]"), flows: ["deny db > web 80/UDP"],
                refused: ["conflict spec.ingress[0].toPorts[0].ports[0]"]),
            Trial(
                cnp("ingress: [{\(toPorts("80/ANY", rules: "{http: [{}]}"))}]"), flows: ["deny db > web 80"],
                refused: ["conflict spec.ingress[0].toPorts[0].ports[0]"]),
            Trial(
                cnp("ingress: [{\(toPorts("80", "80/UDP", rules: "{http: [{}]}"))}]"), flows: ["deny db > web 80"],
                refused: ["conflict spec.ingress[0].toPorts[0].ports[1]"])),
        EdgeCase(
            .edge(28), "dns rules on port 53 of TCP and UDP in egress",
            Trial(
                cnp("egress: [{\(toPorts("53", "53/UDP", rules: "{dns: [{matchName: example.com}]}"))}]"),
                flows: [
                    "allow web > ops/dns 53/UDP dns: example.com", "allow web > ops/dns 53 dns: example.com",
                    "deny web > ops/dns 53/UDP dns: example.org", "deny web > ops/dns 54/UDP",
                ])),
        EdgeCase(
            .edge(29), "dns rules in ingress are refused, whatever the protocol",
            Trial(
                cnp("ingress: [{\(toPorts("53/UDP", rules: "{dns: [{matchName: a}]}"))}]"),
                flows: ["deny db > web 53/UDP"], refused: ["conflict spec.ingress[0].toPorts[0].rules"]),
            Trial(
                cnp("ingress: [{\(toPorts("53/ANY", rules: "{dns: [{matchName: a}]}"))}]"),
                refused: ["conflict spec.ingress[0].toPorts[0].rules"])),
        EdgeCase(
            .edge(30), "dns rules without ports are refused",
            Trial(
                cnp("egress: [{toPorts: [{rules: {dns: [{matchName: a}]}}]}]"), flows: ["deny web > ops/dns 53/UDP"],
                refused: ["missing-field spec.egress[0].toPorts[0].rules"]),
            Trial(
                cnp("egress: [{toPorts: [{ports: [], rules: {dns: [{matchName: a}]}}]}]"),
                refused: ["missing-field spec.egress[0].toPorts[0].rules"])),
        EdgeCase(
            .edge(31), "dns rules on a range of ports are refused",
            Trial(
                cnp("egress: [{\(toPorts("443-445", rules: "{dns: [{matchName: a}]}"))}]"),
                flows: ["deny web > ops/dns 443"], refused: ["conflict spec.egress[0].toPorts[0].ports[0]"])),
        EdgeCase(
            .edge(32), "an http rule on port 0 is refused",
            Trial(
                cnp("ingress: [{\(toPorts("0", rules: "{http: [{}]}"))}]"), flows: ["deny db > web 80"],
                refused: ["conflict spec.ingress[0].toPorts[0].ports[0]"])),
        EdgeCase(
            .edge(33),
            "a path or method that is not an RE2 expression is refused; so is a host, which could match nothing",
            Trial(
                cnp("ingress: [{\(toPorts("80", rules: "{http: [{path: '*.html'}]}"))}]"),
                flows: ["deny db > web 80"], refused: ["invalid-value spec.ingress[0].toPorts[0].rules.http[0].path"]),
            Trial(
                cnp("ingress: [{\(toPorts("80", rules: "{http: [{method: '(GET'}]}"))}]"),
                refused: ["invalid-value spec.ingress[0].toPorts[0].rules.http[0].method"]),
            Trial(
                cnp("ingress: [{\(toPorts("80", rules: "{http: [{host: '*.example.com'}]}"))}]"),
                refused: ["invalid-value spec.ingress[0].toPorts[0].rules.http[0].host"]),
            differs: .init(
                input: "`host` that is not an RE2 expression",
                theirs: "accepts the policy; the rule then matches nothing",
                ours: "refuses the policy", why: "a rule that can never match is a mistake")),
        EdgeCase(
            .edge(34),
            "an empty server name is refused, and so are names beside http rules, for want of TLS termination",
            Trial(
                cnp("egress: [{toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: ['']}]}]"),
                flows: ["deny web > db 443"],
                refused: ["invalid-value spec.egress[0].toPorts[0].serverNames[0]"]),
            Trial(
                cnp(
                    "egress: [{toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: [a.io], rules: {http: [{}]}}]}]"
                ),
                flows: ["deny web > db 443"], refused: ["conflict spec.egress[0].toPorts[0].serverNames"]),
            Trial(
                cnp(
                    "egress: [{toPorts: [{ports: [{port: '443', protocol: TCP}], terminatingTLS: {secret: {name: s}}, "
                        + "serverNames: [a.io], rules: {http: [{}]}}]}]"),
                flows: ["deny web > db 443"],
                refused: [
                    "conflict spec.egress[0].toPorts[0].serverNames",
                    "unsupported-field spec.egress[0].toPorts[0].terminatingTLS",
                ]),
            differs: .init(
                input: "`terminatingTLS`, `originatingTLS`",
                theirs: "terminates TLS in the proxy and applies the http rules",
                ours: "refuses the policy and proposes `serverNames`",
                why: "TLS is not terminated; rules that cannot be applied must not be skipped")),
        EdgeCase(
            .edge(35), "a listener is refused, in ingress and beside http rules as everywhere",
            Trial(
                cnp("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], listener: {name: l}}]}]"),
                flows: ["deny db > web 80"], refused: ["unsupported-field spec.ingress[0].toPorts[0].listener"]),
            Trial(
                cnp(
                    "egress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], listener: {name: l}, rules: {http: [{}]}}]}]"
                ),
                flows: ["deny web > db 80"], refused: ["unsupported-field spec.egress[0].toPorts[0].listener"])),
        EdgeCase(
            .edge(36), "41 ports in one element, and 41 ICMP types in another, are too many",
            Trial(
                cnp("ingress: [{toPorts: [{ports: [\(many("{port: '80', protocol: TCP}"))]}]}]"),
                flows: ["deny db > web 80"], refused: ["too-many spec.ingress[0].toPorts[0].ports"]),
            Trial(
                cnp("ingressDeny: [{toPorts: [{ports: [\(many("{port: '80', protocol: TCP}"))]}]}]"),
                refused: ["too-many spec.ingressDeny[0].toPorts[0].ports"]),
            Trial(
                cnp("ingress: [{icmps: [{fields: [\(many("{type: 8}"))]}]}]"), flows: ["deny db > web icmp/8"],
                refused: ["too-many spec.ingress[0].icmps[0].fields"])),
        EdgeCase(
            .edge(37), "icmps and toPorts in one element are refused, in all four lists",
            Trial(
                cnp(
                    ["ingress", "ingressDeny", "egress", "egressDeny"].map {
                        "\($0): [{icmps: [{fields: [{type: 8}]}], \(toPorts("80"))}]"
                    }.joined(separator: ", ")),
                flows: ["deny db > web 80", "deny db > web icmp/8", "deny web > db 80"],
                refused: ["ingress", "ingressDeny", "egress", "egressDeny"].map { "conflict spec.\($0)[0].icmps" })),
        EdgeCase(
            .edge(38), "ICMP of another family than IPv4 and IPv6 is refused",
            Trial(
                cnp("ingress: [{icmps: [{fields: [{family: IPv5, type: 8}]}]}]"), flows: ["deny db > web icmp/8"],
                refused: ["invalid-value spec.ingress[0].icmps[0].fields[0].family"])),
        EdgeCase(
            .edge(39), "an ICMP name of the other family is refused",
            Trial(
                cnp("ingress: [{icmps: [{fields: [{family: IPv4, type: ICMPNodeInformationQuery}]}]}]"),
                refused: ["invalid-value spec.ingress[0].icmps[0].fields[0].type"]),
            Trial(
                cnp("ingress: [{icmps: [{fields: [{family: IPv6, type: ICMPNodeInformationQuery}]}]}]"),
                flows: ["allow fd00::2 > web icmpv6/139", "deny fd00::2 > web icmpv6/128"])),
        EdgeCase(
            .edge(40), "icmps without peers are about everybody, and about nothing but their types",
            Trial(
                cnp("egress: [{icmps: [{fields: [{type: 8}, {family: IPv4, type: 9}]}]}]"),
                flows: [
                    "allow web > db icmp/8", "allow web > 203.0.113.1 icmp/9", "deny web > db icmp/0",
                    "deny web > db icmp/10", "deny web > db 80", "deny web > db 8", "deny web > fd00::2 icmpv6/8",
                ])),
        EdgeCase(
            .edge(41), "a rule for nodes has no http rules and no L7 rules in ingress; dns in egress it may have",
            Trial(
                ccnp("nodeSelector: {}, ingress: [{\(toPorts("80", rules: "{http: [{}]}"))}]"),
                flows: ["allow db > web 80"], refused: ["conflict spec.ingress[0].toPorts[0].rules"]),
            Trial(
                ccnp("nodeSelector: {}, egress: [{\(toPorts("80", rules: "{http: [{}]}"))}]"),
                refused: ["conflict spec.egress[0].toPorts[0].rules"]),
            Trial(
                ccnp("nodeSelector: {}, egress: [{\(toPorts("53/UDP", rules: "{dns: [{matchName: a.io}]}"))}]"),
                flows: ["allow web > db 80", "allow web > ops/dns 53/UDP"])),
        EdgeCase(
            .edge(42), "a protocol without ports goes with port 0 only",
            Trial(
                cnp("ingress: [{\(toPorts("1/VRRP"))}]"), flows: ["deny db > web 1"],
                refused: ["conflict spec.ingress[0].toPorts[0].ports[0].port"]),
            Trial(
                cnp("ingress: [{\(toPorts("80/GRE"))}]"),
                refused: ["conflict spec.ingress[0].toPorts[0].ports[0].port"])),
        EdgeCase(
            .edge(43), "a non-contiguous mask is not a CIDR",
            Trial(
                cnp("egress: [{toCIDR: [10.0.0.0/254.0.0.255]}]"), flows: ["deny web > 10.0.0.9 80"],
                refused: ["invalid-value spec.egress[0].toCIDR[0]"])),
        EdgeCase(
            .edge(44), "exceptions inside their CIDR are cut out of it",
            Trial(
                cnp("egress: [{toCIDRSet: [{cidr: 192.0.2.0/24, except: [192.0.2.1/32, 192.0.2.128/25]}]}]"),
                flows: [
                    "allow web > 192.0.2.2 80", "deny web > 192.0.2.1 80", "deny web > 192.0.2.200 80",
                    "allow web > 192.0.2.127 80",
                ])),
        EdgeCase(
            .edge(45), "an exception wider than its CIDR, or beside it, is refused",
            Trial(
                cnp("egress: [{toCIDRSet: [{cidr: 192.0.2.0/24, except: [192.0.0.0/16]}]}]"),
                flows: ["deny web > 192.0.2.2 80"],
                refused: ["invalid-value spec.egress[0].toCIDRSet[0].except[0]"]),
            Trial(
                cnp("egress: [{toCIDRSet: [{cidr: 192.0.2.0/24, except: [192.0.3.0/24]}]}]"),
                refused: ["invalid-value spec.egress[0].toCIDRSet[0].except[0]"])),
        EdgeCase(
            .edge(46), "a CIDR rule has exactly one source",
            Trial(
                cnp("egress: [{toCIDRSet: [{cidrGroupRef: g, cidrGroupSelector: {}}]}]"),
                flows: ["deny web > 192.0.2.2 80"], refused: ["conflict spec.egress[0].toCIDRSet[0]"]),
            Trial(
                cnp("egress: [{toCIDRSet: [{except: []}]}]"), refused: ["conflict spec.egress[0].toCIDRSet[0]"])),
        EdgeCase(
            .edge(94), "names hold letters, digits, dashes and dots, patterns stars too; a selector is one of the two",
            Trial(
                cnp("egress: [{toFQDNs: [{matchName: 'a{1,2}.cilium.io.'}]}]"),
                refused: ["invalid-value spec.egress[0].toFQDNs[0].matchName"]),
            Trial(
                cnp("egress: [{toFQDNs: [{matchPattern: '[a-z]*.cilium.io.'}]}]"),
                refused: ["invalid-value spec.egress[0].toFQDNs[0].matchPattern"]),
            Trial(
                cnp("egress: [{toFQDNs: [{matchName: a.io, matchPattern: b.io}]}]"),
                flows: ["deny web > 203.0.113.1 80"],
                refused: ["conflict spec.egress[0].toFQDNs[0].matchPattern"]),
            Trial(
                cnp("egress: [{\(toPorts("53/UDP", rules: "{dns: [{matchName: a.io, matchPattern: b.io}]}"))}]"),
                refused: ["conflict spec.egress[0].toPorts[0].rules.dns[0].matchPattern"]),
            differs: .init(
                input: "dns rule with `matchName` and `matchPattern`",
                theirs: "the schema refuses it, the agent takes both", ours: "refuses it",
                why: "it is unknown which one is meant")),
    ]

    private static func many(_ element: String) -> String {
        Array(repeating: element, count: 41).joined(separator: ", ")
    }
}
