import BPFEmit
import CNetpoldABI
import Datapath
import NetTypes
import NetpoldTestSupport
import PolicyIR
import Testing

/// Random clusters and policies decided by packets through the loaded programs, against the naive evaluator.
@Suite(.needsRoot) struct KernelDifferentialTests {
    private static let flows = DifferentialSize.flows(otherwise: 40_000)
    private static let seed = DifferentialSize.seed
    private static let flowsPerCluster = DifferentialSize.flowsPerCluster

    @Test("the kernel decides random flows as the evaluator does")
    func kernelAgreesWithEvaluator() throws {
        var decider: KernelDecider?
        var compared = 0
        for number in 0..<UInt64(max(1, Self.flows / Self.flowsPerCluster)) {
            let seed = Self.seed &+ number
            let cluster = RandomCluster(seed: seed)
            var allocator = IdentityAllocator()
            let image = NodeCompiler.compile(
                cluster.objects, policies: cluster.policies, localNode: cluster.localNode, allocator: &allocator)
            if let decider { try decider.update(image) }
            let kernel = try decider ?? KernelDecider(image)
            decider = kernel
            compared += try compare(cluster, image, kernel, seed: seed)
        }
        print("kernel against evaluator: \(compared) decisions compared of \(Self.flows) flows")
        #expect(compared > Self.flows / 4)
    }

    @Test("the kernel decides random flows of the node itself as the evaluator does")
    func kernelAgreesAboutTheNode() throws {
        var decider: KernelDecider?
        var compared = 0
        for number in 0..<UInt64(max(1, Self.flows / 4 / Self.flowsPerCluster)) {
            let seed = Self.seed &+ number
            let cluster = RandomCluster(seed: seed)
            let both = try HostSideBySide(cluster)
            if let decider { try decider.update(both.image) }
            let kernel = try decider ?? KernelDecider(both.image)
            decider = kernel
            let local = Set(both.image.endpoints.flatMap(\.addresses))
            var random = SplitMix64(seed: seed ^ 0x605)
            for _ in 0..<Self.flowsPerCluster {
                let isIPv4 = random.once(in: 2)
                let remote = cluster.remoteOfNode(isIPv4: isIPv4, &random)
                let (proto, port) = RandomCluster.traffic(isIPv4: isIPv4, &random)
                guard let own = cluster.nodeAddresses.first(where: { $0.isIPv4 == isIPv4 }) else { continue }
                for direction in Direction.allCases {
                    // A pod of the node does not come in by an uplink.
                    if direction == .ingress, local.contains(remote) { continue }
                    let answer = try kernel.decideHost(
                        own: own, direction, remote: remote, protocol: proto, port: port)
                    if answer.reason == UInt8(NP_DROP_ICMP_INNER.rawValue) { continue }
                    compared += 1
                    let expected = both.decide(direction, remote, proto, port)?.decision.verdict ?? .allow
                    #expect(
                        expected == .allow ? answer.verdict == .allow : answer.verdict == .deny,
                        "seed \(seed): node \(direction) \(remote) \(proto) \(port), reason \(answer.reason)")
                }
            }
        }
        print("kernel against evaluator, host policies: \(compared) decisions compared")
        #expect(compared > Self.flows / 8)
    }

    /// Asks both about each side of random flows; returns how many were asked.
    private func compare(
        _ cluster: RandomCluster, _ image: NodeImage, _ kernel: KernelDecider, seed: UInt64
    ) throws -> Int {
        let evaluator = ReferenceEvaluator(cluster.objects, policies: cluster.policies, localNode: cluster.localNode)
        var oracle = EvaluatorOracle(evaluator)
        let owners = Dictionary(
            image.endpoints.flatMap { endpoint in endpoint.addresses.map { ($0, endpoint.key) } }
        ) { first, _ in first }
        var random = SplitMix64(seed: seed ^ 0xf10e)
        var compared = 0
        for _ in 0..<Self.flowsPerCluster {
            guard let (source, destination) = cluster.flowEnds(&random) else { break }
            let (proto, port) = RandomCluster.traffic(isIPv4: source.isIPv4, &random)
            for node in cluster.nodeAddresses where node.isIPv4 == destination.isIPv4 {
                guard let key = owners[destination], kernel.knows(key),
                    let expected = oracle.decideMasqueraded(
                        destination, as: node, proto, port, localNode: cluster.localNode)
                else { continue }
                let answer = try kernel.decide(
                    key, .ingress, remote: node, isForwarded: true, protocol: proto, port: port)
                if answer.reason == UInt8(NP_DROP_ICMP_INNER.rawValue) { continue }
                compared += 1
                #expect(
                    Self.verdicts(expected, proto).contains(answer.verdict),
                    "seed \(seed): masqueraded as \(node) -> \(destination) \(proto) \(port), reason \(answer.reason)")
            }
            for direction in Direction.allCases {
                let (own, remote) = direction == .egress ? (source, destination) : (destination, source)
                guard let key = owners[own], kernel.knows(key),
                    let expected = oracle.decide(own, direction, remote, proto, port, localNode: cluster.localNode)
                else { continue }
                let answer = try kernel.decide(key, direction, remote: remote, protocol: proto, port: port)
                // An ICMP error without a packet in it never reaches policy.
                if answer.reason == UInt8(NP_DROP_ICMP_INNER.rawValue) { continue }
                // Nor does a packet of a pod in which a node may find another one.
                if answer.reason == UInt8(NP_DROP_TUNNEL.rawValue) {
                    #expect(direction == .egress && Self.tunnels.contains(proto.rawValue), "seed \(seed): \(proto)")
                    continue
                }
                compared += 1
                #expect(
                    Self.verdicts(expected, proto).contains(answer.verdict),
                    "seed \(seed): \(source) -> \(destination) \(proto) \(port) \(direction), reason \(answer.reason)")
            }
        }
        return compared
    }

    /// IP in IP (4), IPv6 in IP (41) and GRE (47).
    private static let tunnels: Set<UInt8> = [4, 41, 47]

    /// What the kernel may do with the first packet: a SYN passes where its connection's server name decides, unless several answer at the
    /// address, as at that of a group.
    private static func verdicts(_ decision: SideDecision, _ protocol: L4Protocol) -> Set<PolicyVerdict> {
        switch decision.verdict {
        case .allow: [.allow]
        case .deny: [.deny]
        case .l7: decision.verdict.isServerNames && `protocol` == .tcp ? [.allow, .l7] : [.l7]
        }
    }
}
