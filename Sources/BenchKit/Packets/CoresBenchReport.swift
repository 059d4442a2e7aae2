/// What the bench of CPUs at once measured.
public struct CoresBenchReport: Sendable {
    /// Nanoseconds a packet.
    public struct Times: Hashable, Sendable {
        /// While the other CPU does nothing; the mean of both.
        public var alone: Int
        /// While the other CPU does the same; the mean of both.
        public var together: Int

        /// How many times as long a packet takes beside another CPU's.
        var factor: Double { Double(together) / Double(max(alone, 1)) }
    }

    /// One round of a case.
    public struct Sample: Hashable, Sendable {
        /// Through the parser alone.
        public var reference: Times
        /// Through the datapath.
        public var cost: Times

        /// What a packet is slower by beside another CPU's than the parser is.
        var contention: Double { cost.factor / reference.factor }
    }

    /// All rounds of a case.
    public struct Result: Sendable {
        /// The case.
        public var bench: PacketBenchCase
        /// By round; at least one.
        public var samples: [Sample]

        /// The median of all rounds.
        public func median(_ part: (Sample) -> Int) -> Int { samples.map(part).quantile(0.5) ?? 0 }

        /// The median of all rounds: 1 where the CPUs share nothing that is written.
        public var contention: Double { samples.map(\.contention).quantile(0.5) ?? 1 }

        /// Most that it should be. New flows write the table of the pod's flows, whose sets both CPUs fill.
        public var limit: Double { bench.packets == .new && bench.policies == .bothDirections ? 1.5 : 1.1 }

        /// Whether it is so.
        public var isMet: Bool { contention <= limit }
    }

    /// In the order of the cases.
    public var results: [Result]

    /// Whether no case is slower than it should be.
    public var isMet: Bool { results.allSatisfy(\.isMet) }
}
