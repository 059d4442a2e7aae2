extension EdgeCases {
    private static let get = "{http: [{method: GET}]}"

    private static func sni(_ name: String) -> String {
        "toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: ['\(name)']}]"
    }

    /// Rows 69-80 and 109-112: L7 rules beside plain ones, and what they ask.
    static let l7: [EdgeCase] = [
        EdgeCase(
            .edge(69), "a port of everybody needs no second rule for one peer",
            Trial(
                cnp("ingress: [{\(toPorts("80"))}, {fromEndpoints: [\(app("db"))], \(toPorts("80"))}]"),
                flows: ["allow db > web 80", "allow cache > web 80", "deny db > web 81"])),
        EdgeCase(
            .edge(70), "http rules beside a plain allow of the same port restrict nothing",
            Trial(
                cnp("ingress: [{\(toPorts("80", rules: get))}, {\(toPorts("80"))}]"),
                flows: ["allow db > web 80 http: {method: POST}", "allow db > web 80 http: {method: GET}"])),
        EdgeCase(
            .edge(71), "http rules for everybody do not restrict a peer with a plain allow of the port",
            Trial(
                cnp("ingress: [{\(toPorts("80", rules: get))}, {fromEndpoints: [\(app("db"))], \(toPorts("80"))}]"),
                flows: ["allow db > web 80 http: {method: POST}", "deny cache > web 80 http: {method: POST}"])),
        EdgeCase(
            .edge(72), "http rules for a peer do not restrict it where everybody has the port",
            Trial(
                cnp("ingress: [{fromEndpoints: [\(app("db"))], \(toPorts("80", rules: get))}, {\(toPorts("80"))}]"),
                flows: ["allow db > web 80 http: {method: POST}", "allow cache > web 80 http: {method: POST}"])),
        EdgeCase(
            .edge(73), "http rules for everybody do not restrict a peer that may use every port",
            Trial(
                cnp("ingress: [{fromEndpoints: [\(app("db"))]}, {\(toPorts("80", rules: get))}]"),
                flows: [
                    "allow db > web 80 http: {method: POST}", "allow db > web 81",
                    "deny cache > web 80 http: {method: POST}",
                    "allow cache > web 80 http: {method: GET}", "deny cache > web 81",
                ])),
        EdgeCase(
            .edge(74), "the same http rule twice is one",
            Trial(
                cnp("ingress: [{\(toPorts("80", rules: get))}, {\(toPorts("80", rules: get))}]"),
                flows: ["allow db > web 80 http: {method: GET}", "deny db > web 80 http: {method: POST}"])),
        EdgeCase(
            .edge(75), "dns and http rules on one port: a request is asked by the rules of its own kind",
            Trial(
                cnp(
                    "egress: [{\(toPorts("80", rules: get))}, {\(toPorts("80", rules: "{dns: [{matchName: a.io}]}"))}]"),
                flows: [
                    "allow web > db 80 http: {method: GET}", "deny web > db 80 http: {method: POST}",
                    "allow web > db 80 dns: a.io", "deny web > db 80 dns: b.io",
                ]),
            differs: .init(
                input: "dns and http rules on one port for one peer",
                theirs: "an error while the policy is computed: the previous policy stays in force",
                ours: "each kind of request is decided by its own rules", why: "every policy is enforced")),
        EdgeCase(
            .edge(76), "TLS contexts are refused, beside http rules as alone",
            Trial(
                cnp(
                    "ingress: [{toPorts: [{ports: [{port: '443', protocol: TCP}], terminatingTLS: {secret: {name: s}}}]}, {\(toPorts("443", rules: get))}]"
                ),
                flows: ["deny db > web 443"], refused: ["unsupported-field spec.ingress[0].toPorts[0].terminatingTLS"])),
        EdgeCase(
            .edge(77), "server names are mandatory beside a plain allow of the same peer and port",
            Trial(
                cnp("egress: [{\(sni("a.io"))}, {\(toPorts("443"))}]"),
                flows: ["allow web > db 443 sni: a.io", "deny web > db 443 sni: b.io"]),
            Trial(
                cnp(
                    "egress: [{toEndpoints: [\(app("db"))], \(sni("a.io"))},"
                        + " {toEndpoints: [\(app("db")), \(app("cache"))], \(toPorts("443", "80"))}]"),
                flows: [
                    "allow web > db 443 sni: a.io", "deny web > db 443 sni: b.io", "allow web > db 80",
                    "allow web > cache 443 sni: b.io", "allow web > cache 80",
                ]),
            Trial(
                cnp("egress: [{toEndpoints: [\(app("db"))], \(sni("a.io"))}, {\(toPorts("443"))}]"),
                flows: ["allow web > db 443 sni: b.io", "allow web > cache 443 sni: b.io"]),
            Trial(
                cnp("egress: [{\(sni("a.io"))}, {toEndpoints: [\(app("db"))]}]"),
                flows: ["allow web > db 443 sni: b.io", "allow web > db 80", "deny web > cache 443 sni: b.io"]),
            Trial(
                cnp("egress: [{\(sni("a.io"))}, {\(sni("b.io"))}, {\(toPorts("443"))}]"),
                flows: ["allow web > db 443 sni: a.io", "allow web > db 443 sni: b.io", "deny web > db 443 sni: c.io"]),
            Trial(
                cnp("egress: [{\(sni("a.io"))}]"),
                flows: ["allow web > db 443 sni: a.io", "deny web > db 443 sni: b.io"])),
        EdgeCase(
            .edge(78), "listeners are refused, whatever their priority",
            Trial(
                cnp(
                    "egress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], listener: {envoyConfig: {name: e}, name: a, priority: 1}}]}]"
                ),
                flows: ["deny web > db 80"], refused: ["unsupported-field spec.egress[0].toPorts[0].listener"]),
            differs: .init(
                input: "`listener`", theirs: "redirects the flow to a listener of Envoy", ours: "refuses the policy",
                why: "there is no Envoy; a flow that requires inspection must not pass without")),
        EdgeCase(
            .edge(79), "listeners are refused in clusterwide policies too",
            Trial(
                ccnp(
                    "egress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], listener: {envoyConfig: {kind: CiliumEnvoyConfig, name: e}, name: a}}]}]"
                ),
                flows: ["deny web > db 80", "deny ops/web > db 80"],
                refused: ["unsupported-field spec.egress[0].toPorts[0].listener"])),
        EdgeCase(
            .edge(80), "authentication is refused: none of the policy's allows holds",
            Trial(
                cnp("ingress: [{fromEndpoints: [\(app("db"))], authentication: {mode: required}}, {\(toPorts("80"))}]"),
                flows: ["deny db > web 80", "deny cache > web 80"],
                refused: ["unsupported-field spec.ingress[0].authentication"]),
            differs: .init(
                input: "`authentication` other than `mode: disabled`",
                theirs: "requires a mutual TLS handshake in addition to the flow",
                ours: "refuses the policy", why: "a flow that requires authentication must not pass without")),
        EdgeCase(
            .edge(109), "a header with a value must have it exactly, one without must be there",
            Trial(
                cnp("ingress: [{\(toPorts("80", rules: "{http: [{headers: [header1, header2 value]}]}"))}]"),
                flows: [
                    "allow db > web 80 http: {headers: {header1: x, Header2: value}}",
                    "deny db > web 80 http: {headers: {header1: x, header2: Value}}",
                    "deny db > web 80 http: {headers: {header2: value}}", "deny db > web 80 http: {}",
                ])),
        EdgeCase(
            .edge(110), "a header match whose secret cannot be had, and that has no value, matches nothing",
            Trial(
                cnp(
                    "ingress: [{\(toPorts("80", rules: "{http: [{headerMatches: [{name: X-Key, secret: {name: s}}]}]}"))}]"
                ),
                flows: [
                    "deny db > web 80 http: {headers: {X-Key: s}}", "deny db > web 80 http: {headers: {X-Key: ''}}",
                ]),
            Trial(
                cnp(
                    "ingress: [{\(toPorts("80", rules: "{http: [{headerMatches: [{name: X-Key, secret: {name: s}, value: v}]}]}"))}]"
                ),
                flows: [
                    "allow db > web 80 http: {headers: {X-Key: v}}", "deny db > web 80 http: {headers: {X-Key: w}}",
                ])),
        EdgeCase(
            .edge(111), "a header match with LOG lets the request through; one whose secret cannot be had does not",
            Trial(
                cnp(
                    "ingress: [{\(toPorts("80", rules: "{http: [{headerMatches: [{name: X-Key, value: v, mismatch: LOG}]}]}"))}]"
                ),
                flows: ["allow db > web 80 http: {}", "allow db > web 80 http: {headers: {X-Key: w}}"]),
            Trial(
                cnp(
                    "ingress: [{\(toPorts("80", rules: "{http: [{headerMatches: [{name: X-Key, secret: {name: s}, mismatch: LOG}]}]}"))}]"
                ),
                flows: ["deny db > web 80 http: {headers: {X-Key: w}}"])),
        EdgeCase(
            .edge(112), "a run of stars in a server name is one: `***.` whole labels, elsewhere a part of one",
            Trial(
                cnp("egress: [{\(sni("***.a.io."))}]"),
                flows: [
                    "allow web > db 443 sni: x.a.io", "allow web > db 443 sni: x.y.a.io", "deny web > db 443 sni: a.io",
                ]),
            Trial(
                cnp("egress: [{\(sni("x**.a.io"))}]"),
                flows: [
                    "allow web > db 443 sni: xyz.a.io", "allow web > db 443 sni: x.a.io",
                    "deny web > db 443 sni: x.y.a.io",
                ])),
    ]
}
