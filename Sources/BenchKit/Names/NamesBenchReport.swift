/// What `bench-names` has measured, by round.
public struct NamesBenchReport: Sendable {
    /// Latencies of allowed answers, of one measurement.
    public struct Latency: Sendable {
        /// Microseconds from the query's `send` to the answer's `recv`.
        public var median: Double
        /// The same, of which 99 of 100 answers stay below.
        public var high: Double
        /// Answers that came.
        public var answers: Int
        /// Queries without an answer.
        public var lost: Int
        /// CPU time of all threads, of that which all CPUs have.
        public var load: Double
    }

    /// Nanoseconds of one run of the datapath's programs, without the reference's.
    public struct Programs: Sendable {
        /// A query that rules allow.
        public var query: Double
        /// An answer of four addresses that the pod has learnt before.
        public var knownAnswer: Double
        /// An answer of four new addresses.
        public var newAnswer: Double
    }

    /// Limits of issue 9: microseconds added to the median latency.
    public static let addedLimit = 20.0
    /// Nanoseconds of an answer of four addresses.
    public static let answerLimit = 2_500.0
    /// Nanoseconds of a query.
    public static let queryLimit = 800.0
    /// The part of the CPUs that the load may take.
    public static let loadLimit = 0.5

    /// Without a policy.
    public internal(set) var plain: [Latency] = []
    /// With DNS rules and `toFQDNs`.
    public internal(set) var enforced: [Latency] = []
    /// Of the programs.
    public internal(set) var programs: [Programs] = []

    /// Microseconds that enforcement adds to the median of each round.
    public var added: [Double] { zip(enforced, plain).map { $0.median - $1.median } }

    /// A figure with its limit.
    public struct Figure: Sendable {
        /// What it is.
        public var name: String
        /// The median of the rounds, and the range of their middle half.
        public var median: Double
        /// The range.
        public var range: ClosedRange<Double>
        /// What the median is to be at most.
        public var limit: Double
        /// Its unit.
        public var unit: String
        /// Whether it is so.
        public var isMet: Bool { median <= limit }
    }

    /// The figures that have limits.
    public var figures: [Figure] {
        func figure(_ name: String, _ values: [Double], _ limit: Double, _ unit: String) -> Figure {
            let low = values.quantile(0.25) ?? 0
            return Figure(
                name: name, median: values.quantile(0.5) ?? 0, range: low...max(low, values.quantile(0.75) ?? 0),
                limit: limit, unit: unit)
        }
        return [
            figure("added to the median latency", added, Self.addedLimit, "us"),
            figure("load on all CPUs", (plain + enforced).map { $0.load * 100 }, Self.loadLimit * 100, "%"),
            figure("query", programs.map(\.query), Self.queryLimit, "ns"),
            figure("answer, four known addresses", programs.map(\.knownAnswer), Self.answerLimit, "ns"),
            figure("answer, four new addresses", programs.map(\.newAnswer), Self.answerLimit, "ns"),
        ]
    }

    /// Queries that were lost, in all rounds.
    public var lost: Int { (plain + enforced).reduce(0) { $0 + $1.lost } }
}
