/// Counters of the datapath, since its maps were made.
public struct DatapathCounters: Hashable, Sendable {
    /// Packets and bytes by `enum np_reason`, zero ones left out.
    public var reasons: [UInt8: PacketCount]
    /// Event records that were not written, for their rate or want of room, by `enum np_reason`; zero ones left out.
    public var suppressedEvents: [UInt8: UInt64]

    /// Counters.
    public init(reasons: [UInt8: PacketCount], suppressedEvents: [UInt8: UInt64]) {
        self.reasons = reasons
        self.suppressedEvents = suppressedEvents
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
