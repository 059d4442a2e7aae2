public import NetTypes
public import PolicyAPI
public import PolicyIR

/// A flow as seen by the policies of one of its ends.
public struct FlowSide: Hashable, Sendable {
    /// The pod whose policies apply; `nil` for a node with host policies.
    public var subject: Pod?
    /// The name of that node, if known.
    public var node: String?
    /// The direction: `ingress` when the subject is the receiver.
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

    /// The subject whose policies apply: `shop/web`, `node node-1`.
    var subjectName: String {
        subject?.qualifiedName ?? node.map { "node \($0)" } ?? "another node"
    }

    /// The pod on which named ports are resolved; `nil` when the destination is not a pod.
    var destination: Pod? { direction == .ingress ? subject : remote.pod }
}

extension PolicyRule {
    /// Whether the rule matches a flow.
    func matches(_ side: FlowSide) -> Bool {
        traffic.matches(protocol: side.protocol, port: side.port) { side.destination?.ports(named: $0, $1) ?? [] }
            && peers.matches(side.remote)
    }

    /// The conditions that keep the rule from matching a flow, peers first; empty when it matches. `alternatives` counts the
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
