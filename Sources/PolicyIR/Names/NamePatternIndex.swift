/// Many patterns, asked at once which of them a name matches. The time depends on how many end in the same labels as the name, not on how
/// many there are.
public struct NamePatternIndex: Sendable {
    private let patterns: [NamePattern]
    /// By the whole labels that all names of a pattern end in: the patterns' numbers, ascending.
    private let byEnding: [[UInt8]: [Int]]

    /// The index of some patterns, which are known by their place.
    public init(_ patterns: [NamePattern]) {
        self.patterns = patterns
        var found: [[UInt8]: [Int]] = [:]
        for (number, pattern) in patterns.enumerated() { found[pattern.ending, default: []].append(number) }
        byEnding = found
    }

    /// The places of the patterns that match a name, ascending.
    public func matches(of name: String) -> [Int] {
        let bytes = NamePattern.normalized(name)
        var found: [Int] = []
        var start = 0
        while true {
            for number in byEnding[Array(bytes[start...])] ?? [] where patterns[number].matches(normalized: bytes) {
                found.append(number)
            }
            guard start < bytes.count else { break }
            start = bytes[start...].firstIndex(of: UInt8(ascii: ".")).map { $0 + 1 } ?? bytes.count
        }
        return found.sorted()
    }
}

extension NamePattern {
    /// The labels, with their dots, in which every name that matches ends. They begin where a label does.
    fileprivate var ending: [UInt8] {
        var bytes: [UInt8] = []
        for token in tokens.reversed() {
            if case .byte(let byte) = token {
                bytes.append(byte)
                continue
            }
            bytes.reverse()
            // A run may end inside a label.
            guard token == .run else { return bytes }
            return bytes.firstIndex(of: UInt8(ascii: ".")).map { Array(bytes[($0 + 1)...]) } ?? []
        }
        return bytes.reversed()
    }
}
