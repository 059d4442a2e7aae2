import Glibc

/// What may stand for a host: a name as DNS has them, or an IP address.
enum HostName {
    /// Whether a text is one: nothing else can be connected to, or stand in a certificate.
    static func isSound(_ text: String) -> Bool {
        if address(text) != nil { return true }
        guard !text.isEmpty, text.utf8.count <= 253 else { return false }
        return labels(text).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.utf8.allSatisfy(mayStand)
        }
    }

    private static func mayStand(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// The bytes of an IP address, 4 or 16, in network byte order; `nil` for anything else.
    static func address(_ text: String) -> [UInt8]? {
        var short = in_addr()
        if inet_pton(AF_INET, text, &short) == 1 { return withUnsafeBytes(of: short) { Array($0) } }
        var long = in6_addr()
        if inet_pton(AF_INET6, text, &long) == 1 { return withUnsafeBytes(of: long) { Array($0) } }
        return nil
    }

    /// The parts of a name; a period at its end makes no difference.
    static func labels(_ name: String) -> [Substring] {
        (name.hasSuffix(".") ? name.dropLast() : name[...]).split(separator: ".", omittingEmptySubsequences: false)
    }
}
