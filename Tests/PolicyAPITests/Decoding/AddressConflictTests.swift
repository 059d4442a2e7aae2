import NetpoldTestSupport
import Testing

@testable import NetTypes
@testable import PolicyAPI
@testable import PolicyIR

@Suite("Addresses that several objects claim")
struct AddressConflictTests {
    private func pod(_ name: String, _ address: String, _ more: String = "") -> String {
        "apiVersion: v1\nkind: Pod\nmetadata: {name: \(name), namespace: shop}\nspec: {\(more)}\n"
            + "status: {phase: Running, podIP: \(address)}\n---\n"
    }

    private let consequence = "it belongs to neither, so no rule that selects pods or addresses allows it"
    private let node =
        "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: [{type: InternalIP, address: 192.168.0.1}]}\n---\n"

    @Test("two running pods with one address are a warning, and the address belongs to neither")
    func pods() {
        let decoded = decode(pod("web", "10.0.0.1") + pod("db", "10.0.0.1"))
        #expect(
            decoded.warnings == [
                "status.podIPs: 10.0.0.1 is also an address of pod shop/db; \(consequence)"
            ])
        #expect(decoded.diagnostics.first?.location?.line == 1)
        #expect(decoded.objects.pods.count == 2)
        let view = ClusterView(decoded.objects)
        #expect(IPAddress(parsing: "10.0.0.1").map(view.owner) == .contested)
    }

    @Test("an address that several claim is allowed by rules for everyone only")
    func decision() throws {
        func answer(_ rule: String) throws -> SideDecision.Verdict {
            let policy =
                "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\n"
                + "spec: {podSelector: {}, policyTypes: [Egress], egress: [\(rule)]}\n---\n"
            let decoded = decode(policy + pod("web", "10.0.0.1") + pod("db", "10.0.0.1") + pod("app", "10.0.0.2"))
            let evaluator = ReferenceEvaluator(
                decoded.objects, policies: PolicyLowering.lower(decoded.objects).policies)
            let to = try #require(FlowEnd(parsing: "ip:10.0.0.1"))
            return try evaluator.decide(
                Flow(from: .pod(namespace: "shop", name: "app"), to: to, protocol: .tcp, port: 80)
            ).egress.verdict
        }
        #expect(try answer("{}") == .allow)
        #expect(try answer("{to: [{podSelector: {}}]}") == .deny)
        #expect(try answer("{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}") == .deny)
    }

    @Test("a pod with an address of a node is a warning; a hostNetwork pod and a finished pod are not")
    func others() {
        #expect(
            decode(node + pod("web", "192.168.0.1")).warnings == [
                "status.podIPs: 192.168.0.1 is also an address of node n1; \(consequence)"
            ])
        #expect(decode(node + pod("web", "192.168.0.1", "hostNetwork: true")).warnings == [])
        let finished = pod("job", "10.0.0.1").replacing("Running", with: "Succeeded")
        #expect(decode(pod("web", "10.0.0.1") + finished).warnings == [])
    }

    @Test(
        "a node's unreadable IP address is a warning, and the node is known by the others; a host name and an empty address are none"
    )
    func nodeAddress() {
        func node(_ entry: String) -> DecodedManifests {
            decode(
                "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: [{type: InternalIP, address: 10.0.0.9}, \(entry)]}"
            )
        }
        let known = node("{type: ExternalIP, address: 10.0.0.999}")
        #expect(
            known.warnings == [
                "status.addresses[1].address: \"10.0.0.999\" is not an IP address: the node is known without it"
            ])
        #expect(known.errors == [] && known.objects.nodes.map(\.addresses.count) == [1])
        for entry in ["{type: Hostname, address: n1}", "{type: ExternalIP, address: ''}"] {
            #expect(node(entry).diagnostics == [] && node(entry).objects.nodes.map(\.addresses.count) == [1])
        }
        #expect(
            node("{type: InternalIP, address: 'fe80::1%eth0'}").objects.nodes.first?.addresses.last
                == IPAddress(parsing: "fe80::1"))
    }

    @Test("two nodes with one address are a warning that says whose labels count")
    func nodes() {
        #expect(
            decode(node + node.replacing("n1", with: "n0")).warnings == [
                "status.addresses: 192.168.0.1 is also an address of node n0; the labels of n0 count there"
            ])
    }

    @Test("a pod with the address of a hostNetwork pod is a warning also where no Node object has it")
    func hostNetwork() {
        #expect(
            decode(pod("agent", "192.168.0.1", "hostNetwork: true, nodeName: n1") + pod("web", "192.168.0.1")).warnings
                == ["status.podIPs: 192.168.0.1 is also an address of node n1; \(consequence)"])
    }
}
