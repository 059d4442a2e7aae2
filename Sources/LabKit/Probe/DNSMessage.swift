package import NetTypes

/// The few DNS messages of a lab: a query for the addresses of a name, and its answers.
package enum DNSMessage {
    /// The addresses that a lab's servers know, by lower-case name without a final dot.
    package typealias Zone = [String: [IPAddress]]

    /// What an answer says.
    enum Answer: Hashable {
        /// These addresses; none for a name without addresses of the family.
        case addresses([IPAddress])
        /// Not answered: the response code as text.
        case refused(String)
        /// Too long for a datagram (RFC 7766 5): to be asked for over TCP.
        case truncated
    }

    private static let headerLength = 12
    private static let inAddressClass: UInt16 = 1
    /// Long enough for a lab.
    private static let seconds: UInt32 = 300
    private static let codes = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"]

    private static func type(isIPv4: Bool) -> UInt16 { isIPv4 ? 1 : 28 }

    /// A query for the addresses of a name, recursion desired.
    package static func query(_ name: String, isIPv4: Bool, id: UInt16) -> [UInt8] {
        var bytes = big(id) + [0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        for label in name.split(separator: ".") { bytes += [UInt8(truncatingIfNeeded: label.utf8.count)] + label.utf8 }
        return bytes + [0] + big(type(isIPv4: isIPv4)) + big(inAddressClass)
    }

    /// What a lab's server answers; `nil` when it is no query with one question.
    package static func answer(to query: [UInt8], _ zone: Zone) -> [UInt8]? {
        guard query.count > headerLength, query[2] & 0xf8 == 0, query[4] == 0, query[5] == 1,
            let (name, end) = name(in: query, at: headerLength), end + 4 <= query.count
        else { return nil }
        let asked = UInt16(query[end]) << 8 | UInt16(query[end + 1])
        let known = zone[name.lowercased()]
        let found = (known ?? []).filter { asked == type(isIPv4: $0.isIPv4) }
        var bytes = Array(query[0..<2]) + [0x84 | query[2] & 1, 0x80 | (known == nil ? 3 : 0), 0, 1]
        bytes += big(UInt16(found.count)) + [0, 0, 0, 0] + query[headerLength..<(end + 4)]
        for address in found {
            let data = address.bytes.suffix(address.isIPv4 ? 4 : 16)
            bytes += [0xc0, UInt8(headerLength)] + big(asked) + big(inAddressClass)
            bytes += big(UInt16(seconds >> 16)) + big(UInt16(seconds & 0xffff)) + big(UInt16(data.count)) + data
        }
        return bytes
    }

    /// What an answer to the query of this id says; `nil` when it is none.
    static func parse(_ bytes: [UInt8], id: UInt16) -> Answer? {
        guard bytes.count >= headerLength, Array(bytes[0..<2]) == big(id), bytes[2] & 0x80 != 0 else { return nil }
        let code = Int(bytes[3] & 15)
        guard code == 0 else { return .refused(code < codes.count ? codes[code] : "code \(code)") }
        guard bytes[2] & 0x02 == 0 else { return .truncated }
        guard var (_, at) = name(in: bytes, at: headerLength) else { return nil }
        at += 4
        var addresses: [IPAddress] = []
        for _ in 0..<(Int(bytes[6]) << 8 | Int(bytes[7])) {
            guard let (_, end) = name(in: bytes, at: at), end + 10 <= bytes.count else { return nil }
            let length = Int(bytes[end + 8]) << 8 | Int(bytes[end + 9])
            let data = end + 10
            guard data + length <= bytes.count else { return nil }
            let kind = UInt16(bytes[end]) << 8 | UInt16(bytes[end + 1])
            let rest = bytes[data..<(data + length)]
            if kind == 1, length == 4 { addresses.append(IPAddress(ipv4: rest.reduce(0) { $0 << 8 | UInt32($1) })) }
            if kind == 28, length == 16 {
                addresses.append(
                    IPAddress(
                        high: rest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
                        low: rest.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }))
            }
            at = data + length
        }
        return .addresses(addresses)
    }

    /// A name and where it ends; a compression pointer ends it.
    private static func name(in bytes: [UInt8], at start: Int) -> (String, Int)? {
        var labels: [String] = []
        var at = start
        while at < bytes.count {
            let length = Int(bytes[at])
            if length == 0 { return (labels.joined(separator: "."), at + 1) }
            if length >= 0xc0 { return at + 2 <= bytes.count ? (labels.joined(separator: "."), at + 2) : nil }
            guard length < 64, at + 1 + length <= bytes.count else { return nil }
            labels.append(String(decoding: bytes[(at + 1)...(at + length)], as: UTF8.self))
            at += 1 + length
        }
        return nil
    }

    private static func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
}
