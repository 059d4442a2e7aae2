/// A prefix of addresses of one family. Host bits are cleared: `10.0.0.1/24` is `10.0.0.0/24`.
public struct IPPrefix: Hashable, Sendable {
    /// The first address.
    public let address: IPAddress
    /// Fixed bits in the 128-bit (mapped) space: 96 + n for an IPv4 `/n`, n for an IPv6 `/n`.
    public let mappedLength: Int
    /// Whether the prefix is one of IPv4 addresses. (`::/0` is not, although it covers the mapped range.)
    public let isIPv4: Bool

    /// The prefix of `length` bits (as written: 0...32 or 0...128) around an address; `nil` when out of range.
    public init?(_ address: IPAddress, length: Int) {
        let isIPv4 = address.isIPv4
        guard length >= 0, length <= (isIPv4 ? 32 : 128) else { return nil }
        let mapped = isIPv4 ? 96 + length : length
        let highMask: UInt64 = mapped == 0 ? 0 : mapped >= 64 ? .max : .max << UInt64(64 - mapped)
        let lowMask: UInt64 = mapped <= 64 ? 0 : mapped == 128 ? .max : .max << UInt64(128 - mapped)
        self.address = IPAddress(high: address.high & highMask, low: address.low & lowMask)
        self.mappedLength = mapped
        self.isIPv4 = isIPv4
    }

    /// The prefix that holds only this address.
    public init(host address: IPAddress) {
        self.address = address
        self.mappedLength = 128
        self.isIPv4 = address.isIPv4
    }

    /// Fixed bits as written: 0...32 for IPv4, 0...128 for IPv6.
    public var length: Int { isIPv4 ? mappedLength - 96 : mappedLength }

    /// Whether the address lies in the prefix. An IPv6 prefix never holds an IPv4 address.
    public func contains(_ other: IPAddress) -> Bool {
        guard other.isIPv4 == isIPv4 else { return false }
        return IPPrefix.mask(other, mappedLength) == address
    }

    /// Whether every address of `other` lies in this prefix (equal prefixes included).
    public func contains(_ other: IPPrefix) -> Bool {
        other.mappedLength >= mappedLength && contains(other.address) && other.isIPv4 == isIPv4
    }

    private static func mask(_ address: IPAddress, _ mapped: Int) -> IPAddress {
        let highMask: UInt64 = mapped == 0 ? 0 : mapped >= 64 ? .max : .max << UInt64(64 - mapped)
        let lowMask: UInt64 = mapped <= 64 ? 0 : mapped == 128 ? .max : .max << UInt64(128 - mapped)
        return IPAddress(high: address.high & highMask, low: address.low & lowMask)
    }
}

extension IPPrefix: Comparable {
    /// By address, then shorter prefix first.
    public static func < (left: IPPrefix, right: IPPrefix) -> Bool {
        left.address == right.address ? left.mappedLength < right.mappedLength : left.address < right.address
    }
}

extension IPPrefix {
    /// A prefix from `address/length`. Host bits are cleared. `nil` for anything else: a bare address, a netmask, a length
    /// with leading zeros, and an IPv6 spelling of IPv4 (`::ffff:10.0.0.0/104`), whose length could be read two ways.
    public init?(parsing text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parsing: parts[0]),
            !(address.isIPv4 && parts[0].utf8.contains(UInt8(ascii: ":"))),
            let length = DecimalText.parse(parts[1].utf8, atMost: 128)
        else { return nil }
        self.init(address, length: length)
    }
}

extension IPPrefix: CustomStringConvertible {
    /// `address/length`, for example `10.0.0.0/8`.
    public var description: String { "\(address)/\(length)" }
}
