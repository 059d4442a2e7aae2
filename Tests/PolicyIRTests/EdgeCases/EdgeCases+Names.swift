extension EdgeCases {
    private static let answered = [
        "cilium.io": ["198.51.100.1"], "a.cilium.io": ["198.51.100.2"], "a.b.cilium.io": ["198.51.100.3"],
        "subcilium.io": ["198.51.100.4"], "_a._tcp.cilium.io": ["198.51.100.5"], "test.a.cilium.io": ["198.51.100.6"],
        "test.a.b.cilium.io": ["198.51.100.7"], "foo.org": ["198.51.100.8"],
    ]

    private static func pattern(_ text: String, allows: [Int], denies: [Int]) -> Trial {
        Trial(
            cnp("egress: [{toFQDNs: [{matchPattern: '\(text)'}]}]"), names: answered,
            flows: allows.map { "allow web > 198.51.100.\($0) 80" } + denies.map { "deny web > 198.51.100.\($0) 80" })
    }

    private static func dns(_ selector: String, _ ports: String = "53/UDP") -> String {
        toPorts(ports, rules: "{dns: [\(selector)]}")
    }

    /// Rows 88-93, 95-98 and 133: names and patterns.
    static let names: [EdgeCase] = [
        EdgeCase(
            .edge(88), "`*.cilium.io` is one label more", pattern("*.cilium.io", allows: [2], denies: [1, 3, 4])),
        EdgeCase(
            .edge(89), "`*cilium.io` is cilium.io with anything before it in the same label",
            pattern("*cilium.io", allows: [1, 4], denies: [2, 3])),
        EdgeCase(
            .edge(90), "`**.cilium.io` is any number of labels more, not none",
            pattern("**.cilium.io", allows: [2, 3, 7], denies: [1, 4])),
        EdgeCase(
            .edge(91), "`**.*.cilium.io` is at least two labels more",
            pattern("**.*.cilium.io", allows: [3, 5], denies: [1, 2])),
        EdgeCase(
            .edge(92), "toFQDNs `*` is every address that any name was answered with, and no other",
            pattern("*", allows: [1, 2, 3, 4, 5, 8], denies: [9])),
        EdgeCase(
            .edge(93), "two stars that do not lead are one: `test.**.cilium.io` is `test.*.cilium.io`",
            pattern("test.**.cilium.io", allows: [6], denies: [7])),
        EdgeCase(
            .edge(95), "a dns name is literal, whatever the case of the question",
            Trial(
                cnp("egress: [{toEntities: [cluster], \(dns("{matchName: cilium.io}"))}]"),
                flows: [
                    "allow web > ops/dns 53/UDP dns: CILIUM.io", "allow web > ops/dns 53/UDP dns: cilium.io.",
                    "deny web > ops/dns 53/UDP dns: ciliumXio", "deny web > ops/dns 53/UDP dns: a.cilium.io",
                ])),
        EdgeCase(
            .edge(96), "a query over TCP is asked by the rules of TCP only",
            Trial(
                cnp(
                    "egress: [{toEntities: [cluster], \(dns("{matchPattern: '*.ubuntu.com'}"))}, "
                        + "{toEntities: [cluster], \(dns("{matchName: cilium.io}", "53"))}]"),
                flows: [
                    "allow web > ops/dns 53/UDP dns: a.ubuntu.com", "deny web > ops/dns 53 dns: a.ubuntu.com",
                    "allow web > ops/dns 53 dns: cilium.io", "deny web > ops/dns 53/UDP dns: cilium.io",
                ])),
        EdgeCase(
            .edge(97), "a query to a server that the rule does not select is denied",
            Trial(
                cnp(
                    "egress: [{toEndpoints: [{matchLabels: {app: dns, 'k8s:io.kubernetes.pod.namespace': ops}}], \(dns("{matchPattern: '*'}"))}]"
                ),
                flows: [
                    "allow web > ops/dns 53/UDP dns: a.io", "deny web > db 53/UDP dns: a.io",
                    "deny web > 8.8.8.8 53/UDP dns: a.io",
                ])),
        EdgeCase(
            .edge(98), "port 53 without dns rules allows every name",
            Trial(
                cnp("egress: [{toEntities: [cluster], \(toPorts("53/UDP"))}]"),
                flows: ["allow web > ops/dns 53/UDP dns: a.io", "allow web > ops/dns 53/UDP dns: b.org"])),
        EdgeCase(
            .edge(133), "`toFQDNs: []` selects nothing, with ports too",
            Trial(
                cnp("egress: [{toFQDNs: [], \(toPorts("443"))}]"), names: answered,
                flows: ["deny web > db 443", "deny web > 198.51.100.1 443", "deny web > 203.0.113.1 443"]),
            Trial(
                cnp("egress: [{toServices: [], \(toPorts("443"))}]"),
                flows: ["deny web > db 443", "deny web > 203.0.113.1 443"]),
            differs: .init(
                input: "`toFQDNs: []` or `toServices: []` with `toPorts`", theirs: "allows the port to every peer",
                ours: "in an allow selects nothing, like every other empty list of peers; in a deny as Cilium",
                why: "fails closed")),
    ]
}
