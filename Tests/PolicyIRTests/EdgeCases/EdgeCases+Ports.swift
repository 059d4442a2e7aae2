extension EdgeCases {
    /// Rows 81-86, 129, 132 and 135: names and numbers of ports, ICMP type 0, log texts.
    static let ports: [EdgeCase] = [
        EdgeCase(
            .edge(81), "a named port in ingress is the subject's own; one that it has not contributes nothing",
            Trial(
                cnp("ingress: [{\(toPorts("http"))}]"),
                flows: ["allow db > web 8080", "deny db > web 80", "deny db > web 8080/UDP"]),
            Trial(cnp("ingress: [{\(toPorts("grpc"))}]"), flows: ["deny db > web 8080", "deny db > web 80"]),
            Trial(cnp("ingress: [{\(toPorts("dns"))}]"), flows: ["deny db > web 53", "deny db > web 53/UDP"])),
        EdgeCase(
            .edge(82), "a named port in egress is each destination's own",
            Trial(
                ccnp("egress: [{toEndpoints: [{}], \(toPorts("http"))}]"),
                flows: [
                    "allow web > db 80", "allow web > ops/probe 9000", "deny web > db 9000", "deny web > ops/probe 80",
                    "deny web > cache 80", "deny web > db 8080",
                ])),
        EdgeCase(
            .edge(83), "pods alike that have different numbers for a name are each reached at their own",
            Trial(
                cnp("egress: [{toEndpoints: [\(app("twin"))], \(toPorts("http"))}]"),
                EdgeCluster.pod("shop", "twin-1", "app: twin", ["10.0.0.11"], ["http 81"]) + "\n",
                EdgeCluster.pod("shop", "twin-2", "app: twin", ["10.0.0.12"], ["http 82"]) + "\n",
                flows: [
                    "allow web > twin-1 81", "allow web > twin-2 82", "deny web > twin-1 82", "deny web > twin-2 81",
                ]),
            differs: .init(
                input: "named port in egress to pods with equal labels and different numbers",
                theirs: "skips all of them", ours: "each pod at its own number",
                why: "a name is resolved on the destination pod, as upstream says; nothing else is allowed")),
        EdgeCase(
            .edge(84), "the case of a port's name does not count",
            Trial(cnp("ingress: [{\(toPorts("HTTP"))}]"), flows: ["allow db > web 8080", "deny db > web 80"])),
        EdgeCase(
            .edge(85), "`0x50` is a name, `010` is octal for 8 and warned of, `080` is refused",
            Trial(cnp("ingress: [{\(toPorts("0x50"))}]"), flows: ["deny db > web 80", "deny db > web 50"]),
            Trial(
                cnp("ingress: [{\(toPorts("010"))}]"), flows: ["allow db > web 8", "deny db > web 10"],
                warned: ["invalid-value spec.ingress[0].toPorts[0].ports[0].port"]),
            Trial(
                cnp("ingress: [{\(toPorts("080"))}]"), flows: ["deny db > web 80"],
                refused: ["invalid-value spec.ingress[0].toPorts[0].ports[0].port"])),
        EdgeCase(
            .edge(86), "ICMP type 0 is EchoReply and no other type",
            Trial(
                cnp("ingress: [{icmps: [{fields: [{type: EchoReply}]}]}]"),
                flows: ["allow db > web icmp/0", "deny db > web icmp/8", "deny db > web icmp/3"]),
            Trial(
                cnp("ingressDeny: [{icmps: [{fields: [{type: 0}]}]}], enableDefaultDeny: {ingress: false}"),
                flows: ["deny db > web icmp/0", "allow db > web icmp/8"]),
            differs: .init(
                input: "`icmps` of IPv4 type 0 (EchoReply)", theirs: "every ICMPv4 type", ours: "type 0",
                why: "an allow must not allow what it does not list")),
        EdgeCase(
            .edge(129), "log texts of rules that admit one flow are read and decide nothing",
            Trial(
                cnp(
                    "ingress: [{\(toPorts("80"))}], log: {value: one}",
                    "ingress: [{\(toPorts("80"))}], log: {value: two}"),
                flows: ["allow db > web 80", "deny db > web 81"]),
            differs: .init(
                input: "`log.value` of two rules that admit one flow", theirs: "the flow's log has both texts",
                ours: "a verdict has the deciding rule, its file and line",
                why: "one rule decides; the text is in its file")),
        EdgeCase(
            .edge(132), "`ports: []` contributes nothing, beside peers too, and says so",
            Trial(
                cnp("ingress: [{fromEndpoints: [{}], toPorts: [{ports: []}]}]"), flows: ["deny db > web 80"],
                warned: ["no-effect spec.ingress[0].toPorts[0].ports"]),
            Trial(cnp("ingress: [{fromEndpoints: [{}], toPorts: [{}]}]"), flows: ["deny db > web 80"]),
            Trial(cnp("ingress: [{fromEndpoints: [{}], icmps: [{fields: []}]}]"), flows: ["deny db > web icmp/8"]),
            Trial(
                cnp("ingress: [{fromEntities: [all]}], ingressDeny: [{fromEntities: [all], toPorts: [{ports: []}]}]"),
                flows: ["allow db > web 80", "allow 203.0.113.1 > web icmp/8"],
                warned: ["no-effect spec.ingressDeny[0].toPorts[0].ports"]),
            Trial(
                cnp("ingress: [{fromEntities: [all]}], ingressDeny: [{toPorts: [{}]}, {icmps: [{fields: []}]}]"),
                flows: ["allow db > web 80", "allow db > web icmp/8"],
                warned: ["no-effect spec.ingressDeny[0].toPorts[0]", "no-effect spec.ingressDeny[1].icmps[0].fields"]),
            Trial(
                cnp("ingressDeny: [{fromEntities: [world], toPorts: [{ports: []}]}]"),
                flows: ["deny db > web 80", "allow host > web 80", "allow web > db 80"])),
        EdgeCase(
            .edge(135), "endPort below port is as if it were not there, and says so",
            Trial(
                cnp("ingress: [{toPorts: [{ports: [{port: '80', endPort: 70, protocol: TCP}]}]}]"),
                flows: ["allow db > web 80", "deny db > web 75", "deny db > web 70", "deny db > web 81"],
                warned: ["end-port-below-port spec.ingress[0].toPorts[0].ports[0].endPort"])),
    ]
}
