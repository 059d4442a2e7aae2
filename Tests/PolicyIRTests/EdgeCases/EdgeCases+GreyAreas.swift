import PolicyAPI

extension EdgeCases {
    /// docs/spec/network-policy.md 1.1: the decision function.
    static let decisions: [EdgeCase] = [
        EdgeCase(
            .decision("both ends decide independently"),
            "the sender's egress and the receiver's ingress must both permit",
            Trial(
                np("ingress: [{from: [{podSelector: \(app("db"))}]}]"),
                np("policyTypes: [Egress], egress: []", selects: app("db"), name: "q"),
                flows: [
                    "deny db > web 80 egress: deny, ingress: allow", "deny cache > web 80 egress: allow, ingress: deny",
                ])),
        EdgeCase(
            .decision("subject is not a pod-network pod"),
            "nothing is enforced at nodes, hostNetwork pods and the outside",
            Trial(
                np("policyTypes: [Ingress, Egress]", selects: "{}"),
                flows: ["allow 203.0.113.1 > host 80", "allow 203.0.113.1 > agent 80", "allow agent > 203.0.113.1 80"])),
        EdgeCase(
            .decision("no policy selects it"), "a pod that no policy selects in a direction passes everything there",
            Trial(
                np("policyTypes: [Egress]"),
                flows: [
                    "allow db > web 80", "deny web > db 80", "allow db > cache 80", "allow 203.0.113.1 > db icmp/8",
                ])),
        EdgeCase(
            .decision("union over policies, OR over rules, AND of ports and peers"),
            "what one rule of one policy allows",
            Trial(
                np(
                    "ingress: [{from: [{podSelector: \(app("db"))}], ports: [{port: 80}]}, {from: [{podSelector: \(app("cache"))}], ports: [{port: 81}]}]"
                ),
                np("ingress: [{from: [{podSelector: \(app("db"))}], ports: [{port: 82}]}]", name: "q"),
                flows: [
                    "allow db > web 80", "deny db > web 81", "allow db > web 82", "deny cache > web 80",
                    "allow cache > web 81", "deny cache > web 82",
                ])),
        EdgeCase(
            .decision("exceptions that always win"), "a pod reaches itself, and its own node reaches it",
            Trial(
                np("policyTypes: [Ingress, Egress]"),
                flows: [
                    "allow web > web 80", "allow web > 10.0.0.1 80", "allow host > web 80", "allow agent > web 80",
                    "deny web > host 80", "deny web > agent 80",
                ]),
            differs: .init(
                input: "an isolated pod that opens a connection to its own node",
                theirs: "is always allowed (text of the API); Cilium denies it",
                ours: "is denied unless an egress rule allows it",
                why: "the conformance tests deny it; a pod must not use its node's services to leave")),
        EdgeCase(
            .decision("no deny, no order, no priority"), "a policy more only adds, once the pod is isolated",
            Trial(
                np("ingress: [{from: [{podSelector: \(app("db"))}]}]"), np("ingress: []", name: "a"), np("", name: "z"),
                flows: ["allow db > web 80", "deny cache > web 80"])),
    ]

