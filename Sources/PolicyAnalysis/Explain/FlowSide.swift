public import NetTypes
public import PolicyAPI
public import PolicyIR

/// A flow as the policies of one of its ends see it.
public struct FlowSide: Hashable, Sendable {
    /// The pod whose policies are asked; `nil` for a node, whose host policies are.
    public var subject: Pod?
    /// The name of that node, if it has one.
    public var node: String?
    /// Which of its policies: `ingress` when it is the receiver.
    public var direction: Direction
    /// The other end.
    public var remote: RemoteEnd
    /// The transport protocol.
    public var `protocol`: L4Protocol
    /// The destination port, or the ICMP type, host order.
    public var port: UInt16

    /// A side.
    public init(subject: Pod, direction: Direction, remote: RemoteEnd, protocol: L4Protocol, port: UInt16) {
        self.subject = subject
        self.direction = direction
        self.remote = remote
        self.protocol = `protocol`
        self.port = port
    }

    /// The side of a node that host policies select.
    init(node: String?, direction: Direction, remote: RemoteEnd, protocol: L4Protocol, port: UInt16) {
        self.node = node
        self.direction = direction
        self.remote = remote
        self.protocol = `protocol`
        self.port = port
    }

    /// Whose policies are asked: `shop/web`, `node node-1`.
    var subjectName: String {
        subject?.qualifiedName ?? node.map { "node \($0)" } ?? "another node"
    }

    /// The pod that named ports are looked up on; `nil` when the destination is no pod.
    var destination: Pod? { direction == .ingress ? subject : remote.pod }
}

extension PolicyRule {
    /// Whether the rule is about a flow.
    func matches(_ side: FlowSide) -> Bool {
        traffic.matches(protocol: side.protocol, port: side.port) { side.destination?.ports(named: $0, $1) ?? [] }
            && peers.matches(side.remote)
    }

    /// The conditions that keep the rule from being about a flow, peers first; none when it is. `alternatives` counts the
    /// peers that the nearest was chosen from.
    func failedConditions(_ side: FlowSide) -> (failed: [FailedCondition], alternatives: Int) {
        let (failed, alternatives) = peers.failedConditions(for: side.remote)
        return (
            failed
                + traffic.failedConditions(protocol: side.protocol, port: side.port, destination: side.destination),
            failed.isEmpty ? 1 : alternatives
        )
    }
}
