public import NetTypes

/// An IP packet to be sent through the datapath. Fields that headers can lie about are separate from what they describe.
public struct IPPacket: Sendable {
    /// Source; its family is the packet's.
    public var source: IPAddress
    /// Destination, of the same family.
    public var destination: IPAddress
    /// IPv4 protocol, or the last IPv6 header.
    public var `protocol`: UInt8
    /// From the transport header on.
    public var payload: [UInt8]
    /// TTL or hop limit.
    public var hopLimit: UInt8 = 64
    /// IPv4 options, a multiple of four bytes.
    public var options: [UInt8] = []
    /// IPv6 extension headers before the transport: their type, and their bytes without the next-header byte.
    public var extensions: [(type: UInt8, rest: [UInt8])] = []
    /// Fragment fields; `nil` for a packet that is none. IPv6 gets a fragment header behind `extensions`.
    public var fragment: Fragment?
    /// The length field; `nil` for the true one.
    public var claimedLength: UInt16?
    /// The version in the header; `nil` for the true one.
    public var claimedVersion: UInt8?
    /// IPv4 header length in words; `nil` for the true one.
    public var claimedHeaderWords: UInt8?

    /// Place of a fragment in its datagram.
    public struct Fragment: Sendable {
        /// Which datagram.
        public var identification: UInt32
        /// Bytes, a multiple of eight.
        public var offset: UInt16
        /// Whether others follow.
        public var more: Bool

        /// A place.
        public init(_ identification: UInt32, offset: UInt16, more: Bool) {
            self.identification = identification
            self.offset = offset
            self.more = more
        }
    }

    /// A packet.
    public init(_ source: IPAddress, _ destination: IPAddress, _ protocol: L4Protocol, _ payload: [UInt8]) {
        self.source = source
        self.destination = destination
        self.protocol = `protocol`.rawValue
        self.payload = payload
    }

    /// The same with some fields changed.
    public func with(_ change: (inout IPPacket) -> Void) -> IPPacket {
        var copy = self
        change(&copy)
        return copy
    }

    /// The packet's bytes.
    public var bytes: [UInt8] { source.isIPv4 ? ipv4Bytes : ipv6Bytes }

    /// The packet in an Ethernet frame.
    public var frame: [UInt8] {
        Frame.ethernet(source.isIPv4 ? Frame.EtherType.ipv4 : Frame.EtherType.ipv6, bytes)
    }

    private var ipv4Bytes: [UInt8] {
        let words = claimedHeaderWords ?? UInt8(5 + options.count / 4)
        let length = claimedLength ?? UInt16(20 + options.count + payload.count)
        let place = fragment.map { $0.offset / 8 | ($0.more ? 0x2000 : 0) } ?? 0
        let identification = UInt16(truncatingIfNeeded: fragment?.identification ?? 0)
        return [(claimedVersion ?? 4) << 4 | words, 0] + length.bigEndianBytes + identification.bigEndianBytes
            + place.bigEndianBytes + [hopLimit, `protocol`, 0, 0] + source.bytes.suffix(4) + destination.bytes.suffix(4)
            + options + payload
    }

    private var ipv6Bytes: [UInt8] {
        var chain = extensions
        if let fragment {
            let place = fragment.offset | (fragment.more ? 1 : 0)
            chain.append((44, [0] + place.bigEndianBytes + fragment.identification.bigEndianBytes))
        }
        let types = chain.map(\.type) + [`protocol`]
        let headers = zip(chain, types.dropFirst()).flatMap { [$1] + $0.rest }
        let length = claimedLength ?? UInt16(headers.count + payload.count)
        return [(claimedVersion ?? 6) << 4, 0, 0, 0] + length.bigEndianBytes + [types[0], hopLimit] + source.bytes
            + destination.bytes + headers + payload
    }
}
