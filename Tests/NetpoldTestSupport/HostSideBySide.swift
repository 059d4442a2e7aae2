public import BPFEmit
import BPFSimulate
public import NetTypes
public import PolicyIR

/// The evaluator and a compiled image about the node itself, asked the same questions.
public struct HostSideBySide {
    /// The image, with the node's own policies.
    public let image: NodeImage
    private let simulator: NodeSimulator
    private let evaluator: ReferenceEvaluator
    private let policies: [Direction: SubjectPolicy]
    private let localNode: String

    /// Compiles the image of a cluster's local node, with its policies for nodes.
    ///
    /// - Throws: when a program is not of the emitted subset.
    public init(_ cluster: RandomCluster) throws {
        let cluster = cluster.addingHostPolicies()
        var allocator = IdentityAllocator()
        localNode = cluster.localNode
        image = NodeCompiler.compile(
            cluster.objects, policies: cluster.policies, localNode: localNode, allocator: &allocator, host: true)
        simulator = try NodeSimulator(image)
        evaluator = ReferenceEvaluator(cluster.objects, policies: cluster.policies, localNode: localNode)
        var policies: [Direction: SubjectPolicy] = [:]
        for direction in Direction.allCases {
            policies[direction] = evaluator.subjectPolicy(forNode: localNode, direction)
        }
        self.policies = policies
    }

    /// What the evaluator says of a flow of the node, and by which rules; `nil`: no policy selects the node in this direction.
    public func decide(
        _ direction: Direction, _ remote: IPAddress, _ proto: L4Protocol, _ port: UInt16
    ) -> (decision: SideDecision, policy: SubjectPolicy, remote: RemoteEnd)? {
        guard let policy = policies[direction] else { return nil }
        let end = evaluator.view.remoteEnd(address: remote, seenFrom: localNode)
        return (policy.decide(subject: nil, direction, remote: end, protocol: proto, port: port), policy, end)
    }

    /// How the image's answer differs, `nil` if it does not.
    ///
    /// - Throws: when a program misbehaves.
    public func difference(
        _ direction: Direction, _ remote: IPAddress, _ proto: L4Protocol, _ port: UInt16
    ) throws -> String? {
        let key = EndpointKey.host
        let rules = image.subjects.first { $0.key == CompilerState.hostSubjectKey }?[direction].bits ?? []
        let answer = try simulator.decide(
            direction, of: key.namespace, key.name, remote: simulator.identity(of: remote), protocol: proto, port: port)
        let left =
            decide(direction, remote, proto, port).map { SideBySide.text($0.decision) } ?? "allow by defaultAllow"
        let right = SideBySide.text(answer, rules)
        return left == right
            ? nil : "node \(direction) \(remote) \(proto) \(port): evaluator says \(left), image says \(right)"
    }
}
