public import NetTypes
public import PolicyAPI

/// A subject's policy of one direction as bits, everything resolved to numbers: what the emitter turns into a program.
///
/// Meaning, for a packet with `identity`, `protocol` and `port`:
/// `m` = the bits whose peers hold the identity and whose traffic holds the packet, without those that stand behind another
/// of them in the list of the same object. Then, level by level:
/// any deny bit of `m` denies; else any plain allow bit allows, and if DNS bits of the level are in `m` as well, the answer says
/// so; else the L7 bits answer L7, all of them; else any pass bit skips the other levels of the tier. After the normal tier an isolated subject denies by default, and the baseline tier is not
/// asked; otherwise baseline is asked, and what nothing decided is allowed by default. The host bit, if there is one, is
/// a plain allow asked after the normal tier's deny and allow bits and before its L7 bits.
///
/// The remote's peers hold what its identity carries, and what the columns carry that its names have.
public struct PolicyBits: Hashable, Sendable {
    /// One rule bit.
    public struct Bit: Hashable, Sendable {
        /// The rule it stands for.
        public var rule: RuleBit
        /// The rule's tier.
        public var tier: Tier
        /// The rule's priority in the tier, lower first.
        public var priority: UInt32
        /// Its place in its object (`PolicyRule.order`); 0 in the normal tier.
        public var order: UInt32
        /// Whether every remote end is a peer. Then no entry of `peers` need carry the bit.
        public var matchesAnyPeer: Bool
        /// The packets, named ports resolved; `nil` for every protocol and port. Sorted, without overlaps.
        public var traffic: [ResolvedTraffic]?

        /// A bit.
        public init(
            rule: RuleBit, tier: Tier, priority: UInt32, order: UInt32 = 0, matchesAnyPeer: Bool,
            traffic: [ResolvedTraffic]?
        ) {
            self.rule = rule
            self.tier = tier
            self.priority = priority
            self.order = order
            self.matchesAnyPeer = matchesAnyPeer
            self.traffic = traffic
        }
    }

    /// Ports (or ICMP types) of one protocol.
    public struct ResolvedTraffic: Hashable, Comparable, Sendable {
        /// The protocol.
        public var `protocol`: L4Protocol
        /// The ports, host order.
        public var ports: PortRange

        /// Ports of a protocol.
        public init(_ protocol: L4Protocol, _ ports: PortRange) {
            self.protocol = `protocol`
            self.ports = ports
        }

        /// By protocol, then ports.
        public static func < (left: ResolvedTraffic, right: ResolvedTraffic) -> Bool {
            left.protocol == right.protocol ? left.ports < right.ports : left.protocol < right.protocol
        }
    }

    /// A column of names.
    public typealias Column = NameColumn

    /// The direction.
    public var direction: Direction
    /// The policies that isolate the subject; empty: not isolated.
    public var isolatedBy: [RuleOrigin]
    /// The bits in order of precedence within a kind. L7 bits lie in one word of 64, and at a level whose objects have no order.
    public var bits: [Bit]
    /// The number of the bit that the local node's identities carry in `peers` so that it reaches its pods: one past the
    /// last of `bits`, or `nil` (egress, or not isolated).
    public var hostBit: Int?
    /// Which identities carry which bits, sorted by identity, no all-zero entry. Bits of `matchesAnyPeer` are left out.
    public var peers: [PeerEntry]
    /// The columns that carry bits, by number.
    public var columns: [Column]
    /// The number of the numbering that the columns are of (`NameColumns`); 0: there is none.
    public var names: UInt32

    /// A policy as bits.
    public init(
        direction: Direction, isolatedBy: [RuleOrigin], bits: [Bit], hostBit: Int?, peers: [PeerEntry],
        columns: [Column] = [], names: UInt32 = 0
    ) {
        self.direction = direction
        self.isolatedBy = isolatedBy
        self.bits = bits
        self.hostBit = hostBit
        self.peers = peers
        self.columns = columns
        self.names = names
    }

    /// Words a `peers` value needs.
    public var words: Int { ((hostBit ?? bits.count - 1) + 64) / 64 }
}
