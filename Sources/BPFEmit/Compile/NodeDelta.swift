public import NetTypes

/// What changes have changed in a node's image: the image before, with this applied, is the image after.
public struct NodeDelta: Hashable, Sendable {
    /// A change of np_addresses.
    public struct AddressChange: Hashable, Sendable {
        /// The address.
        public var address: IPAddress
        /// Its identity from now on; `nil`: the entry goes.
        public var identity: UInt32?

        /// A change.
        public init(address: IPAddress, identity: UInt32?) {
            self.address = address
            self.identity = identity
        }
    }

    /// A change of np_prefixes.
    public struct PrefixChange: Hashable, Sendable {
        /// The prefix.
        public var prefix: IPPrefix
        /// Its identity from now on; `nil`: the entry goes.
        public var identity: UInt32?

        /// A change.
        public init(prefix: IPPrefix, identity: UInt32?) {
            self.prefix = prefix
            self.identity = identity
        }
    }

    /// A change of one entry of the `peers` map of some subjects.
    public struct PeerChange: Hashable, Sendable {
        /// `SubjectImage.key` of the subjects that share the map.
        public var subjects: [String]
        /// The direction.
        public var direction: Direction
        /// The remote's identity.
        public var identity: UInt32
        /// Its rule bits from now on; empty: the entry goes.
        public var words: [UInt64]

        /// A change.
        public init(subjects: [String], direction: Direction, identity: UInt32, words: [UInt64]) {
            self.subjects = subjects
            self.direction = direction
            self.identity = identity
            self.words = words
        }
    }

    /// A policy that is another one from now on.
    public struct ProgramChange: Hashable, Sendable {
        /// `SubjectImage.key` of the subject.
        public var subject: String
        /// The direction.
        public var direction: Direction

        /// A change.
        public init(subject: String, direction: Direction) {
            self.subject = subject
            self.direction = direction
        }
    }

    /// Identities that nobody had before, by number.
    public var newIdentities: [IdentityRecord] = []
    /// Identities that nobody has any more. A number may be among the new ones with another label.
    public var retiredIdentities: [UInt32] = []
    /// Changes of np_addresses, by address.
    public var addresses: [AddressChange] = []
    /// Changes of np_prefixes, by prefix.
    public var prefixes: [PrefixChange] = []
    /// Changes of entries of `peers` maps whose programs stay.
    public var peers: [PeerChange] = []
    /// Policies that are to be loaded anew, program and map, those of new subjects included; by subject.
    public var programs: [ProgramChange] = []
    /// Whether local pods, their addresses, identities or subjects changed.
    public var changesEndpoints = false
    /// Whether frontends of Services, or backends of one, changed.
    public var changesServices = false

    /// No change.
    public init() {}

    /// Whether nothing changes.
    public var isEmpty: Bool { self == NodeDelta() }
}
