import BPFEmit
import BPFSimulate
public import NetTypes
public import PolicyAPI
public import PolicyIR

/// The evaluator and a compiled image of the same objects, asked the same questions.
public struct SideBySide {
    /// What both say of one end of a flow.
    public struct Answer {
        /// The end: egress for the sender.
        public let direction: Direction
        /// What the evaluator says; `nil` for an end that is no local pod.
        public let decision: SideDecision?
        /// How the image's answer differs, `nil` if it does not.
        public let difference: String?
    }

    private let image: NodeImage
    private let simulator: NodeSimulator
    private let bits: [String: SubjectImage]
    private var oracle: EvaluatorOracle
    private let localNode: String

    /// Compiles the image of a node.
    ///
    /// - Throws: when a program is not of the emitted subset.
    public init(_ objects: ClusterObjects, policies: [LoweredPolicy], localNode: String) throws {
        var allocator = IdentityAllocator()
        image = NodeCompiler.compile(objects, policies: policies, localNode: localNode, allocator: &allocator)
        simulator = try NodeSimulator(image)
        bits = Dictionary(image.subjects.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        oracle = EvaluatorOracle(ReferenceEvaluator(objects, policies: policies, localNode: localNode))
        self.localNode = localNode
    }

    /// The identity of an address in the image.
    public func identity(of address: IPAddress) -> UInt32 { simulator.identity(of: address) }

    /// What both say of both ends of a flow.
    ///
    /// - Throws: when a program misbehaves.
    public mutating func ask(
        from source: IPAddress, to destination: IPAddress, protocol: L4Protocol, port: UInt16
    ) throws -> [Answer] {
        let answers = try simulator.decide(from: source, to: destination, protocol: `protocol`, port: port)
        return Direction.allCases.map { direction in
            let (own, remote) = direction == .egress ? (source, destination) : (destination, source)
            let asked = oracle.ask(own, direction, remote, `protocol`, port, localNode: localNode)
            let rules = simulator.endpoint(at: own).flatMap { bits[$0.subject]?[direction].bits } ?? []
            let left = SideBySide.text(asked?.decision)
            let right = SideBySide.text(direction == .egress ? answers.egress : answers.ingress, rules)
            return Answer(
                direction: direction, decision: asked?.decision,
                difference: left == right
                    ? nil
                    : "\(source) -> \(destination) \(`protocol`) \(port) \(direction): evaluator says \(left), image says "
                        + "\(right) (remote identity \(simulator.identity(of: remote)))")
        }
    }

    /// What both say of the receiver when the local node forwards a packet under one of its own addresses; `nil` if the receiver
    /// is no local pod, or if they say the same.
    ///
    /// - Throws: when a program misbehaves.
    public mutating func askMasqueraded(
        as node: IPAddress, to destination: IPAddress, protocol: L4Protocol, port: UInt16
    ) throws -> String? {
        guard let endpoint = simulator.endpoint(at: destination),
            let decision = oracle.decideMasqueraded(destination, as: node, `protocol`, port, localNode: localNode)
        else { return nil }
        let answer = try simulator.decide(
            .ingress, of: endpoint.namespace, endpoint.name, remote: simulator.outsideIdentity(of: node),
            protocol: `protocol`, port: port)
        let left = SideBySide.text(decision)
        let right = SideBySide.text(answer, bits[endpoint.subject]?.ingress.bits ?? [])
        return left == right
            ? nil
            : "masqueraded as \(node) -> \(destination) \(`protocol`) \(port): evaluator says \(left), image says \(right)"
    }

    static func text(_ decision: SideDecision?) -> String {
        guard let decision else { return "-" }
        switch decision.reason {
        case .rule(let number, _): return "\(verdict(decision)) by rule \(number)"
        case .l7Rules(let numbers, _): return "\(verdict(decision)) by rules \(numbers)"
        case .localNode: return "\(verdict(decision)) by host"
        case .itself, .noPolicyHere: return "-"
        case .notIsolated: return "\(verdict(decision)) by defaultAllow"
        case .defaultDeny: return "\(verdict(decision)) by defaultDeny"
        }
    }

    private static func verdict(_ decision: SideDecision) -> String {
        switch decision.verdict {
        case .allow: "allow"
        case .deny: "deny"
        case .l7: "l7"
        }
    }

    static func text(_ answer: PolicyAnswer?, _ bits: [RuleBit]) -> String {
        guard let answer else { return "-" }
        if answer.verdict == .l7 {
            // Several numbers of a named port are a bit each.
            return "l7 by rules \(Set(answer.l7.map { bits[$0].rule }).sorted())"
        }
        // Whether the exchange is read as well is another question.
        let verdict = answer.verdict == .allowRead ? PolicyVerdict.allow : answer.verdict
        if let bit = answer.bit { return "\(verdict) by rule \(bits[bit].rule)" }
        return "\(answer.verdict) by \(answer.decision)"
    }
}
