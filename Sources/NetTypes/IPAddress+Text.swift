extension IPAddress {
    /// An address from its text: dotted IPv4 without leading zeros, or any RFC 4291 form of IPv6 without a zone.
    ///
    /// `::ffff:10.0.0.1` is the IPv4 address 10.0.0.1, as everywhere in the datapath. `nil` for anything else.
    public init?(parsing text: some StringProtocol) {
        let bytes = Array(text.utf8)
        if bytes.contains(UInt8(ascii: ":")) {
            guard let groups = IPAddress.parseIPv6(bytes) else { return nil }
            let halves = groups.map(UInt64.init)
            self.init(
                high: halves[0] << 48 | halves[1] << 32 | halves[2] << 16 | halves[3],
                low: halves[4] << 48 | halves[5] << 32 | halves[6] << 16 | halves[7])
        } else {
            guard let number = IPAddress.parseIPv4(bytes[...]) else { return nil }
            self.init(ipv4: number)
        }
    }

    private static func parseIPv4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard let octet = DecimalText.parse(part, atMost: 255) else { return nil }
            number = number << 8 | UInt32(octet)
        }
        return number
    }

    /// The eight groups of an IPv6 address.
    private static func parseIPv6(_ bytes: [UInt8]) -> [UInt16]? {
        let colon = UInt8(ascii: ":")
        // Where `::` is, if it is there; a second one, or `:::`, is an error.
        var gap: Int?
        for index in bytes.indices.dropLast() where bytes[index] == colon && bytes[index + 1] == colon {
            guard gap == nil else { return nil }
            gap = index
        }
        guard let gap else {
            guard let groups = parseGroups(bytes[...]), groups.count == 8 else { return nil }
            return groups
        }
        guard let front = gap == 0 ? [] : parseGroups(bytes[..<gap], allowIPv4: false),
            let back = gap + 2 == bytes.count ? [] : parseGroups(bytes[(gap + 2)...]),
            front.count + back.count < 8
        else { return nil }
        return front + Array(repeating: 0, count: 8 - front.count - back.count) + back
    }

    private static func parseGroups(_ bytes: ArraySlice<UInt8>, allowIPv4: Bool = true) -> [UInt16]? {
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if part.contains(UInt8(ascii: ".")) {
                guard allowIPv4, index == parts.count - 1, let number = parseIPv4(part) else { return nil }
                groups.append(UInt16(truncatingIfNeeded: number >> 16))
                groups.append(UInt16(truncatingIfNeeded: number))
            } else {
                guard (1...4).contains(part.count) else { return nil }
                var group: UInt16 = 0
                for byte in part {
                    guard let digit = hexDigit(byte) else { return nil }
                    group = group << 4 | UInt16(digit)
                }
                groups.append(group)
            }
            guard groups.count <= 8 else { return nil }
        }
        return groups
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// The canonical text: dotted for IPv4, RFC 5952 for IPv6.
    public var description: String {
        if let ipv4 {
            return [24, 16, 8, 0].map { String((ipv4 >> $0) & 0xff) }.joined(separator: ".")
        }
        let groups = (0..<8).map { index in
            UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - 16 * (index % 4)))
        }
        // RFC 5952 4.2: shorten the longest run of zero groups, the first of equals, never a single group.
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(1, best.count) { best = start..<end }
            start = max(end, start + 1)
        }
        func text(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !best.isEmpty else { return text(groups[...]) }
        return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }
}

extension IPAddress {
    /// The address with a port: `10.0.0.1:80`, `[fd00::1]:80`.
    public func with(port: UInt16) -> String { isIPv4 ? "\(self):\(port)" : "[\(self)]:\(port)" }
}
