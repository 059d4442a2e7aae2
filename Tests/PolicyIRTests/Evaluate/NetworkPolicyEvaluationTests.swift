import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

/// NetworkPolicy as docs/spec/network-policy.md 1 has it, rule by rule.
struct NetworkPolicyEvaluationTests {
    /// Two namespaces, a hostNetwork pod, a finished pod that still lists another's address, and one policy on shop/web.
    private func cluster(
        _ rules: [NetworkPolicyRule], types: Set<Direction> = [.ingress], egress: [NetworkPolicyRule] = []
    ) -> ReferenceEvaluator {
        var objects = ClusterObjects()
        objects.namespaces = [namespace("shop", "team=red"), namespace("ops", "team=blue")]
        objects.pods = [
            pod(
                "shop/web", "app=web", ["10.0.0.1", "fd00::1"],
                ports: [ContainerPort(name: "http", protocol: .tcp, port: 8080)]),
            pod("shop/db", "app=db, tier=back", ["10.0.0.2"]),
            pod("ops/probe", "app=probe, tier=back", ["10.0.1.1"]),
            pod("ops/agent", "app=agent", ["172.16.0.1"], hostNetwork: true),
            pod("ops/far-agent", "app=agent", ["172.16.0.2"], node: "node-2", hostNetwork: true),
            pod("ops/job", "app=job", ["10.0.0.2"], phase: "Succeeded"),
        ]
        objects.networkPolicies = [
            NetworkPolicy(
                metadata: ObjectMeta(name: "web", namespace: "shop"), podSelector: selector("app=web"),
                policyTypes: types,
                ingress: rules, egress: egress)
        ]
        return evaluator(objects)
    }

    private func rule(_ peers: [NetworkPolicyPeer] = [], _ ports: [NetworkPolicyPort] = []) -> NetworkPolicyRule {
        NetworkPolicyRule(peers: peers, ports: ports, path: "spec.ingress[0]")
    }

    @Test("no rules in a listed direction deny it for pods the policy selects, and leave the other direction open")
    func defaultDeny() throws {
        let evaluator = cluster([])
        #expect(try evaluator.answer("shop/db", "shop/web") == "allow/deny=deny")
        #expect(try evaluator.answer("shop/web", "shop/db") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/web", "ip:192.0.2.1", "53/UDP") == "allow/allow=allow")
    }

    @Test("an empty rule allows every peer and every protocol")
    func emptyRule() throws {
        let evaluator = cluster([rule()])
        for from in ["shop/db", "ip:192.0.2.1", "host", "remote-node", "ip:2001:db8::1"] {
            #expect(try evaluator.answer(from, "shop/web", "9/SCTP") == "allow/allow=allow")
        }
        #expect(try evaluator.answer("shop/db", "shop/web", "ICMP/8") == "allow/allow=allow")
    }

    @Test("a port entry without port means all TCP ports and nothing else")
    func allTCP() throws {
        let evaluator = cluster([rule([], [NetworkPolicyPort(protocol: .tcp, port: .all)])])
        #expect(try evaluator.answer("shop/db", "shop/web", "9999/TCP") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/db", "shop/web", "53/UDP") == "allow/deny=deny")
        #expect(try evaluator.answer("shop/db", "shop/web", "ICMP/8") == "allow/deny=deny")
    }

    @Test(
        "peers: pods of the own namespace, of matching namespaces, both in one element ANDed",
        arguments: [
            (NetworkPolicyPeer.pods(namespaces: nil, pods: selector("tier=back")), true, false),
            (.pods(namespaces: selector("team=blue"), pods: nil), false, true),
            (.pods(namespaces: selector(), pods: selector("tier=back")), true, true),
            (.pods(namespaces: selector("team=red"), pods: selector("app=probe")), false, false),
            (.pods(namespaces: selector("kubernetes.io/metadata.name=ops"), pods: nil), false, true),
            (.pods(namespaces: nil, pods: selector("missing!=x")), true, false),
        ])
    func peers(peer: NetworkPolicyPeer, db: Bool, probe: Bool) throws {
        let evaluator = cluster([rule([peer])])
        #expect(try evaluator.answer("shop/db", "shop/web") == (db ? "allow/allow=allow" : "allow/deny=deny"))
        #expect(try evaluator.answer("ops/probe", "shop/web") == (probe ? "allow/allow=allow" : "allow/deny=deny"))
        // No selector finds the outside, nodes, or hostNetwork pods of another node.
        #expect(try evaluator.answer("ip:192.0.2.1", "shop/web") == "allow/deny=deny")
        #expect(try evaluator.answer("ops/far-agent", "shop/web") == "allow/deny=deny")
    }

