public import BPFEmit
public import NetTypes
import PolicyAPI
import PolicyIR

/// Decides packets by an image that is loaded somewhere where nothing else sees it.
public protocol PacketDecider {
    /// Goes on with another image.
    func update(_ image: NodeImage) throws
    /// What happens to the first packet of a flow at a pod's hook; `port` is the destination port, or the ICMP type.
    func decide(
        _ pod: EndpointKey, _ direction: Direction, remote: IPAddress, protocol: L4Protocol, port: UInt16
    ) throws -> PacketAnswer
}

/// Translation validation (`--verify`): each subject that changed is asked in the kernel, on maps of its own, about one
/// packet of every class, before anything is put in force; one difference to the reference evaluator refuses the state.
public final class VerifyingCompiler: PolicyCompiler {
    /// Packets asked about one subject and direction; beyond, an evenly spread choice of them.
    static let packetLimit = 20_000

    private var compiler: any PolicyCompiler
    private let makeDecider: (NodeImage) throws -> any PacketDecider
    private var decider: (any PacketDecider)?
    private var verified: Set<SubjectImage> = []

    /// Verifies what `compiler` makes, with a decider that `makeDecider` loads with the first image.
    public init(_ compiler: any PolicyCompiler, makeDecider: @escaping (NodeImage) throws -> any PacketDecider) {
        self.compiler = compiler
        self.makeDecider = makeDecider
    }

    /// Compiles and verifies.
    ///
    /// - Throws: `VerificationFailure` for a difference, and what the compiler and the decider throw.
    public func compile(_ desired: DesiredChanges) throws -> CompiledNode {
        let compiled = try compiler.compile(desired)
        let changed = compiled.image.subjects.filter { !verified.contains($0) }
        guard !changed.isEmpty else { return compiled }
        if let decider {
            try decider.update(compiled.image)
        } else {
            decider = try makeDecider(compiled.image)
        }
        guard let decider else { return compiled }
        let evaluator = compiled.makeEvaluator()
        let remotes = VerifyingCompiler.remotes(compiled.image)
        for subject in changed {
            guard let endpoint = compiled.image.endpoints.first(where: { $0.subject == subject.key }),
                let pod = evaluator.view.pod(endpoint.namespace, endpoint.name)
            else { continue }
            for direction in Direction.allCases {
                try verify(
                    pod, endpoint, direction, isWhole: subject[direction].leftOut.isEmpty, remotes: remotes,
                    evaluator: evaluator, decider: decider)
            }
        }
        verified = Set(compiled.image.subjects)
        return compiled
    }

    private func verify(
        _ pod: Pod, _ endpoint: EndpointImage, _ direction: Direction, isWhole: Bool, remotes: [IPAddress],
        evaluator: ReferenceEvaluator, decider: any PacketDecider
    ) throws {
        let policy = evaluator.subjectPolicy(for: pod, direction)
        let observed = VerifyingCompiler.observedPorts(evaluator, direction)
        var packets: [(remote: IPAddress, traffic: PolicyBits.ResolvedTraffic)] = []
        for remote in remotes where !endpoint.addresses.contains(remote) {
            guard endpoint.addresses.contains(where: { $0.isIPv4 == remote.isIPv4 }) else { continue }
            for traffic in VerifyingCompiler.traffic(
                policy, subject: pod, isIPv4: remote.isIPv4, besides: observed[remote] ?? [])
            {
                packets.append((remote, traffic))
            }
        }
        let step = max(1, packets.count / VerifyingCompiler.packetLimit)
        for index in stride(from: 0, to: packets.count, by: step) {
            let (address, traffic) = packets[index]
            let port = traffic.ports.first
            let remote = evaluator.view.remoteEnd(address: address, seenFrom: evaluator.view.node(of: pod))
            var expected = policy.decide(
                subject: pod, direction, remote: remote, protocol: traffic.protocol, port: port)
            if direction == .egress,
                evaluator.observedFrontend(address, traffic.protocol, port, on: evaluator.view.node(of: pod)) != nil
            {
                expected = evaluator.decideEgress(subject: pod, to: address, protocol: traffic.protocol, port: port)
            }
            let answer = try decider.decide(
                endpoint.key, direction, remote: address, protocol: traffic.protocol, port: port)
            // A condition speaks of rules that did not fit; what they would allow is denied.
            if !isWhole, expected.verdict != .deny, answer.verdict == .deny { continue }
            guard VerifyingCompiler.agree(expected.verdict, answer) else {
                throw VerificationFailure(
                    flow: "\(direction) of \(pod.qualifiedName), \(address) \(traffic.protocol) \(port)",
                    expected: expected.verdict.word, answer: "\(answer.verdict) (reason \(answer.reason))")
            }
        }
    }

