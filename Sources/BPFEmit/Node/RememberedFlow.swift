import CNetpoldABI
public import NetTypes

/// A flow that the datapath remembers for one pod. A flow between two pods of the node is remembered for each of them.
public struct RememberedFlow: Hashable, Sendable {
    /// One end.
    public struct End: Hashable, Sendable {
        /// The address.
        public var address: IPAddress
        /// The port, host order (ICMP queries: at the end that asks the identifier, at the other one the request's type).
        public var port: UInt16

        /// An end.
        public init(address: IPAddress, port: UInt16) {
            self.address = address
            self.port = port
        }
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
        /// The remote is a Service, and the pod's packets go to this backend: the entry is no flow by itself.
        case frontend(End)
        /// The remote is a backend, and the pod talks to this Service.
        case backend(End)
    }

    /// The pod's slot in np_endpoints.
    public var slot: UInt32
    /// The pod's end.
    public var own: End
    /// The other end, as the pod's policy sees it.
    public var remote: End
    /// The protocol.
    public var `protocol`: L4Protocol
    /// What the pod has to do with it.
    public var role: Role
    /// What a Service has to do with it, if one has.
    public var translation: Translation?
    /// Whether a packet against the flow's direction has passed.
    public var isAnswered: Bool
    /// Whether the pod has sent a FIN.
    public var hasFinished: Bool
    /// Whether the other end has sent a FIN.
    public var hasRemoteFinished: Bool
    /// Whether a RST was seen and nothing else after it.
    public var isReset: Bool
    /// Seconds since the latest packet.
    public var silentSeconds: UInt32
    /// The endpoint's revision that it was admitted under.
    public var revision: UInt32

    /// A flow.
    public init(
        slot: UInt32, own: End, remote: End, protocol: L4Protocol, role: Role, translation: Translation?,
        isAnswered: Bool, hasFinished: Bool = false, hasRemoteFinished: Bool = false, isReset: Bool = false,
        silentSeconds: UInt32, revision: UInt32
    ) {
        self.slot = slot
        self.own = own
        self.remote = remote
        self.protocol = `protocol`
        self.role = role
        self.translation = translation
        self.isAnswered = isAnswered
        self.hasFinished = hasFinished
        self.hasRemoteFinished = hasRemoteFinished
        self.isReset = isReset
        self.silentSeconds = silentSeconds
        self.revision = revision
    }

    /// Whether a FIN or RST of an end was seen.
    public var isClosing: Bool { hasFinished || hasRemoteFinished || isReset }
}

/// Looks through the flows that are remembered, beside programs and the datapath's owner: nobody waits for it.
public protocol FlowReading: Sendable {
    /// The flows of the pods in some slots as they are now: at most `limit` of them, and how many there are besides. Flows that come
    /// and go meanwhile may be missing.
    ///
    /// - Throws: when the memory of flows cannot be read.
    func flows(of slots: Set<UInt32>, limit: Int) throws -> (flows: [RememberedFlow], leftOut: Int)
}
