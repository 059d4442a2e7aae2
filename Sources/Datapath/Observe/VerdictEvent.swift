public import BPFEmit
import CNetpoldABI
public import NetTypes

/// One record of np_events: what happened to one packet.
public struct VerdictEvent: Hashable, Sendable {
    /// When, in jiffies.
    public var jiffies: UInt64
    /// Where the packet came from.
    public var source: IPAddress
    /// Where it goes.
    public var destination: IPAddress
    /// Source port, host order.
    public var sourcePort: UInt16
    /// Destination port (ICMP: see np_flow_key), host order.
    public var destinationPort: UInt16
    /// The protocol.
    public var `protocol`: L4Protocol
    /// Slot of the pod at whose hook this happened.
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

    /// Reasons that are an answer of a policy program. (A program without counters leaves `ruleHit` 0.)
    private static let policyReasons = Set(
        [
            NP_REASON_ALLOWED, NP_REASON_REVALIDATED, NP_DROP_POLICY_DENY, NP_DROP_POLICY_DEFAULT,
            NP_DROP_L7_UNAVAILABLE,
        ].map { UInt8($0.rawValue) })

    /// Whether the packet was dropped.
    public var isDrop: Bool { VerdictReason.isDrop(wire: reason) }

    /// Reads a record; `nil` for one of another size, or with a direction or decision that do not exist.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == MemoryLayout<np_event>.size else { return nil }
        let event = bytes.loadUnaligned(as: np_event.self)
        guard let direction = Direction(rawValue: event.direction),
            let decision = PolicyDecision(rawValue: event.decision)
        else { return nil }
        jiffies = event.time
        source = event.source.ipAddress
        destination = event.destination.ipAddress
        sourcePort = UInt16(bigEndian: event.source_port)
        destinationPort = UInt16(bigEndian: event.destination_port)
        `protocol` = L4Protocol(rawValue: event.protocol)
        slot = event.endpoint
        self.direction = direction
        remoteIdentity = event.remote_identity
        ruleHit = event.rule_hit
        revision = event.revision
        reason = event.reason
        self.decision = event.rule_hit != 0 || Self.policyReasons.contains(event.reason) ? decision : nil
        length = event.length
        tcpFlags = event.tcp_flags
    }
}
