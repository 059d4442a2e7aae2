import NetpoldTestSupport
import Testing

@testable import NetTypes
@testable import PolicyAPI
@testable import PolicyAnalysis
@testable import PolicyIR

struct ExplanationTests {
    private func cluster() throws -> ReferenceEvaluator {
        let file = { (line: Int) in SourceLocation(file: "policies.yaml", line: line, column: 5) }
        var objects = ClusterObjects()
        objects.namespaces = [namespace("shop"), namespace("monitoring", "team=ops")]
        objects.pods = [
            pod("shop/web", "app=web", ["10.0.0.1"]),
            pod(
                "shop/db", "app=db", ["10.0.0.2"],
                ports: [ContainerPort(name: "postgres", protocol: .tcp, port: 5432)]),
            pod("shop/job", "app=job", ["10.0.0.4"]),
            pod("monitoring/probe", "app=probe", ["10.0.0.3"]),
        ]
        objects.networkPolicies = [
            NetworkPolicy(
                metadata: ObjectMeta(name: "db", namespace: "shop", location: file(1)), podSelector: selector("app=db"),
                policyTypes: [.ingress],
                ingress: [
                    NetworkPolicyRule(
                        peers: [.pods(namespaces: nil, pods: selector("app=web"))],
                        ports: [
                            NetworkPolicyPort(protocol: .tcp, port: .named("postgres")),
                            NetworkPolicyPort(protocol: .tcp, port: .range(PortRange(9000, 9010))),
                        ], path: "spec.ingress[0]", location: file(9)),
                    NetworkPolicyRule(
                        peers: [.pods(namespaces: selector("purpose=monitoring"), pods: nil)],
                        ports: [NetworkPolicyPort(protocol: .tcp, port: .range(PortRange(5432)))],
                        path: "spec.ingress[1]", location: file(20)),
                ], egress: [])
        ]
        objects.ciliumPolicies = [
            cilium(
                "shop", "web",
                CiliumRule(
                    subject: .endpoints(selector("app=web")),
                    egress: [
                        element("spec.egress[0]") { $0.endpoints = .some([selector("app=db")]) },
                        element("spec.egress[1]") {
                            $0.cidrs = .some([IPPrefix(parsing: "192.0.2.0/24")].compactMap(\.self))
                            $0.toPorts = .some([tcp(443)])
                        },
                    ], egressDeny: [element("spec.egressDeny[0]") { $0.fqdns = .some([.name("evil.example")]) }]))
        ]
        objects.names = ["evil.example": [try #require(IPAddress(parsing: "192.0.2.66"))]]
        return evaluator(objects)
    }

    private func explain(_ from: String, _ to: String, _ traffic: String) throws -> String {
        let name = try #require(TrafficName(parsing: traffic))
        let explanation = try cluster().explain(
            Flow(
                from: try #require(FlowEnd(parsing: from)), to: try #require(FlowEnd(parsing: to)),
                protocol: name.protocol, port: name.port))
        return (explanation.egress.lines + explanation.ingress.lines).joined(separator: "\n")
    }

    @Test("an allowed flow names the rule of each side")
    func allowed() throws {
        #expect(
            try explain("shop/web", "shop/db", "5432/TCP") == """
                egress of shop/web: allow
                  by rule 1: CiliumNetworkPolicy shop/web spec.egress[0]
                  no deny rule matches it
                ingress of shop/db: allow
                  by rule 0: NetworkPolicy shop/db spec.ingress[0] (policies.yaml:9:5)
                  no deny rule matches it
                """)
    }

    @Test("a default deny names the isolating policy and the port that no near rule has")
    func port() throws {
        #expect(
            try explain("shop/web", "shop/db", "8080/TCP") == """
                egress of shop/web: allow
                  by rule 1: CiliumNetworkPolicy shop/web spec.egress[0]
                  no deny rule matches it
                ingress of shop/db: deny
                  no rule allows it, and it is isolated by
                    NetworkPolicy shop/db (policies.yaml:1:5)
                  nearest rules
                    rule 0: NetworkPolicy shop/db spec.ingress[0] (policies.yaml:9:5)
                      but port 8080 is not in postgres (5432 on pod shop/db), 9000-9010
                    rule 1: NetworkPolicy shop/db spec.ingress[1] (policies.yaml:20:5)
                      but namespace shop lacks purpose=monitoring
                      and port 8080 is not 5432
                """)
    }

