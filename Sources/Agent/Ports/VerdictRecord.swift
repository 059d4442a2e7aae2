public import NetTypes

/// One record of np_events, decoded: what happened to one packet.
public struct VerdictRecord: Hashable, Sendable {
    /// Where the packet came from.
    public var source: IPAddress
    /// Where it goes.
    public var destination: IPAddress
    /// Source port, host order.
    public var sourcePort: UInt16
    /// Destination port (ICMP: the type), host order.
    public var destinationPort: UInt16
    /// The protocol.
    public var `protocol`: L4Protocol
    /// Slot of the pod at whose veth this happened.
    public var slot: UInt16
    /// Which of the pod's policies was asked.
    public var direction: Direction
    /// Identity of the other end.
    public var remoteIdentity: UInt32
    /// Index of np_rule_hits, 0 when no rule was asked.
    public var ruleHit: UInt32
    /// Revision of the endpoint.
    public var revision: UInt32
    /// `np_reason` number.
    public var reason: UInt8
    /// Packet length, bytes.
    public var length: UInt16

    /// A record.
    public init(
        source: IPAddress, destination: IPAddress, sourcePort: UInt16, destinationPort: UInt16, protocol: L4Protocol,
        slot: UInt16, direction: Direction, remoteIdentity: UInt32, ruleHit: UInt32, revision: UInt32, reason: UInt8,
        length: UInt16
    ) {
        self.source = source
        self.destination = destination
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.protocol = `protocol`
        self.slot = slot
        self.direction = direction
        self.remoteIdentity = remoteIdentity
        self.ruleHit = ruleHit
        self.revision = revision
        self.reason = reason
        self.length = length
    }
}
