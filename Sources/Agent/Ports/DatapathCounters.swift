/// Counters of the datapath.
public struct DatapathCounters: Hashable, Sendable {
    /// Packets and bytes by `np_reason` number, zero ones left out.
    public var reasons: [UInt8: PacketCount]
    /// Event records that were not written, for rate or want of room.
    public var eventsSuppressed: UInt64

    /// Counters.
    public init(reasons: [UInt8: PacketCount], eventsSuppressed: UInt64) {
        self.reasons = reasons
        self.eventsSuppressed = eventsSuppressed
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
}

/// Use of one limit.
public struct CapacityUse: Hashable, Codable, Sendable {
    /// The map or table.
    public var name: String
    /// Entries in use, `nil` where nobody counts them.
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
}

/// What a conntrack collection did.
public struct ConntrackSweep: Hashable, Sendable {
    /// Entries looked at.
    public var seen: Int
    /// Entries removed.
    public var removed: Int

    /// A sweep.
    public init(seen: Int, removed: Int) {
        self.seen = seen
        self.removed = removed
    }
}
