import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@testable import PolicyAnalysis

@Suite("Flows between ends that stand for several get an answer for each part")
struct PartsExplanationTests {
    private static let cluster = """
        {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, status: {podIP: 10.0.0.1}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: db-0, namespace: shop, labels: {app: db, i: "0"}, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: db, uid: a}]}, spec: {containers: [{ports: [{containerPort: 5432}]}]}, status: {podIP: 10.0.0.77}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: db-1, namespace: shop, labels: {app: db, i: "1"}, ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: db, uid: a}]}, status: {podIP: 10.0.0.78}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: api, namespace: shop, labels: {app: api}, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: api-5d4f, uid: a}]}, status: {podIP: 10.0.0.9}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: db, namespace: shop}, spec: {clusterIP: 10.0.0.200, selector: {app: db}, ports: [{port: 80, targetPort: 5432}]}}
        ---

        """
    private static let policies =
        networkPolicy(
            """
            podSelector: {matchLabels: {app: web}}
            policyTypes: [Egress]
            egress:
            - to: [{ipBlock: {cidr: 10.0.0.0/25, except: [10.0.0.64/28, 10.0.0.3/32]}}]
            - to: [{ipBlock: {cidr: 10.0.0.160/27}}]
              ports: [{port: 443}]
            - to: [{ipBlock: {cidr: 2001:db8::/33}}]
            """)
        + "\n---\n"
        + networkPolicy(
            "podSelector: {matchLabels: {i: \"1\"}}\npolicyTypes: [Ingress]\ningress: [{from: [{podSelector: {matchLabels: {tier: a}}}]}]"
        )
        .replacing("name: ", with: "name: b")

    private var objects: ClusterObjects { decode(Self.cluster + Self.policies).objects }

    private func answer(_ from: String, _ to: String, _ traffic: String = "443/TCP") throws -> FlowExplanation {
        let objects = objects
        return try evaluator(objects).answer(
            FlowText(from: from, to: to, traffic: traffic), in: objects, request: nil)
    }

    private func parts(_ from: String, _ to: String, _ traffic: String = "443/TCP") throws -> PartsExplanation {
        let objects = objects
        let evaluator = evaluator(objects)
        let text = FlowText(from: from, to: to, traffic: traffic)
        return try PartsExplanation(
            text, text.parts(from, namespace: nil, objects, evaluator),
            text.parts(to, namespace: "shop", objects, evaluator), in: objects, evaluator, request: nil)
    }

