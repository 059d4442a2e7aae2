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