    @Test("a default deny names the label that the namespace lacks, and the one that the pod has")
    func labels() throws {
        #expect(
            try explain("monitoring/probe", "shop/db", "5432/TCP").contains(
                """
                  nearest rules
                    rule 1: NetworkPolicy shop/db spec.ingress[1] (policies.yaml:20:5)
                      but namespace monitoring lacks purpose=monitoring
                    rule 0:
                """))
        #expect(
            try explain("shop/job", "shop/db", "9001/TCP").contains(
                "      but pod shop/job lacks label app=web (has app=job)\n    rule 1:"))
    }

    @Test("what manifests say reaches no terminal as control characters")
    func printable() {
        #expect(ExplanationLine(.rule, 2, "a\u{1b}[2Jb").text == "  a\\u{1b}[2Jb")
    }

    @Test("where two conditions fail, both are listed")
    func two() throws {
        #expect(
            try explain("shop/web", "ip:198.51.100.1", "53/UDP").contains(
                """
                    rule 1: CiliumNetworkPolicy shop/web spec.egress[0]
                      but the rule selects pods, and 198.51.100.1 is not a pod
                    rule 2:
                """))
        #expect(
            try explain("shop/web", "ip:198.51.100.1", "53/UDP").hasSuffix(
                """
                      but 198.51.100.1 is outside 192.0.2.0/24
                      and protocol UDP is not TCP
                      and port 53 is not 443
                ingress of ip:198.51.100.1: allow
                  it is not a pod, so no policy applies to it
                """))
        #expect(
            try explain("shop/job", "shop/db", "53/UDP").contains(
                """
                      but pod shop/job lacks label app=web (has app=job)
                      and protocol UDP is not TCP
                      and port 53 is not in postgres (5432 on pod shop/db), 9000-9010
                """))
    }

    @Test("a deny names its rule")
    func deny() throws {
        #expect(
            try explain("shop/web", "ip:192.0.2.66", "443/TCP").hasPrefix(
                """
                egress of shop/web: deny
                  by rule 0: CiliumNetworkPolicy shop/web spec.egressDeny[0]
                """))
    }

    @Test("the reasons of the own node, of the pod itself and of a pod that nothing isolates")
    func exceptions() throws {
        #expect(
            try explain("host", "shop/db", "1/TCP").hasSuffix(
                "the pod's own node is always allowed, unless a rule denies it"))
        #expect(try explain("shop/db", "shop/db", "1/TCP").hasSuffix("traffic of a pod to itself is always allowed"))
        #expect(
            try explain("shop/db", "shop/job", "1/TCP").hasSuffix(
                "no policy selects it for ingress, so everything is allowed"))
    }

    @Test(
        "a failed packet has its failed conditions, ports only where its protocol has them",
        arguments: [
            (
                L4Protocol.tcp, UInt16(80),
                [TrafficClause.ports(.tcp, PortRange(81)), .ports(.tcp, PortRange(90, 99))],
                ["port 80 is not in 81, 90-99"]
            ),
            (.udp, 81, [.ports(.tcp, PortRange(81))], ["protocol UDP is not TCP"]),
            (
                .udp, 80, [.ports(.tcp, PortRange(81)), .ports(.sctp, PortRange(82))],
                ["protocol UDP is not TCP or SCTP", "port 80 is not in 81, 82"]
            ),
            (.icmp, 8, [.ports(.tcp, PortRange(81))], ["protocol ICMP is not TCP"]),
            (.icmp, 8, [.ports(.icmp, PortRange(0)), .ports(.icmp, PortRange(3))], ["ICMP type 8 is not in 0, 3"]),
            (
                .tcp, 80, [.named(.tcp, "http")],
                ["port name http can only be resolved on a pod, and the destination is not a pod"]
            ),
            (.tcp, 80, [], ["the rule has no port, so nothing matches it"]),
            (.tcp, 80, [.ports(.tcp, .all)], []),
        ] as [(L4Protocol, UInt16, [TrafficClause], [String])])
    func traffic(wanted: L4Protocol, port: UInt16, clauses: [TrafficClause], failed: [String]) {
        #expect(
            TrafficMatch.anyOf(clauses).failedConditions(protocol: wanted, port: port, destination: nil).map(\.text)
                == failed)
    }
}