    @Test("ipBlock matches pods, nodes and the outside by address, in its own family, outside its exceptions")
    func ipBlock() throws {
        let block = NetworkPolicyPeer.ipBlock(
            cidr: try prefix("10.0.0.0/16"), except: [try prefix("10.0.1.0/24")])
        let node = NetworkPolicyPeer.ipBlock(cidr: try prefix("172.16.0.0/24"), except: [])
        let evaluator = cluster([rule([block, node])])
        #expect(try evaluator.answer("shop/db", "shop/web") == "allow/allow=allow")
        #expect(try evaluator.answer("ops/probe", "shop/web") == "allow/deny=deny")
        #expect(try evaluator.answer("ops/far-agent", "shop/web") == "allow/allow=allow")
        #expect(try evaluator.answer("ip:10.0.200.1", "shop/web") == "allow/allow=allow")
        #expect(try evaluator.answer("ip:2001:db8::1", "shop/web") == "allow/deny=deny")
    }

    @Test("an address is its owner: a pod's address is the pod, a finished pod owns none")
    func addressOwner() throws {
        let evaluator = cluster([rule([.pods(namespaces: nil, pods: selector("app=db"))])])
        #expect(try evaluator.answer("ip:10.0.0.2", "ip:10.0.0.1") == "allow/allow=allow")
        #expect(throws: FlowError.finishedPod("ops/job")) { try evaluator.answer("ops/job", "shop/web") }
        #expect(throws: FlowError.unknownPod("shop/none")) { try evaluator.answer("shop/none", "shop/web") }
        #expect(throws: FlowError.mixedFamilies) { try evaluator.answer("ip:10.0.0.2", "ip:fd00::1") }
    }

    @Test("a pod's own node reaches it whatever isolates it, also as a hostNetwork pod; another node does not")
    func ownNode() throws {
        let evaluator = cluster([])
        #expect(try evaluator.answer("host", "shop/web") == "allow/allow=allow")
        #expect(try evaluator.answer("ops/agent", "shop/web") == "allow/allow=allow")
        #expect(try evaluator.answer("ip:172.16.0.1", "shop/web") == "allow/allow=allow")
        #expect(try evaluator.answer("remote-node", "shop/web") == "allow/deny=deny")
        #expect(try evaluator.answer("ops/far-agent", "shop/web") == "allow/deny=deny")
    }

    @Test("egress to the own node has no exception")
    func egressToHost() throws {
        let evaluator = cluster([], types: [.egress])
        #expect(try evaluator.answer("shop/web", "host") == "deny/allow=deny")
        #expect(try evaluator.answer("shop/web", "ip:172.16.0.1") == "deny/allow=deny")
    }

    @Test("traffic of a pod to itself is always allowed, by name and by address")
    func itself() throws {
        let evaluator = cluster([], types: [.ingress, .egress])
        #expect(try evaluator.answer("shop/web", "shop/web") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/web", "ip:10.0.0.1") == "allow/allow=allow")
        #expect(try evaluator.answer("ip:fd00::1", "shop/web") == "allow/allow=allow")
    }

    @Test("a named port is looked up on the destination, with its protocol")
    func namedPorts() throws {
        let ingress = cluster([rule([], [NetworkPolicyPort(protocol: .tcp, port: .named("http"))])])
        #expect(try ingress.answer("shop/db", "shop/web", "8080/TCP") == "allow/allow=allow")
        #expect(try ingress.answer("shop/db", "shop/web", "80/TCP") == "allow/deny=deny")
        let wrongProtocol = cluster([rule([], [NetworkPolicyPort(protocol: .udp, port: .named("http"))])])
        #expect(try wrongProtocol.answer("shop/db", "shop/web", "8080/UDP") == "allow/deny=deny")
        // Egress: on the peer, which has none, not on the subject, which has.
        let egress = cluster(
            [], types: [.egress], egress: [rule([], [NetworkPolicyPort(protocol: .tcp, port: .named("http"))])])
        #expect(try egress.answer("shop/web", "shop/db", "8080/TCP") == "deny/allow=deny")
        #expect(try egress.answer("shop/web", "ip:192.0.2.1", "8080/TCP") == "deny/allow=deny")
    }

    @Test("elements of a direction that policyTypes leaves out have no effect")
    func policyTypes() throws {
        let evaluator = cluster([rule()], types: [.egress])
        #expect(try evaluator.answer("shop/db", "shop/web") == "allow/allow=allow")
        #expect(try evaluator.answer("shop/web", "shop/db") == "deny/allow=deny")
    }
}
