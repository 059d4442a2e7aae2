/// The names of `domainNames` (docs/spec/network-policy.md 2.1).
enum DomainName {
    /// Characters of a name, a final dot not counted (RFC 1035 3.1).
    private static let longest = 253

    /// A selector from text: "exact or leading `*.` = one or more labels, never the apex; no partial labels; trailing dot
    /// allowed". `nil` for anything else. The API's own pattern has `[a-zA-z]`, which admits ``[ ] ^ _ ` `` by mistake; here a
    /// label begins and ends with a letter or digit.
    static func selector(_ text: String) -> FQDNSelector? {
        let isWildcard = text.hasPrefix("*.")
        var name = isWildcard ? text.dropFirst(2) : text[...]
        if name.hasSuffix(".") { name.removeLast() }
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard name.utf8.count <= longest, labels.count >= 2, labels.allSatisfy(isLabel) else { return nil }
        // In patterns of netpold, as in Cilium's, a leading `**.` matches one or more labels.
        return isWildcard ? .pattern("**.\(name.lowercased())") : .name(name.lowercased())
    }

    private static func isLabel(_ label: Substring.UTF8View.SubSequence) -> Bool {
        guard let first = label.first, let last = label.last, label.count <= 63 else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && label.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
