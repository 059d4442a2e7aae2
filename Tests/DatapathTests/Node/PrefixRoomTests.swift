import BPFEmit
import CNetpoldABI
import NetTypes
import PolicyAPI
import PolicyIR
import Testing

@testable import Datapath

/// Policies and Services of one tenant with more prefixes and addresses than the kernel's tables hold, beside those of others.
@Suite(.needsRoot) struct PrefixRoomTests {
    private static let web = EndpointKey(namespace: "shop", name: "web")
    private static let evil = EndpointKey(namespace: "evil", name: "pod")
    private static let client = IPAddress(ipv4: 0x0af4_0003)

    private static func pod(_ namespace: String, _ name: String, _ address: UInt32) -> Pod {
        Pod(
            metadata: ObjectMeta(name: name, namespace: namespace, labels: ["app": name]), nodeName: "node-1",
            addresses: [IPAddress(ipv4: address)])
    }

    private static func policy(_ namespace: String, _ name: String, _ peers: [NetworkPolicyPeer]) -> ClusterObject {
        .networkPolicy(
            NetworkPolicy(
                metadata: ObjectMeta(name: name, namespace: namespace), podSelector: LabelSelector(),
                policyTypes: [.ingress],
                ingress: peers.isEmpty ? [] : [NetworkPolicyRule(peers: peers, ports: [], path: "spec.ingress[0]")],
                egress: []))
    }

    /// One of the policies that fill the table: 70,000 addresses, and the client.
    private static func large(_ number: UInt32) -> ClusterObject {
        let addresses = (0..<70_000).map { IPAddress(ipv4: 0x0b00_0000 + number * 70_000 + $0) } + [client]
        return policy(
            "evil", "large-\(number)", addresses.map { .ipBlock(cidr: IPPrefix(host: $0), except: []) })
    }

    @Test(
        "policies of more prefixes than the table holds: a later deny is in force, and what has no room closes its pods"
    )
    func flood() throws {
        var objects = ClusterObjects()
        objects.namespaces = ["shop", "evil"].map { Namespace(metadata: ObjectMeta(name: $0)) }
        objects.pods = [
            Self.pod("shop", "web", 0x0af4_0001), Self.pod("evil", "pod", 0x0af4_0002),
            Self.pod("shop", "client", 0x0af4_0003),
        ]
        var state = CompilerState(objects, localNode: "node-1")
        let node = try NodeDatapath.forTests()
        let probe = HookProbe(node: node)
        _ = try node.apply(state.image, links: [:])
        #expect(try probe.tcp(to: Self.web, from: Self.client, source: 1) == NP_REASON_ALLOWED)
        // One alone fits, and allows what it says.
        _ = state.apply([.upsert(Self.large(0))])
        _ = try node.apply(state.image, links: [:])
        #expect(state.notAsWritten.isEmpty)
        #expect(try probe.tcp(to: Self.evil, from: Self.client, source: 1) == NP_REASON_ALLOWED)

        _ = state.apply((1..<4).map { .upsert(Self.large($0)) } + [.upsert(Self.policy("shop", "deny", []))])
        #expect(state.notAsWritten.keys.map(\.name).sorted() == ["large-1", "large-2", "large-3"])
        #expect(state.image.prefixes.count <= Int(NP_MAX_PREFIXES) / 2)
        _ = try node.apply(state.image, links: [:])
        #expect(try probe.tcp(to: Self.web, from: Self.client, source: 2) == NP_DROP_POLICY_DEFAULT)
        // What the tenant has in force still allows it.
        #expect(try probe.tcp(to: Self.evil, from: Self.client, source: 2) == NP_REASON_ALLOWED)

        // Another image of the same size takes its place: both are in the table meanwhile.
        _ = state.apply([.delete(Self.large(0).key)])
        #expect(state.notAsWritten.keys.map(\.name).sorted() == ["large-2", "large-3"])
        _ = try node.apply(state.image, links: [:])
        #expect(node.prefixes.count == state.image.prefixes.count)

        // The last one is closed as long as there is no room for it: nothing reaches the pods.
        let widest = Self.policy(
            "evil", "large-1",
            (0..<140_000).map { .ipBlock(cidr: IPPrefix(host: IPAddress(ipv4: 0x0c00_0000 + $0)), except: []) })
        _ = state.apply([.upsert(widest), .delete(Self.large(2).key), .delete(Self.large(3).key)])
        #expect(state.notAsWritten.keys.map(\.name) == ["large-1"])
        _ = try node.apply(state.image, links: [:])
        let inside = IPAddress(ipv4: 0x0c00_0001)
        for address in [Self.client, inside] {
            #expect(try probe.tcp(to: Self.evil, from: address, source: 3) == NP_DROP_POLICY_DEFAULT)
        }
        _ = state.apply([.upsert(Self.large(1))])
        _ = try node.apply(state.image, links: [:])
        #expect(try probe.tcp(to: Self.evil, from: Self.client, source: 4) == NP_REASON_ALLOWED)
    }

    @Test("Services of more addresses than the table holds, and others in their places: a later deny is in force")
    func services() throws {
        func flood(_ number: UInt32, from first: UInt32, count: UInt32) -> ObjectChange {
            var service = Service(
                metadata: ObjectMeta(name: "s\(number)", namespace: "evil"), selector: ["app": "pod"],
                ports: [ServicePort(protocol: .tcp, port: 80, target: .number(80))])
            service.externalIPs = (0..<count).map { IPAddress(ipv4: 0x0d00_0000 + first + $0) }
            return .upsert(.service(service))
        }
        var objects = ClusterObjects()
        objects.namespaces = ["shop", "evil"].map { Namespace(metadata: ObjectMeta(name: $0)) }
        objects.pods = [
            Self.pod("shop", "web", 0x0af4_0001), Self.pod("evil", "pod", 0x0af4_0002),
            Self.pod("shop", "client", 0x0af4_0003),
        ]
        var state = CompilerState(objects, localNode: "node-1")
        var options = DatapathOptions(pins: nil, attachment: .none, flowSets: 1024)
        options.services = .translate
        let node = try NodeDatapath(options)
        let probe = HookProbe(node: node)
        _ = state.apply((0..<4).map { flood($0, from: $0 * 70_000, count: 70_000) })
        #expect(state.diagnostics.map(\.id) == [.servicesLeftOut])
        _ = try node.apply(state.image, links: [:])
        #expect(node.addresses.count < 100)
        #expect(try probe.tcp(to: Self.web, from: Self.client, source: 1) == NP_REASON_ALLOWED)

        for (round, first) in [UInt32(1_000_000), 2_000_000].enumerated() {
            _ = state.apply([flood(0, from: first, count: 60_000)])
            let report = try node.apply(state.image, links: [:])
            #expect(report.servicesLeftOut.isEmpty)
            #expect(node.addresses.count > 60_000 && node.addresses.count < 61_000, "round \(round)")
        }
        _ = state.apply([.upsert(Self.policy("shop", "deny", []))])
        _ = try node.apply(state.image, links: [:])
        #expect(try probe.tcp(to: Self.web, from: Self.client, source: 2) == NP_DROP_POLICY_DEFAULT)
    }

    @Test("two images that take each other's place fit into the tables")
    func twoImages() {
        #expect(2 * (PrefixBudget.standard + 4096) == Int(NP_MAX_PREFIXES))
        #expect(4 * ServiceRoom.Limits().addresses == Int(NP_MAX_ADDRESSES))
        #expect(2 * ServiceRoom.Limits().frontends == Int(NP_MAX_SERVICES))
    }
}