    @Test(
        "the parts of a prefix hold each address once, and every address has its part's answer",
        arguments: ["443/TCP", "80/TCP"])
    func exact(_ traffic: String) throws {
        let parts = try parts("shop/web", "ip:10.0.0.0/24", traffic)
        let evaluator = evaluator(objects)
        let whole = try #require(IPAddress(parsing: "10.0.0.0")?.ipv4)
        for host in 0..<UInt32(256) {
            let address = IPAddress(ipv4: whole + host)
            let holding = parts.groups.filter { group in
                group.pairs.contains { pair in
                    pair.to.contains { parts.to.parts[$0].prefixes.contains { $0.contains(address) } }
                }
            }
            guard evaluator.view.owner(of: address) != .pod(try #require(evaluator.view.pod("shop", "web"))) else {
                continue
            }
            #expect(holding.count == 1, "\(address)")
            let alone = try answer("shop/web", "ip:\(address)", traffic)
            #expect(holding.first?.explanation.isAllowed == alone.isAllowed, "\(address)")
        }
        // And names them in the fewest words.
        for group in parts.groups {
            let prefixes = group.pairs.flatMap { $0.to.flatMap { parts.to.parts[$0].prefixes } }
            let merged = AddressParts.merged(prefixes)
            for (left, right) in zip(merged, merged.dropFirst()) { #expect(!left.contains(right)) }
        }
    }

    @Test("a prefix of one answer is one; the edges of what policies name are edges of answers")
    func edges() throws {
        let one = try answer("shop/web", "ip:192.0.2.0/24")
        #expect(one.lines.first?.text == "ONE ANSWER for all of shop/web -> ip:192.0.2.0/24 443/TCP")
        #expect(one.isAllowed == false && one.passes == false)
        let several = try answer("shop/web", "ip:10.0.0.128/25")
        #expect(several.isAllowed == nil)
        let text = several.lines.map(\.text)
        #expect(text.contains("for shop/web -> ip:10.0.0.160/27:"), "\(text)")
        let six = try answer("shop/web", "ip:2001:db8::/32", "1/TCP").lines.map(\.text)
        // web has no IPv6 address, which a policy does not ask for.
        #expect(six.contains { $0.contains("ip:2001:db8:8000::/33") }, "\(six)")
    }

    @Test(
        "a flow that no packet can be of is refused",
        arguments: [
            ("shop/six", "443/TCP"), ("shop/api", "ICMPv6/128"), ("remote-node", "ICMPv6/128"), ("world", "ICMPv6/128"),
        ])
    func impossible(to: String, traffic: String) throws {
        let six =
            "{apiVersion: v1, kind: Pod, metadata: {name: six, namespace: shop}, status: {podIP: 'fd00::6'}}\n---\n"
        let objects = decode(Self.cluster + six + Self.policies).objects
        let text = FlowText(from: "shop/web", to: to, traffic: traffic)
        #expect(throws: FlowError.mixedFamilies) { try evaluator(objects).answer(text, in: objects, request: nil) }
        #expect(throws: FlowText.Mistake.self) { try FlowText(from: "a/b", to: "c/d", traffic: "0/TCP").validate() }
    }

    private static func node(_ name: String, _ address: String, _ labels: String = "") -> String {
        "{apiVersion: v1, kind: Node, metadata: {name: \(name), labels: {\(labels)}}, status: {addresses: [{type: InternalIP, address: \(address)}]}}\n---\n"
    }

    @Test("remote-node is every known node but the local one: their labels and addresses count")
    func otherNodes() throws {
        func answer(_ nodes: String, _ policy: String) throws -> FlowExplanation {
            let objects = decode(Self.cluster + nodes + policy).objects
            return try evaluator(objects).answer(
                FlowText(from: "shop/web", to: "remote-node", traffic: "22/TCP"), in: objects, request: nil)
        }
        func deny(_ peer: String) -> String {
            """
            apiVersion: policy.networking.k8s.io/v1alpha2
            kind: ClusterNetworkPolicy
            metadata: {name: no-nodes}
            spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, egress: [{action: Deny, to: [{\(peer)}]}]}
            """
        }
        let (local, second) = (
            Self.node("node-1", "192.168.0.1", "pool: p2"), Self.node("node-2", "192.168.0.2", "pool: p2")
        )
        let third = Self.node("node-3", "192.168.0.3")
        for peer in ["nodes: {matchLabels: {pool: p2}}", "networks: [192.168.0.2/31]"] {
            #expect(try answer(local + second, deny(peer)).isAllowed == false, "\(peer)")
        }
        #expect(try answer(local + second + third, deny("nodes: {matchLabels: {pool: p2}}")).isAllowed == nil)
        #expect(try answer(local + third, deny("nodes: {matchLabels: {pool: p2}}")).isAllowed == true)
        // Without any it is some other node, of which nothing is known.
        #expect(try answer("", deny("nodes: {}")).isAllowed == false)
        #expect(try answer(local, deny("nodes: {matchLabels: {pool: p2}}")).isAllowed == true)
    }

    @Test("world is every address outside, and no pod's or Service's")
    func world() throws {
        let parts = try parts("shop/web", "world")
        let addresses = parts.to.parts.flatMap(\.prefixes)
        for inside in ["10.0.0.1", "10.0.0.77", "10.0.0.200"] {
            let address = try #require(IPAddress(parsing: inside))
            #expect(!addresses.contains { $0.contains(address) })
        }
        for outside in ["10.0.0.2", "10.0.0.76", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::"] {
            let address = try #require(IPAddress(parsing: outside))
            #expect(addresses.count { $0.contains(address) } == 1, "\(outside)")
        }
        #expect(try answer("shop/web", "world").isAllowed == nil)
        #expect(try answer("shop/api", "world").isAllowed == true)
    }

    @Test("a workload is its pods: one answer where all have it, else one for each group")
    func workloads() throws {
        #expect(
            try answer("shop/web", "sts/db", "5432/TCP").lines.first?.text
                == "2 ANSWERS for shop/web -> sts/db 5432/TCP")
        #expect(
            try answer("sts/shop/db", "shop/web").lines.first?.text
                == "ONE ANSWER for all of sts/shop/db -> shop/web 443/TCP")
        #expect(try answer("deploy/api", "shop/db-1").isAllowed == false)
        for (from, words) in [
            ("deploy/nope", "there is no pod of Deployment nope"), ("deployment/web", "did you mean"),
        ] {
            #expect(throws: (any Error).self, "\(words)") { try answer(from, "shop/web") }
        }
    }

    @Test("a pod that there is not is decided by its labels")
    func supposed() throws {
        for (labels, isAllowed) in [("shop/tier=a", true), ("shop/tier=b", false), ("shop/", false)] {
            var objects = objects
            let pod = try SupposedPod(parsing: labels)
            try pod.add(to: &objects)
            let answer = try evaluator(objects).answer(
                FlowText(from: pod.text, to: "shop/db-1", traffic: "5432/TCP"), in: objects, request: nil)
            #expect(answer.isAllowed == isAllowed, "\(labels)")
        }
        var objects = objects
        let path = try SupposedPod(parsing: "shop/app.kubernetes.io/name=x,app=web")
        try path.add(to: &objects)
        let answer = try evaluator(objects).answer(
            FlowText(from: path.text, to: "shop/db-0", traffic: "5432/TCP"), in: objects, request: nil)
        #expect(answer.isAllowed == false)
        for wrong in ["shop", "app=web", "shop/app", "shop/a=1,a=2"] {
            #expect(throws: FlowText.Mistake.self) { try SupposedPod(parsing: wrong) }
        }
        let nowhere = try SupposedPod(parsing: "shpo/app=web")
        #expect(throws: FlowText.Mistake.self) { try nowhere.add(to: &objects) }
    }

    @Test("the port of a Service that is not the pod's is said")
    func servicePort() throws {
        let service = try answer("shop/api", "svc/db", "80/TCP").lines.map(\.text)
        #expect(
            service.contains { $0.hasSuffix("its port 80 is port 5432 of its pods, which policies are asked about") },
            "\(service)")
        let pod = try answer("shop/api", "shop/db-0", "80/TCP").lines.map(\.text)
        #expect(pod.last?.hasPrefix("80 is the port of Service shop/db, and 5432 that of the pod") == true, "\(pod)")
        #expect(try answer("shop/api", "shop/db-0", "5432/TCP").lines.last?.text.contains("Service") == false)
        do {
            _ = try answer("shop/api", "svc/db", "5432/TCP")
            Issue.record("it has no such port")
        } catch {
            #expect("\(error)" == "Service shop/db has no port 5432/TCP; it has 80/TCP, port 5432 of its pods")
        }
    }

    @Test(
        "a name of DNS is no end of a flow, and what to write is said",
        arguments: [
            ("www.example.com", "write ip:ADDRESS"), ("www.example.com", "--name www.example.com=ADDRESS"),
            ("db.shop.svc.cluster.local", "did you mean svc/shop/db?"), ("web.shop", "did you mean shop/web?"),
        ])
    func dnsName(to: String, hint: String) {
        do {
            _ = try answer("shop/web", to)
            Issue.record("it is none")
        } catch {
            #expect("\(error)".contains("\(to) is not an end of a flow; ") && "\(error)".contains(hint), "\(error)")
        }
    }

    @Test("a namespace is for ends that name none")
    func namespaces() {
        func ends(_ from: String, _ to: String) -> [String] {
            let flow = FlowText(from: from, to: to, traffic: "1/TCP").inNamespace("shop")
            return [flow.from, flow.to]
        }
        #expect(ends("web", "deploy/db") == ["shop/web", "deploy/shop/db"])
        #expect(ends("host", "svc/db") == ["host", "svc/shop/db"])
        #expect(ends("other/web", "ip:10.0.0.0/8") == ["other/web", "ip:10.0.0.0/8"])
        #expect(ends("world", "sts/other/db") == ["world", "sts/other/db"])
    }
}
