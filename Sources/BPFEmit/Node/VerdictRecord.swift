public import NetTypes

/// One record of np_events, decoded: what happened to one packet.
public struct VerdictRecord: Hashable, Sendable {
    /// When: ns, CLOCK_MONOTONIC.
    public var time: UInt64
    /// Where the packet came from.
    public var source: IPAddress
    /// Where it goes.
    public var destination: IPAddress
    /// Source port, host order.
    public var sourcePort: UInt16
    /// Destination port (ICMP: see np_packet), host order.
    public var destinationPort: UInt16
    /// The protocol.
    public var `protocol`: L4Protocol
    /// Slot in np_endpoints of the pod at whose hook this happened.
    public var slot: UInt16
    /// Which of the pod's policies was asked.
    public var direction: Direction
    /// Identity of the other end; 0 when policy was not asked.
    public var remoteIdentity: UInt32
    /// Index of np_rule_hits, 0 when no rule was asked.
    public var ruleHit: UInt32
    /// Revision of the endpoint.
    public var revision: UInt32
    /// `enum np_reason`; a number, since a later version of the datapath may know more of them.
    public var reason: UInt8
    /// Why the policy program answered so; `nil` when none was asked.
    public var decision: PolicyDecision?
    /// Of the packet, bytes, saturating.
    public var length: UInt16
    /// TCP flags, 0 for other protocols.
    public var tcpFlags: UInt8
    /// Whether the source is the node's although the packet was forwarded: who sent it is unknown, it was judged as from
    /// outside (`NP_EVENT_MASQUERADED`).
    public var isMasqueraded: Bool
    /// Whether the node answers at the destination as well, and had to be allowed besides (`NP_EVENT_NODE_TOO`).
    public var isForNodeToo: Bool

    /// A record.
    public init(
        time: UInt64 = 0, source: IPAddress, destination: IPAddress, sourcePort: UInt16, destinationPort: UInt16,
        protocol: L4Protocol, slot: UInt16, direction: Direction, remoteIdentity: UInt32, ruleHit: UInt32,
        revision: UInt32, reason: UInt8, decision: PolicyDecision? = nil, length: UInt16, tcpFlags: UInt8 = 0,
        isMasqueraded: Bool = false, isForNodeToo: Bool = false
    ) {
        self.time = time
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
        self.decision = decision
        self.length = length
        self.tcpFlags = tcpFlags
        self.isMasqueraded = isMasqueraded
        self.isForNodeToo = isForNodeToo
    }

    /// Whether the packet was dropped.
    public var isDrop: Bool { VerdictReason.isDrop(wire: reason) }
}
