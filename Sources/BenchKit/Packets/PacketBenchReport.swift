/// What the packet bench measured.
public struct PacketBenchReport: Sendable {
    /// One round of a case: nanoseconds a packet, of the same packets each time.
    public struct Sample: Hashable, Sendable {
        /// Through a program that does nothing.
        public var empty: Int
        /// What the case is compared with (`PacketBenchCase.reference`).
        public var reference: Int
        /// Through the datapath.
        public var cost: Int
    }

    /// All rounds of a case.
    public struct Result: Hashable, Sendable {
        /// The case.
        public var bench: PacketBenchCase
        /// By round; at least one.
        public var samples: [Sample]

        /// The lowest of all rounds.
        public func minimum(_ part: (Sample) -> Int) -> Int { samples.map(part).min() ?? 0 }

        /// The median of all rounds.
        public func median(_ part: (Sample) -> Int) -> Int { samples.map(part).quantile(0.5) ?? 0 }

        /// What the datapath adds to the reference: both at their least disturbed.
        public var aboveReference: Int { minimum(\.cost) - minimum(\.reference) }

        /// The datapath over the reference: both at their least disturbed.
        public var multiple: Double { Double(minimum(\.cost)) / Double(max(minimum(\.reference), 1)) }

        /// Whether the case costs no more than it should.
        public var isMet: Bool { aboveReference <= bench.limit }
    }

    /// In the order of the cases.
    public var results: [Result]
    /// Cases that could not be measured, and why.
    public var skipped: [String]

    /// Whether every case that was measured costs no more than it should.
    public var isMet: Bool { results.allSatisfy(\.isMet) }
}

extension PacketBenchReport: Encodable {
    private struct Row: Encodable {
        var policies: String
        var name: String
        var empty: Int
        var referenceName: String
        var reference: Int
        var minimum: Int
        var median: Int
        var aboveReference: Int
        var multiple: Double
        var limit: Int
        var isMet: Bool
    }

    private enum Key: String, CodingKey {
        case version, cases, skipped, isMet
    }

    /// One object a case, nanoseconds a packet.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        let rows = results.map { result in
            Row(
                policies: result.bench.policies.rawValue, name: result.bench.name, empty: result.minimum(\.empty),
                referenceName: result.bench.reference.rawValue, reference: result.minimum(\.reference),
                minimum: result.minimum(\.cost), median: result.median(\.cost),
                aboveReference: result.aboveReference, multiple: result.multiple, limit: result.bench.limit,
                isMet: result.isMet)
        }
        try container.encode(1, forKey: .version)
        try container.encode(rows, forKey: .cases)
        try container.encode(skipped, forKey: .skipped)
        try container.encode(isMet, forKey: .isMet)
    }
}
