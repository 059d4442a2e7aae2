/// Counters of the datapath, since its maps were made.
public struct DatapathCounters: Hashable, Sendable {
    /// Packets and bytes by `enum np_reason`, zero ones left out.
    public var reasons: [UInt8: PacketCount]
    /// Event records that were not written, for their rate or want of room, by `enum np_reason`; zero ones left out.
    public var suppressedEvents: [UInt8: UInt64]
    /// Of them, those of dropped packets by slot in np_endpoints; zero ones left out.
    public var suppressedDrops: [UInt32: UInt64]

    /// Counters.
    public init(
        reasons: [UInt8: PacketCount], suppressedEvents: [UInt8: UInt64], suppressedDrops: [UInt32: UInt64] = [:]
    ) {
        self.reasons = reasons
        self.suppressedEvents = suppressedEvents
        self.suppressedDrops = suppressedDrops
    }
}

/// Packets and their bytes.
public struct PacketCount: Hashable, Codable, Sendable {
    /// Packets.
    public var packets: UInt64
    /// Bytes of those packets.
    public var bytes: UInt64

    /// A count.
    public init(packets: UInt64, bytes: UInt64) {
        self.packets = packets
        self.bytes = bytes
    }

    /// Names of the local API (docs/reference/local-api.md).
    private enum CodingKeys: String, CodingKey {
        case packets = "packets"
        case bytes = "bytes"
    }
}

/// Use of one limit of the datapath.
public struct CapacityUse: Hashable, Codable, Sendable {
    /// The map or table.
    public var name: String
    /// Entries in use; `nil` where counting them says nothing.
    public var used: Int?
    /// Entries it can hold.
    public var limit: Int
    /// Kernel memory, bytes; `nil` when the kernel does not say.
    public var memoryBytes: UInt64?

    /// A use.
    public init(name: String, used: Int?, limit: Int, memoryBytes: UInt64?) {
        self.name = name
        self.used = used
        self.limit = limit
        self.memoryBytes = memoryBytes
    }

    /// Names of the local API (docs/reference/local-api.md).
    private enum CodingKeys: String, CodingKey {
        case name = "name"
        case used = "used"
        case limit = "limit"
        case memoryBytes = "memoryBytes"
    }
}

/// What a collection of conntrack entries whose flows are over did.
public struct ConntrackCollection: Hashable, Sendable {
    /// Entries looked at.
    public var seen: Int
    /// Entries removed.
    public var removed: Int
    /// What each endpoint has of the table; empty unless the collection is complete.
    public var shares: [EndpointKey: FlowShare]
    /// Flows that were copied to give an endpoint more room.
    public var moved: Int
    /// Whether the whole table has been looked at; if not, the next call goes on.
    public var isComplete: Bool

    /// A collection.
    public init(
        seen: Int, removed: Int, shares: [EndpointKey: FlowShare] = [:], moved: Int = 0, isComplete: Bool = true
    ) {
        self.seen = seen
        self.removed = removed
        self.shares = shares
        self.moved = moved
        self.isComplete = isComplete
    }
}
