public import BPFEmit
import CNetpoldABI
public import NetTypes

/// A flow that the datapath remembers.
public struct ConntrackFlow: Hashable, Sendable {
    /// One end.
    public struct End: Hashable, Sendable {
        /// What the pod at an end has to do with the flow.
        public enum Role: ABIEnumeration {
            /// It has not admitted the flow, or is not a local pod.
            case none
            /// Its egress policy admitted it.
            case initiator
            /// Its ingress policy admitted it.
            case responder

            /// `enum np_role`.
            public var rawValue: UInt32 {
                switch self {
                case .none: NP_ROLE_NONE.rawValue
                case .initiator: NP_ROLE_INITIATOR.rawValue
                case .responder: NP_ROLE_RESPONDER.rawValue
                }
            }
        }

        /// The address.
        public var address: IPAddress
        /// The port, host order (ICMP: identifier or type).
        public var port: UInt16
        /// What the pod there has to do with it.
        public var role: Role
        /// The revision it was admitted under.
        public var revision: UInt32
        /// Whether a FIN was seen from here.
        public var hasFinished: Bool
    }

    /// The end with the lower address.
    public var low: End
    /// The other end.
    public var high: End
    /// The protocol.
    public var `protocol`: L4Protocol
    /// Jiffies of the last packet.
    public var lastSeen: UInt64
    /// Whether a RST was seen.
    public var isReset: Bool

    init?(_ key: np_flow_key, _ flow: np_flow) {
        guard let lowRole = End.Role(rawValue: flow.side.0.role), let highRole = End.Role(rawValue: flow.side.1.role)
        else { return nil }
        low = End(
            address: key.low.ipAddress, port: UInt16(bigEndian: key.low_port), role: lowRole,
            revision: flow.side.0.revision, hasFinished: flow.flags & UInt32(NP_FLOW_FIN_LOW) != 0)
        high = End(
            address: key.high.ipAddress, port: UInt16(bigEndian: key.high_port), role: highRole,
            revision: flow.side.1.revision, hasFinished: flow.flags & UInt32(NP_FLOW_FIN_HIGH) != 0)
        `protocol` = L4Protocol(rawValue: key.protocol)
        lastSeen = flow.last_seen
        isReset = flow.flags & UInt32(NP_FLOW_RST) != 0
    }
}