    /// A packet that the datapath drops before it asks the policy is not a difference; one that it passes is.
    private static func agree(_ expected: SideDecision.Verdict, _ answer: PacketAnswer) -> Bool {
        switch (expected, answer.verdict) {
        case (.allow, .allow), (.allow, .allowRead), (.deny, .deny), (.l7, .l7): true
        case (.l7, .allow) where expected.isServerNames: true
        case (_, .deny):
            VerdictReason(rawValue: answer.reason).map { $0 != .policyDeny && $0 != .policyDefault } ?? false
        case (_, .allow), (_, .allowRead): VerdictReason(rawValue: answer.reason) == .neighbourDiscovery
        case (.allow, .l7), (.deny, .l7): false
        }
    }

    /// One address of each identity, and one inside each prefix.
    private static func remotes(_ image: NodeImage) -> [IPAddress] {
        var byIdentity: [UInt32: IPAddress] = [:]
        for entry in image.addresses where byIdentity[entry.identity] == nil {
            byIdentity[entry.identity] = entry.address
        }
        let outside = image.prefixes.map { entry in
            // The first address of a network is nobody's.
            entry.prefix.mappedLength == 128
                ? entry.prefix.address : IPAddress(high: entry.prefix.address.high, low: entry.prefix.address.low | 1)
        }
        return Set(byIdentity.values).union(outside).sorted()
    }

    /// The ports of Services that other components translate, by address.
    private static func observedPorts(
        _ evaluator: ReferenceEvaluator, _ direction: Direction
    ) -> [IPAddress: Set<UInt16>] {
        guard direction == .egress, evaluator.serviceSettings.mode == .observe else { return [:] }
        var ports: [IPAddress: Set<UInt16>] = [:]
        for frontend in evaluator.services.allFrontends().frontends {
            ports[frontend.address, default: []].insert(frontend.port)
        }
        return ports
    }

    /// The edges of every port range the rules name, and some ports besides, in every protocol.
    private static func traffic(
        _ policy: SubjectPolicy, subject: Pod, isIPv4: Bool, besides more: Set<UInt16>
    ) -> [PolicyBits.ResolvedTraffic] {
        var ports: Set<UInt16> = more.union([1, 80, .max])
        for rule in policy.rules {
            guard case .anyOf(let clauses) = rule.traffic else { continue }
            for clause in clauses {
                guard case .ports(_, let range) = clause else { continue }
                ports.formUnion([range.first, range.last, range.first &- 1, range.last &+ 1])
            }
        }
        ports.formUnion(subject.ports.map(\.port))
        let icmp: L4Protocol = isIPv4 ? .icmp : .icmpv6
        return [L4Protocol.tcp, .udp, .sctp, icmp].flatMap { wanted in
            ports.sorted().filter { !wanted.isICMP || $0 < 256 }.map { .init(wanted, PortRange($0)) }
        }
    }
}

/// The kernel decides a packet in another way than the evaluator.
public struct VerificationFailure: Error, Hashable, CustomStringConvertible {
    /// Whose policy was asked about which packet.
    public let flow: String
    /// What the policies say.
    public let expected: String
    /// What the kernel said.
    public let answer: String

    /// In words.
    public var description: String {
        "translation validation failed: \(flow): the policies say \(expected), the compiled program says \(answer); "
            + "this is a bug of netpold"
    }
}
