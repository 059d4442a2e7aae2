public import PolicyIR

/// The names that programs ask about, as tables: one automaton of all patterns, and for each of its name sets the rules and columns
/// that it satisfies. A value: equal images give equal tables.
public struct NameTables: Hashable, Sendable {
    /// The patterns of the automaton, by number.
    public let patterns: [NamePattern]
    /// The automaton.
    public let automaton: NameAutomaton
    private let numbers: [NamePattern: Int]

    /// The tables of some policies, in any order.
    ///
    /// - Complexity: that of the automaton, which is capped.
    public init(_ images: some Sequence<PolicyImage>) {
        self.init(patterns: NameTables.patterns(of: images))
    }

    /// The tables of some patterns.
    public init(patterns: Set<NamePattern>) {
        self.patterns = patterns.sorted { $0.text < $1.text }
        automaton = NameAutomaton(self.patterns)
        numbers = Dictionary(uniqueKeysWithValues: zip(self.patterns, self.patterns.indices))
    }

    /// The patterns that policies ask about.
    public static func patterns(of images: some Sequence<PolicyImage>) -> Set<NamePattern> {
        var found: Set<NamePattern> = []
        for image in images {
            for bit in image.bits { found.formUnion(bit.namePatterns) }
            for column in image.columns { found.formUnion(column.namePatterns) }
        }
        return found
    }

    /// The patterns that did not fit, as they are written: names satisfy none of them.
    public var leftOut: [String] { automaton.leftOut.map { patterns[$0].text } }

    /// How many name sets satisfy something.
    public var setCount: Int { automaton.patterns.count - 1 }

    /// By name set: the L7 bits of a policy, of its one word, that it satisfies; none that are 0.
    public func rules(of image: PolicyImage) -> [UInt32: UInt64] {
        var byPattern: [Int: UInt64] = [:]
        for (number, bit) in image.bits.enumerated() where bit.isL7 {
            for pattern in bit.namePatterns {
                if let place = numbers[pattern] { byPattern[place, default: 0] |= 1 << UInt64(number % 64) }
            }
        }
        return bySet(byPattern)
    }

    /// By name set: the columns of policies with one numbering that it satisfies; none that are 0.
    public func columns(of images: some Sequence<PolicyImage>) -> [UInt32: UInt32] {
        var byPattern: [Int: UInt32] = [:]
        for column in images.lazy.flatMap(\.columns) {
            for pattern in column.namePatterns {
                if let place = numbers[pattern] { byPattern[place, default: 0] |= 1 << UInt32(column.number) }
            }
        }
        return bySet(byPattern)
    }

    private func bySet<Bits: FixedWidthInteger>(_ byPattern: [Int: Bits]) -> [UInt32: Bits] {
        if byPattern.isEmpty { return [:] }
        var found: [UInt32: Bits] = [:]
        for (set, members) in automaton.patterns.enumerated() {
            let bits = members.reduce(Bits.zero) { $0 | (byPattern[$1] ?? 0) }
            if bits != 0 { found[UInt32(set)] = bits }
        }
        return found
    }
}

extension RuleBit {
    /// The patterns of its L7 conditions, where they are names.
    public var namePatterns: [NamePattern] {
        switch l7 {
        case .dns(let names): names.map { NamePattern($0.value, for: .queries) }
        case .serverNames(let names): names.map { NamePattern(.pattern($0.value)) }
        case .http, nil: []
        }
    }

    /// Whether its conditions are TLS server names.
    public var isServerName: Bool {
        if case .serverNames? = l7 { isL7 } else { false }
    }
}

extension PolicyBits.Column {
    /// The patterns of its list.
    public var namePatterns: [NamePattern] { list.selectors.map { NamePattern($0) } }
}

extension PolicyImage {
    /// The L7 bits, of their one word, for which something holds.
    public func l7Bits(where holds: (RuleBit) -> Bool) -> UInt64 {
        bits.enumerated().reduce(0) { found, bit in
            bit.element.isL7 && holds(bit.element) ? found | 1 << UInt64(bit.offset % 64) : found
        }
    }
}

extension NodeImage {
    /// The tables of the names that its policies ask about.
    public var names: NameTables { NameTables(subjects.flatMap { [$0.ingress, $0.egress] }) }
}
