import PolicyAPI

extension EdgeCases {
    private static func both(_ allow: String, _ deny: String) -> Trial {
        Trial(
            cnp(
                "ingress: [{fromEndpoints: [{}], \(toPorts(allow))}], ingressDeny: [{fromEndpoints: [{}], \(toPorts(deny))}]"
            ))
    }

    private static func both(_ allow: String, _ deny: String, _ flows: [String]) -> Trial {
        var trial = both(allow, deny)
        trial.flows = flows
        return trial
    }

    /// Rows 62-66 and 87: ranges of ports that overlap.
    static let ranges: [EdgeCase] = [
        EdgeCase(
            .edge(62), "a deny of 1-1024 beats an allow of 80",
            both("80", "1-1024", ["deny db > web 80", "deny db > web 1025", "deny db > web 1"])),
        EdgeCase(
            .edge(63), "a deny of 80 cuts it out of an allow of 1-1024",
            both(
                "1-1024", "80",
                [
                    "allow db > web 79", "deny db > web 80", "allow db > web 81", "allow db > web 1024",
                    "deny db > web 1025",
                ])
        ),
        EdgeCase(
            .edge(64), "a deny of 1-1024 cuts it out of an allow of every port",
            both(
                "0", "1-1024",
                [
                    "deny db > web 1", "deny db > web 1024", "allow db > web 1025", "allow db > web 65535",
                    "deny db > web 80/UDP",
                ]
            )),
        EdgeCase(
            .edge(65), "a deny of every port leaves nothing of an allow of 1-1024",
            both("1-1024", "0", ["deny db > web 1", "deny db > web 80", "deny db > web 1025"])),
        EdgeCase(
            .edge(66), "of allows of 80-90 and 90-100, a deny of 85-95 leaves both ends",
            Trial(
                cnp(
                    "ingress: [{fromEndpoints: [{}], \(toPorts("80-90", "90-100"))}], "
                        + "ingressDeny: [{fromEndpoints: [{}], \(toPorts("85-95"))}]"),
                flows: [
                    "deny db > web 79", "allow db > web 80", "allow db > web 84", "deny db > web 85",
                    "deny db > web 90",
                    "deny db > web 95", "allow db > web 96", "allow db > web 100", "deny db > web 101",
                ])),
        EdgeCase(
            .edge(87), "ranges hold their ends and nothing beside them",
            Trial(
                cnp("ingress: [{\(toPorts("16-31", "80-81"))}, {\(toPorts("1-65535/UDP"))}]"),
                flows: [
                    "deny db > web 15", "allow db > web 16", "allow db > web 31", "deny db > web 32",
                    "deny db > web 79",
                    "allow db > web 80", "allow db > web 81", "deny db > web 82", "allow db > web 1/UDP",
                    "allow db > web 65535/UDP", "deny db > web 65535",
                ])),
    ]

    /// Rows 59-61, 67, 68 and 136: a deny beats every allow of its tier, and in its direction only.
    static let deny: [EdgeCase] = [
        EdgeCase(
            .edge(59), "a peer both allowed and denied is denied",
            Trial(
                cnp("ingress: [{fromEndpoints: [{}]}], ingressDeny: [{fromEndpoints: [\(app("db"))]}]"),
                flows: ["deny db > web 80", "deny db > web icmp/8", "allow cache > web 80"])),
        EdgeCase(
            .edge(60), "a deny of everybody leaves no allow of its direction, with L7 rules or without",
            Trial(
                cnp(
                    "ingress: [{fromEndpoints: [{}]}, {\(toPorts("80", rules: "{http: [{}]}"))}], ingressDeny: [{fromEntities: [all]}]"
                ),
                flows: [
                    "deny db > web 80", "deny db > web 81", "deny host > web 80", "deny 203.0.113.1 > web 80",
                    "allow web > db 80",
                ])),
        EdgeCase(
            .edge(61), "a deny of a peer beats an http rule for it",
            Trial(
                cnp(
                    "ingress: [{fromEndpoints: [\(app("db"))], \(toPorts("80", rules: "{http: [{}]}"))}], "
                        + "ingressDeny: [{fromEndpoints: [\(app("db"))]}]"),
                flows: ["deny db > web 80", "deny db > web 80 http: {path: /}"])),
        EdgeCase(
            .edge(67), "a deny of a port beats an allow of everything on that port",
            Trial(
                cnp("ingress: [{fromEntities: [all]}], ingressDeny: [{\(toPorts("80"))}]"),
                flows: ["deny db > web 80", "deny host > web 80", "allow db > web 81", "allow db > web 80/UDP"])),
        EdgeCase(
            .edge(68), "a deny in egress leaves ingress of the same peer alone",
            Trial(
                cnp("ingress: [{fromEndpoints: [\(app("db"))]}], egressDeny: [{toEndpoints: [\(app("db"))]}]"),
                flows: ["allow db > web 80", "deny web > db 80"])),
        EdgeCase(
            .edge(136), "a deny of a CiliumNetworkPolicy beats an allow of a NetworkPolicy",
            Trial(
                cnp("egressDeny: [{toEntities: [all]}]"), np("egress: [{}], policyTypes: [Egress]", name: "open"),
                flows: ["deny web > db 80", "deny web > 203.0.113.1 80", "deny web > host 80", "allow db > web 80"])),
    ]
}
