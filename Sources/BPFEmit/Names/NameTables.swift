public import PolicyIR

/// The names that programs ask about, as tables: one automaton of all patterns, and for each of its name sets the rules and columns
/// that it satisfies. A value: equal images give equal tables.
public struct NameTables: Hashable, Sendable {
    /// The patterns of the automaton, by number.
    public let patterns: [NamePattern]
    /// The automaton.
    public let automaton: NameAutomaton
    private let numbers: [NamePattern: Int]
    /// The patterns that did not fit.
    private let absent: Set<NamePattern>

    /// The tables of some policies, in any order.
    ///
    /// - Complexity: that of the automaton, which is capped.
    public init(_ images: some Sequence<PolicyImage>) {
        self.init(patterns: NameTables.patterns(of: images))
    }

    /// The tables of some patterns.
    public init(patterns: Set<NamePattern>) {
        // The texts are made once, not for each comparison.
        self.patterns = patterns.map { (text: $0.text, pattern: $0) }.sorted { $0.text < $1.text }.map(\.pattern)
        automaton = NameAutomaton(self.patterns)
        absent = Set(automaton.leftOut.map { [patterns = self.patterns] in patterns[$0] })
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

    /// The L7 bits of a policy, of its one word, for which a query is not decided by the automaton alone: the pod is told to make it over
    /// TCP, where the proxy decides by all patterns. They are bits of DNS rules that hold over TCP too.
    public struct StreamBits: Hashable, Sendable {
        /// Of a query that no rule allows: those that may by a pattern that did not fit.
        public var unknown: UInt64 = 0
        /// Of a query that some rules allow: all, if it is a column that has such patterns, which the answer would not be learnt for.
        public var unlearnt: UInt64 = 0

        /// None, unless some are given.
        public init(unknown: UInt64 = 0, unlearnt: UInt64 = 0) {
            self.unknown = unknown
            self.unlearnt = unlearnt
        }
    }

    /// Which those are.
    public func streamBits(of image: PolicyImage) -> StreamBits {
        guard !absent.isEmpty else { return StreamBits() }
        let asking = image.l7Bits { $0.isDNS && $0.coversTCP }
        let unknown = image.l7Bits { $0.isDNS && $0.coversTCP && hasAbsent($0.namePatterns) }
        return StreamBits(
            unknown: unknown, unlearnt: image.columns.contains { hasAbsent($0.namePatterns) } ? asking : 0)
    }

    private func hasAbsent(_ patterns: [NamePattern]) -> Bool { !absent.isDisjoint(with: patterns) }

    /// The patterns that did not fit and that, of some policy, nobody decides in the automaton's place. Those are server names, names of
    /// queries that the rule does not allow over TCP, and `toFQDNs` of pods that have such a rule or none.
    ///
    /// - Parameters:
    ///   - images: the policies.
    ///   - hasProxy: whether the node has one.
    /// - Returns: the patterns as they are written, sorted.
    public func denied(_ images: some Sequence<PolicyImage>, hasProxy: Bool) -> [String] {
        guard !absent.isEmpty else { return [] }
        var found: Set<NamePattern> = []
        for image in images {
            for bit in image.bits where !(hasProxy && bit.isDNS && bit.coversTCP) { found.formUnion(bit.namePatterns) }
            let rules = image.bits.filter(\.isDNS)
            if !hasProxy || rules.isEmpty || !rules.allSatisfy(\.coversTCP) {
                for column in image.columns { found.formUnion(column.namePatterns) }
            }
        }
        return found.intersection(absent).map(\.text).sorted()
    }

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
