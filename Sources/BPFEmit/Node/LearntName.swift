public import NetTypes

/// What a pod has learnt of a name: addresses, until when each is one.
public struct LearntName: Hashable, Sendable {
    /// The name as policies write names: lower case, without final dot.
    public var name: String
    /// By address, when it ends: seconds of the clock that np_learnt has.
    public var addresses: [IPAddress: UInt32]

    /// A name.
    public init(name: String, addresses: [IPAddress: UInt32]) {
        self.name = name
        self.addresses = addresses
    }
}

/// What programs tell about a name.
public struct NameRecord: Hashable, Sendable {
    /// What happened.
    public enum Kind: Hashable, Sendable {
        /// A pod has learnt addresses of a name.
        case learnt
        /// A query was refused: no DNS rule allows the name.
        case denied
        /// An answer taught nothing.
        case unlearnt
        /// A connection was refused: no rule allows the TLS server name. An empty name: there was none.
        case serverDenied
    }

    /// When, ns of CLOCK_MONOTONIC.
    public var time: UInt64
    /// The pod's slot.
    public var slot: UInt32
    /// What happened.
    public var kind: Kind
    /// The name; what is no name character in a label is escaped (`\\046`), so a dot ends a label. `.` is the root.
    public var name: String
    /// The type of the question.
    public var type: UInt16
    /// The resolver, or the server.
    public var remote: IPAddress
    /// What was learnt.
    public var addresses: [IPAddress]
    /// Until when, seconds of the clock that np_learnt has.
    public var expires: UInt32
    /// Of what was denied: the base of the program's counters.
    public var base: UInt32
    /// Of what was denied: the L7 bits that were asked.
    public var rules: UInt64

    /// A record.
    public init(
        time: UInt64, slot: UInt32, kind: Kind, name: String, type: UInt16, remote: IPAddress, addresses: [IPAddress],
        expires: UInt32, base: UInt32, rules: UInt64
    ) {
        self.time = time
        self.slot = slot
        self.kind = kind
        self.name = name
        self.type = type
        self.remote = remote
        self.addresses = addresses
        self.expires = expires
        self.base = base
        self.rules = rules
    }
}
