public import NetTypes

/// A flow that the datapath remembers for one pod. A flow between two pods of the node is remembered for each of them.
public struct RememberedFlow: Hashable, Sendable {
    /// One end.
    public struct End: Hashable, Sendable {
        /// The address.
        public var address: IPAddress
        /// The port, host order.
        public var port: UInt16

        /// An end.
        public init(address: IPAddress, port: UInt16) {
            self.address = address
            self.port = port
        }
    }

    /// What the pod has to do with the flow.
    public enum Role: Hashable, Sendable {
        /// It has not admitted the flow.
        case none
        /// Its egress policy admitted it.
        case initiator
        /// Its ingress policy admitted it.
        case responder
    }

    /// What a Service has to do with the flow.
    public enum Translation: Hashable, Sendable {
        /// The remote is a Service, and the pod's packets go to this backend.
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
    /// Whether a FIN or RST of an end was seen.
    public var isClosing: Bool
    /// Seconds since the latest packet.
    public var silentSeconds: UInt32
    /// The endpoint's revision that it was admitted under.
    public var revision: UInt32

    /// A flow.
    public init(
        slot: UInt32, own: End, remote: End, protocol: L4Protocol, role: Role, translation: Translation?,
        isAnswered: Bool, isClosing: Bool, silentSeconds: UInt32, revision: UInt32
    ) {
        self.slot = slot
        self.own = own
        self.remote = remote
        self.protocol = `protocol`
        self.role = role
        self.translation = translation
        self.isAnswered = isAnswered
        self.isClosing = isClosing
        self.silentSeconds = silentSeconds
        self.revision = revision
    }
}

/// Looks through the flows that are remembered, beside programs and the datapath's owner: nobody waits for it.
public protocol FlowReading: Sendable {
    /// The flows of the pods in some slots as they are now: at most `limit` of them, and how many there are besides. Flows that come
    /// and go meanwhile may be missing.
    ///
    /// - Throws: when the memory of flows cannot be read.
    func flows(of slots: Set<UInt32>, limit: Int) throws -> (flows: [RememberedFlow], leftOut: Int)
}