    /// docs/spec/network-policy.md 1.4: what a simulation can show. Packets are in `ElsewhereRows`.
    static let greyAreas: [EdgeCase] = [
        EdgeCase(
            .grey("ICMP echo"), "denied for an isolated pod unless a rule without ports matches",
            Trial(
                np("ingress: [{from: [{podSelector: \(app("db"))}]}, {ports: [{port: 80}]}]"),
                flows: ["allow db > web icmp/8", "deny cache > web icmp/8", "deny fd00::3 > web icmpv6/128"])),
        EdgeCase(
            .grey("Pod to itself by pod IP"), "always passes, of either family",
            Trial(
                np("policyTypes: [Ingress, Egress]"), cnp("ingressDeny: [{fromEntities: [all]}]"),
                flows: ["allow web > 10.0.0.1 80", "allow web > fd00::1 80"])),
        EdgeCase(
            .grey("Node to local pod, pod to own node"),
            "the own node passes by any of its addresses; back it needs a rule",
            Trial(
                np("policyTypes: [Ingress, Egress]"),
                EdgeCluster.pod("shop", "second", "app: s", ["10.9.0.77", "fd00:9::77"], spec: "hostNetwork: true")
                    + "\n",
                flows: [
                    "allow host > web 80", "allow 10.9.0.1 > web 80", "allow 10.9.0.77 > web 80",
                    "allow fd00:9::77 > web 80",
                    "deny web > 10.9.0.77 80",
                ])),
        EdgeCase(
            .grey("Remote node to pod"), "only ipBlock matches another node",
            Trial(
                np("ingress: [{from: [{namespaceSelector: {}}]}]"),
                flows: ["deny 10.9.0.2 > web 80", "deny remote-node > web 80"]),
            Trial(np("ingress: [{from: [{ipBlock: {cidr: 10.9.0.2/32}}]}]"), flows: ["allow 10.9.0.2 > web 80"])),
        EdgeCase(
            .grey("hostNetwork pods"), "are their node: no selector finds them, no policy is about them",
            Trial(
                np("policyTypes: [Ingress, Egress]", selects: app("agent")),
                flows: ["allow 203.0.113.1 > agent 80", "allow agent > 203.0.113.1 80"]),
            Trial(
                np("policyTypes: [Egress], egress: [{to: [{podSelector: \(app("agent"))}]}]"),
                flows: ["deny web > agent 80", "deny web > host 80"])),
        EdgeCase(
            .grey("ipBlock and pod IPs"), "ipBlock matches by address, whoever has it",
            Trial(
                np("ingress: [{from: [{ipBlock: {cidr: 10.0.0.2/32}}]}]"),
                flows: ["allow 10.0.0.2 > web 80", "deny cache > web 80"])),
        EdgeCase(
            .grey("Terminating pod"), "is still a pod, subject and peer",
            Trial(
                np("ingress: [{from: [{podSelector: \(app("old"))}]}]", selects: "{}"),
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: old, namespace: shop, labels: {app: old}, deletionTimestamp: '2026-01-01T00:00:00Z'}
                status: {phase: Running, podIPs: [{ip: 10.0.0.9}]}

                """, flows: ["allow old > web 80", "deny db > old 80"])),
        EdgeCase(
            .grey("Succeeded, Failed pods"), "own no address: it is whose it is now",
            Trial(
                np("ingress: [{from: [{podSelector: \(app("db"))}]}]"),
                EdgeCluster.pod("shop", "next", "app: next", ["10.0.0.66"]) + "\n",
                flows: ["deny 10.0.0.66 > web 80", "deny next > web 80", "allow db > web 80"]),
            Trial(np("ingress: [{from: [{podSelector: \(app("db"))}]}]"), flows: ["deny 10.0.0.66 > web 80"])),
        EdgeCase(
            .grey("Native sidecars"), "an init container that is restarted always lends its port names",
            Trial(
                np("ingress: [{ports: [{port: side}]}, {ports: [{port: setup}]}]", selects: app("car")),
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: car, namespace: shop, labels: {app: car}}
                spec:
                  initContainers:
                  - {name: s, restartPolicy: Always, ports: [{name: side, containerPort: 1000}]}
                  - {name: i, ports: [{name: setup, containerPort: 1001}]}
                  containers: [{name: main}]
                status: {phase: Running, podIPs: [{ip: 10.0.0.9}]}

                """, flows: ["allow db > car 1000", "deny db > car 1001"])),
        EdgeCase(
            .grey("Dual stack"), "selectors hold for all addresses of a pod, ipBlock for its own family",
            Trial(
                np("ingress: [{from: [{podSelector: \(app("db"))}]}]"),
                flows: ["allow 10.0.0.2 > 10.0.0.1 80", "allow fd00::2 > fd00::1 80", "deny fd00::3 > fd00::1 80"]),
            Trial(
                np("ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]"),
                flows: [
                    "allow 203.0.113.1 > web 80", "allow 10.0.0.2 > web 80", "deny fd00::2 > web 80",
                    "deny 2001:db8::1 > web 80",
                ]
            )),
        EdgeCase(
            .grey("SCTP"), "is never taken for TCP",
            Trial(
                np("ingress: [{ports: [{port: 80}]}]"), flows: ["allow db > web 80", "deny db > web 80/SCTP"]),
            Trial(
                np("ingress: [{ports: [{port: 80, protocol: SCTP}]}]"),
                flows: ["deny db > web 80", "allow db > web 80/SCTP"])),
        EdgeCase(
            .grey("Several container ports of one number, two protocols"), "names are told apart by protocol",
            Trial(
                np("ingress: [{ports: [{port: dns-udp, protocol: UDP}]}]", selects: app("two")),
                EdgeCluster.pod("shop", "two", "app: two", ["10.0.0.9"], ["dns-udp 53 UDP", "dns-tcp 53"]) + "\n",
                flows: ["allow db > two 53/UDP", "deny db > two 53"])),
        EdgeCase(
            .grey("Egress to DNS"), "isolating egress denies DNS: nothing is implicit",
            Trial(
                np("policyTypes: [Egress], egress: [{ports: [{port: 443}]}]"),
                flows: ["deny web > ops/dns 53/UDP", "deny web > ops/dns 53", "allow web > ops/dns 443"])),
    ]
}
