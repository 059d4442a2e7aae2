/// The syntax of names that the API server requires. Each function returns `nil` for a valid name, or what is wrong with it.
public enum NameSyntax {
    /// A DNS-1123 label: a namespace's name.
    public static func dnsLabel(_ text: String) -> String? {
        guard (1...63).contains(text.utf8.count), isDNSLabel(text.utf8) else {
            return "must be 1 to 63 lower-case letters, digits and dashes, with a letter or digit at both ends"
        }
        return nil
    }

    /// A DNS-1123 subdomain: the name of most objects.
    public static func dnsSubdomain(_ text: String) -> String? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...253).contains(text.utf8.count), parts.allSatisfy({ isDNSLabel($0) }) else {
            return
                "must be 1 to 253 lower-case letters, digits, dashes and dots, with a letter or digit around each dot and at both ends"
        }
        return nil
    }

    /// A label key: an optional DNS subdomain and `/`, then a name.
    public static func labelKey(_ text: String) -> String? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, let problem = dnsSubdomain(String(parts[0])) { return "its prefix \(problem)" }
        guard parts.count <= 2, let name = parts.last, !name.isEmpty, isLabelText(name.utf8) else {
            return
                "must be at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends, after an optional prefix/"
        }
        return nil
    }

    /// A label value; may be empty.
    public static func labelValue(_ text: String) -> String? {
        guard isLabelText(text.utf8) else {
            return "must be at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends"
        }
        return nil
    }

    /// A port name of a NetworkPolicy or container (IsValidPortName).
    static func portName(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        if bytes.count > 15 { return "must be no more than 15 characters" }
        guard bytes.allSatisfy({ isLower($0) || isDigit($0) || $0 == dash }), !bytes.isEmpty else {
            return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
        }
        guard bytes.contains(where: isLower) else { return "must contain at least one letter (a-z)" }
        if text.contains("--") { return "must not contain consecutive hyphens" }
        if bytes.first == dash || bytes.last == dash { return "must not begin or end with a hyphen" }
        return nil
    }

    /// Whether a Cilium port string is a name: 1 to 15 letters, digits and single inner dashes with a letter among them.
    static func isServiceName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return (1...15).contains(bytes.count) && bytes.contains(where: isLetter)
            && bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == dash }
            && bytes.first != dash && bytes.last != dash && !text.contains("--")
    }

    private static let dash = UInt8(ascii: "-")

    private static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool {
        isLower(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isDNSLabel(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
        guard let first = bytes.first, let last = bytes.last, first != dash, last != dash else { return false }
        return bytes.allSatisfy { isLower($0) || isDigit($0) || $0 == dash }
    }

    private static func isLabelText(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
        guard let first = bytes.first, let last = bytes.last else { return true }
        let isEnd = { (byte: UInt8) in isLetter(byte) || isDigit(byte) }
        return bytes.count <= 63 && isEnd(first) && isEnd(last)
            && bytes.allSatisfy { isEnd($0) || $0 == dash || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") }
    }
}
