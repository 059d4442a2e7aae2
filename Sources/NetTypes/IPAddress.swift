/// An IPv4 or IPv6 address as 128 bits; IPv4 is held mapped into `::ffff:0:0/96`, as the datapath does.
///
/// Order is numeric, so it equals the order of the bytes on the wire.
public struct IPAddress: Hashable, Comparable, Sendable {
    /// The first eight bytes as a number (most significant byte first on the wire).
    public let high: UInt64
    /// The last eight bytes as a number.
    public let low: UInt64

    /// An address from its two halves, most significant half first.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An IPv4 address from its number, for example `0x0a00_0001` for 10.0.0.1.
    public init(ipv4: UInt32) {
        self.init(high: 0, low: 0xffff_0000_0000 | UInt64(ipv4))
    }

    /// Whether this is an IPv4 address (mapped).
    public var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }

    /// The IPv4 number, or `nil` for an IPv6 address.
    public var ipv4: UInt32? { isIPv4 ? UInt32(truncatingIfNeeded: low) : nil }

    /// The sixteen bytes in network order.
    public var bytes: [UInt8] {
        (0..<16).map { index in
            let half = index < 8 ? high : low
            return UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * (index % 8)))
        }
    }

    /// Numeric order.
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }
}
