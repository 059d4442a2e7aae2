import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@testable import PolicyAnalysis

@Suite("Dual-stack ends get an answer over each address family")
struct FlowFamilyTests {
    private static let cluster = """
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: node-1}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}, {type: InternalIP, address: "fd01::1"}]}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: node-2}, status: {addresses: [{type: InternalIP, address: 192.168.0.2}, {type: InternalIP, address: "fd01::2"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {nodeName: node-1}, status: {podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}, spec: {nodeName: node-1}, status: {podIPs: [{ip: 10.0.0.2}, {ip: "fd00::2"}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: old, namespace: shop, labels: {app: old}}, spec: {nodeName: node-1}, status: {podIPs: [{ip: 10.0.0.3}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: db, namespace: shop}, spec: {clusterIPs: [10.96.0.1, "fd96::1"], selector: {app: db}, ports: [{port: 80}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: old, namespace: shop}, spec: {clusterIPs: [10.96.0.2, "fd96::2"], selector: {app: old}, ports: [{port: 80}]}}
        ---

        """
    /// Into db nobody of the pods is meant to get, into which the IPv6 prefix lets them all.
    private static let policies =
        networkPolicy(
            """
            podSelector: {matchLabels: {app: db}}
            ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/16]}}, {ipBlock: {cidr: "::/0"}}]}]
            """)
        + "\n---\n"
        + networkPolicy(
            "podSelector: {matchLabels: {app: old}}\npolicyTypes: [Egress]\negress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]"
        )
        .replacing("name: ", with: "name: b")

    private var objects: ClusterObjects { decode(Self.cluster + Self.policies).objects }

    private func answer(_ from: String, _ to: String, _ traffic: String = "80/TCP") throws -> FlowExplanation {
        let objects = objects
        return try evaluator(objects).answer(
            FlowText(from: from, to: to, traffic: traffic), in: objects, request: nil)
    }

    private func failures(_ spec: String) throws -> [String] {
        let text = "apiVersion: netpold.dev/v1alpha1\nkind: PolicyTest\nspec: {\(spec)}\n"
        let test = try #require(
            PolicyTestDecoder.decode(DocumentReader.read(Array(text.utf8), file: "t").documents).tests.first)
        let objects = objects
        let evaluator = evaluator(objects)
        return PolicyTestRunner(test, evaluator: evaluator).run(with: evaluator, objects: objects).failures
            .map { "\($0.flow.from) -> \($0.flow.to): \($0.expected): \($0.actual)" }
    }

    private func failures(case fields: String) throws -> [String] {
        try failures("cases: [{protocol: TCP, port: 80, \(fields)}]")
    }

    @Test("families that get different answers are explained each", arguments: ["shop/db", "svc/db"])
    func explained(to: String) throws {
        let both = try answer("shop/web", to)
        let lines = both.lines.map(\.text)
        #expect(lines.first == "2 ANSWERS for shop/web -> \(to) 80/TCP")
        for family in ["IPv4", "IPv6"] { #expect(lines.contains("for shop/web -> \(to) over \(family):"), "\(lines)") }
        #expect(both.isAllowed == nil && both.passes == nil)
        guard case .parts(let report) = both.report else {
            Issue.record("\(both.report)")
            return
        }
        #expect(report.verdict == "mixed" && report.parts.map { $0.flows.map(\.family) } == [["IPv4"], ["IPv6"]])
    }

    @Test(
        "a flow of one family has one answer, and so have families that get the same",
        arguments: [
            ("shop/old", "shop/db", "80/TCP", false), ("shop/web", "ip:10.0.0.2", "80/TCP", false),
            ("shop/web", "ip:fd00::2", "80/TCP", true), ("shop/web", "shop/db", "ICMP/8", false),
            ("shop/web", "shop/db", "ICMPv6/128", true), ("shop/db", "shop/web", "80/TCP", true),
            ("host", "shop/db", "80/TCP", true), ("shop/web", "svc/old", "80/TCP", true),
            ("host", "host", "80/TCP", true),
        ])
    func one(from: String, to: String, traffic: String, isAllowed: Bool) throws {
        let answer = try answer(from, to, traffic)
        #expect(answer.isAllowed == isAllowed)
        if case .parts = answer.report { Issue.record("\(answer.lines.map(\.text))") }
    }

    @Test("what a test expects must hold over both families, in cases and in matrices")
    func expected() throws {
        let flow = "shop/web -> shop/db"
        #expect(try failures(case: "from: shop/web, to: shop/db, expect: deny") == ["\(flow): deny: allow over IPv6"])
        #expect(try failures(case: "from: shop/web, to: shop/db, expect: allow") == ["\(flow): allow: deny over IPv4"])
        #expect(
            try failures(case: "from: shop/web, to: shop/db, egress: allow, ingress: deny")
                == ["\(flow): ingress deny: ingress allow over IPv6"])
        #expect(
            try failures(case: "from: shop/web, to: svc/db, expect: deny")
                == ["shop/web -> svc/db: deny: allow over IPv6"])
        #expect(try failures(case: "from: shop/old, to: shop/db, expect: deny") == [])
        #expect(
            try failures(case: "from: shop/old, to: shop/db, expect: allow") == ["shop/old -> shop/db: allow: deny"])
        #expect(
            try failures("matrix: [{traffic: 'TCP:80', denied: ['shop/web>shop/db', 'shop/old>shop/db']}]")
                == ["\(flow): deny: allow over IPv6"])
    }

    @Test(
        "generated addresses are of both families, and asked about over IPv6 where a policy names IPv6",
        arguments: [false, true])
    func generated(namesIPv6: Bool) throws {
        var decoded = decode(
            "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop, labels: {app: a}}}\n---\n"
                + "{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: shop, labels: {app: b}}}\n---\n"
                + networkPolicy(
                    "podSelector: {matchLabels: {app: b}}\ningress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}"
                        + (namesIPv6 ? ", {ipBlock: {cidr: 2001:db8::/32}}" : "") + "]}]"))
        decoded.addSyntheticPods()
        let objects = decoded.objects
        let answer = try evaluator(objects).answer(
            FlowText(from: "shop/a", to: "shop/b", traffic: "80/TCP"), in: objects, request: nil)
        #expect(answer.isAllowed == (namesIPv6 ? nil : true))
    }

    @Test("parts of a family that a pod does not have are left out, unless they are all that is asked about")
    func missingFamily() throws {
        #expect(try answer("shop/old", "remote-node").isAllowed == true)
        #expect(try failures(case: "from: shop/old, to: remote-node, expect: allow") == [])
        let world = try answer("shop/old", "world").lines.map(\.text)
        #expect(!world.contains { $0.contains("::") }, "\(world)")
        #expect(try answer("shop/web", "remote-node").isAllowed == true)
        #expect(try answer("shop/old", "ip:2001:db8::/32").isAllowed == false)
        #expect(try answer("shop/old", "ip:2001:db8::1").isAllowed == false)
    }
}
