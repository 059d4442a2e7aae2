public import PolicyAPI

/// A compiled `matchName` or `matchPattern` (docs/spec/cilium-network-policy.md 12.2).
///
/// `*` matches any run of name characters inside a label, a leading `**.` one or more whole labels, and a pattern of only
/// stars every name. Case and a final dot are ignored.
public struct NamePattern: Hashable, Sendable {
    /// The meaning of a pattern of only stars.
    public enum Use: Hashable, Sendable {
        /// In `toFQDNs`: every well-formed name.
        case addresses
        /// In `rules.dns`: every query, whatever its characters.
        case queries
    }

    /// A part of a pattern.
    package enum Token: Hashable, Sendable {
        /// This byte.
        case byte(UInt8)
        /// Zero or more name characters, never a dot.
        case run
        /// One or more labels, each with its dot.
        case labels
        /// Any bytes at all.
        case anything
    }

    package let tokens: [Token]
    /// Whether the root name matches too, as for a pattern of only stars.
    package let matchesRoot: Bool

    /// The pattern of a selector.
    public init(_ selector: FQDNSelector, for use: Use = .addresses) {
        switch selector {
        case .name(let name):
            tokens = NamePattern.normalized(NamePattern.trimmed(name)).map(Token.byte)
            matchesRoot = false
        case .pattern(let text):
            let pattern = NamePattern.normalized(NamePattern.trimmed(text))
            let stars = pattern.dropLast()
            if !stars.isEmpty, stars.allSatisfy({ $0 == UInt8(ascii: "*") }) {
                tokens = use == .queries ? [.anything] : [.labels]
                matchesRoot = true
            } else {
                tokens = NamePattern.tokens(of: pattern)
                matchesRoot = false
            }
        }
    }

    /// A text that no other pattern has: names of one are shown by it. In lower case, with a final dot.
    public var text: String {
        var text = matchesRoot && tokens == [.anything] ? "*" : ""
        if matchesRoot, tokens == [.labels] { return "**" }
        if !text.isEmpty { return text }
        for token in tokens {
            switch token {
            case .byte(let byte): text.unicodeScalars.append(Unicode.Scalar(byte))
            case .run: text += "*"
            case .labels: text += "**."
            case .anything: text += "*."
            }
        }
        return text
    }

    /// Whether the whole name matches.
    public func matches(_ name: String) -> Bool { matches(normalized: NamePattern.normalized(name)) }

    /// The same of a name in lower case with a final dot.
    func matches(normalized bytes: [UInt8]) -> Bool {
        if matchesRoot, bytes == [UInt8(ascii: ".")] { return true }
        // The positions reachable after each token: no backtracking, so the time is bounded for every pattern.
        var reached: Set<Int> = [0]
        for token in tokens {
            reached = NamePattern.positions(after: token, from: reached, in: bytes)
            if reached.isEmpty { return false }
        }
        return reached.contains(bytes.count)
    }

    private static func positions(after token: Token, from starts: Set<Int>, in name: [UInt8]) -> Set<Int> {
        var result: Set<Int> = []
        for start in starts {
            switch token {
            case .byte(let byte):
                if start < name.count, name[start] == byte { result.insert(start + 1) }
            case .run:
                result.insert(start)
                var end = start
                while end < name.count, isNameCharacter(name[end]) {
                    end += 1
                    result.insert(end)
                }
            case .labels:
                var begin = start
                while let end = name[begin...].firstIndex(where: { !isNameCharacter($0) }), end > begin,
                    name[end] == UInt8(ascii: ".")
                {
                    begin = end + 1
                    result.insert(begin)
                }
            case .anything:
                result.insert(name.count)
            }
        }
        return result
    }

    private static func tokens(of pattern: [UInt8]) -> [Token] {
        let star = UInt8(ascii: "*")
        var tokens: [Token] = []
        var index = 0
        while index < pattern.count {
            guard pattern[index] == star else {
                tokens.append(.byte(pattern[index]))
                index += 1
                continue
            }
            let end = pattern[index...].firstIndex { $0 != star } ?? pattern.count
            // Only a leading `**.` crosses dots; it includes its dot.
            if index == 0, end >= 2, end < pattern.count, pattern[end] == UInt8(ascii: ".") {
                tokens.append(.labels)
                index = end + 1
            } else {
                tokens.append(.run)
                index = end
            }
        }
        return tokens
    }

    /// A pattern without surrounding spaces and tabs. Those of a name are part of it.
    private static func trimmed(_ pattern: String) -> Substring {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let rest = pattern.drop(while: isBlank)
        return rest.dropLast(rest.reversed().prefix(while: isBlank).count)
    }

    /// In lower case, with a final dot. DNS folds ASCII letters only: no other character may turn into one.
    static func normalized(_ name: some StringProtocol) -> [UInt8] {
        let upper = UInt8(ascii: "A")...UInt8(ascii: "Z")
        var bytes = name.utf8.map { upper.contains($0) ? $0 | 0x20 : $0 }
        if bytes.last != UInt8(ascii: ".") { bytes.append(UInt8(ascii: ".")) }
        return bytes
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
