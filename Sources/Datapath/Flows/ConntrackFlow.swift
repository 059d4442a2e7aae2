public import BPFEmit
import CNetpoldABI
public import NetTypes

/// A flow that the datapath remembers for one pod. A flow between two pods of the node is remembered for each of them.
public struct ConntrackFlow: Hashable, Sendable {
    /// One end.
    public struct End: Hashable, Sendable {
        /// The address.
        public var address: IPAddress
        /// The port, host order (ICMP queries: at the end that asks the identifier, at the other one the request's type).
        public var port: UInt16
    }

    /// What the pod has to do with the flow.
    public enum Role: ABIEnumeration {
        /// It has not admitted the flow.
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

    /// What a Service has to do with the flow.
    public enum Translation: Hashable, Sendable {
        /// The remote is a Service: the entry says to which backend the pod's packets go, and is no flow by itself.
        case frontend(backend: End)
        /// The remote is a backend, and the pod talks to this Service.
        case backend(service: End)
    }

    /// The pod's slot in np_endpoints.
    public var endpoint: UInt32
    /// The pod's end.
    public var own: End
    /// The other end, as the pod's policy sees it.
    public var remote: End
    /// The protocol.
    public var `protocol`: L4Protocol
    /// What the pod has to do with it.
    public var role: Role
    /// The revision it was admitted under.
    public var revision: UInt32
    /// When the last packet was seen, in units of 64 jiffies, modulo 2^32.
    public var lastSeen: UInt32
    /// Whether a packet against the flow's direction has passed.
    public var isAnswered: Bool
    /// Whether the pod has sent a FIN.
    public var hasFinished: Bool
    /// Whether the other end has sent a FIN.
    public var hasRemoteFinished: Bool
    /// Whether a RST was seen and nothing else after it.
    public var isReset: Bool
    /// What a Service has to do with it, if one has.
    public var translation: Translation?

    /// Reads an entry of a pod with these addresses; `nil` for one that makes no sense.
    init?(_ record: np_flow_record, endpoint slot: UInt32, _ value: np_endpoint) {
        let addresses = [value.address.0, value.address.1]
        guard record.addressIndex < addresses.count, !addresses[record.addressIndex].isZero,
            let role = Role(rawValue: record.flags >> UInt32(NP_ENTRY_ROLE_SHIFT) & 3)
        else { return nil }
        func has(_ flag: Int32) -> Bool { record.flags & UInt32(flag) != 0 }
        endpoint = slot
        own = End(
            address: addresses[record.addressIndex].ipAddress, port: UInt16(bigEndian: record.own_port))
        remote = End(address: record.remote.ipAddress, port: UInt16(bigEndian: record.remote_port))
        `protocol` = L4Protocol(rawValue: record.protocol)
        self.role = role
        revision = record.revision
        lastSeen = record.last_seen
        isAnswered = has(NP_ENTRY_ANSWERED)
        hasFinished = has(NP_ENTRY_FIN_OWN)
        hasRemoteFinished = has(NP_ENTRY_FIN_REMOTE)
        isReset = has(NP_ENTRY_RST)
        let other = End(address: record.other.ipAddress, port: UInt16(bigEndian: record.other_port))
        translation =
            has(NP_ENTRY_FRONTEND)
            ? .frontend(backend: other) : has(NP_ENTRY_BACKEND) ? .backend(service: other) : nil
    }
}

extension np_flow_record {
    /// Index of `np_endpoint.address`.
    var addressIndex: Int { Int(own_address) & ~Int(NP_OWN_ALIAS) }
}
