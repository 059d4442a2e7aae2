import BPFEmit
import NetTypes
import PolicyAPI
import PolicyIR
import Testing

@testable import Datapath

/// Policies whose peers are so many that the kernel holds them in an array.
@Suite(.needsRoot) struct DensePeersTests {
    private static let peers = 400

    @Test("an array of peers decides as a hash does, through changes in place and new programs", arguments: [1, 70])
    func changes(rules: Int) throws {
        var allocator = IdentityAllocator()
        let even = image(rules: rules, allow: "even", &allocator)
        let kernel = try KernelDecider(even)
        guard case .array = PeersLayout(try #require(even.subjects.first).ingress) else {
            Issue.record("not dense enough to say anything")
            return
        }
        try expect(kernel, "even")
        try kernel.update(image(rules: rules, allow: "odd", &allocator))
        try expect(kernel, "odd")
        // A pod more, with an identity above all others, then one less.
        try kernel.update(image(rules: rules, allow: "odd", pods: Self.peers + 2, &allocator))
        try expect(kernel, "odd", pods: Self.peers + 2)
        try kernel.update(image(rules: rules, allow: "even", pods: Self.peers - 2, &allocator))
        try expect(kernel, "even", pods: Self.peers - 2)
    }

    private func expect(_ kernel: KernelDecider, _ allowed: String, pods: Int = peers) throws {
        let key = EndpointKey(namespace: "shop", name: "server")
        for number in 0..<pods {
            let answer = try kernel.decide(key, .ingress, remote: Self.address(number), protocol: .tcp, port: 80)
            let isAllowed = (number % 2 == 0) == (allowed == "even")
            #expect(answer.verdict == (isAllowed ? .allow : .deny), "pod \(number)")
        }
        let stranger = IPAddress(ipv4: 0x0808_0808)
        #expect(try kernel.decide(key, .ingress, remote: stranger, protocol: .tcp, port: 80).verdict == .deny)
    }

    private func image(rules: Int, allow: String, pods: Int = peers, _ allocator: inout IdentityAllocator) -> NodeImage
    {
        var objects = ClusterObjects()
        objects.namespaces = [Namespace(metadata: ObjectMeta(name: "shop"))]
        let labels = { (number: Int) in ["parity": number % 2 == 0 ? "even" : "odd", "number": "\(number)"] }
        objects.pods =
            [
                Pod(
                    metadata: ObjectMeta(name: "server", namespace: "shop", labels: ["app": "server"]),
                    nodeName: "node-1", addresses: [IPAddress(ipv4: 0x0af4_0001)])
            ]
            + (0..<pods).map { number in
                Pod(
                    metadata: ObjectMeta(name: "peer-\(number)", namespace: "shop", labels: labels(number)),
                    nodeName: "node-2", addresses: [Self.address(number)])
            }
        let selector = LabelSelector([LabelRequirement(key: "parity", operator: .isIn, values: [allow])])
        let element = { (port: UInt16, index: Int) in
            NetworkPolicyRule(
                peers: [.pods(namespaces: nil, pods: selector)],
                ports: [NetworkPolicyPort(protocol: .tcp, port: .range(PortRange(port)))],
                path: "spec.ingress[\(index)]")
        }
        objects.networkPolicies = [
            NetworkPolicy(
                metadata: ObjectMeta(name: "server", namespace: "shop"),
                podSelector: LabelSelector([LabelRequirement(key: "app", operator: .isIn, values: ["server"])]),
                policyTypes: [.ingress],
                ingress: (0..<rules).map { element($0 == rules - 1 ? 80 : UInt16(1000 + $0), $0) }, egress: [])
        ]
        return NodeCompiler.compile(
            objects, policies: PolicyLowering.lower(objects).policies, localNode: "node-1", allocator: &allocator)
    }

    private static func address(_ number: Int) -> IPAddress { IPAddress(ipv4: 0x0af5_0000 + UInt32(number)) }
}
