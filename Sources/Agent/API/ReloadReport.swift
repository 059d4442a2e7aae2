/// What reading all sources again has changed.
public struct ReloadReport: Hashable, Codable, Sendable {
    /// Objects that are not in force any more, `Kind namespace/name`, sorted.
    public var dropped: [String]
    /// Objects that are in force although their source does not have them any more, or not as they are: with `acceptEmpty`
    /// those of files that cannot be read. Sorted.
    public var kept: [String]
    /// What is odd about the sources, sorted.
    public var conditions: [Condition]

    /// A report.
    public init(dropped: [String] = [], kept: [String] = [], conditions: [Condition] = []) {
        self.dropped = dropped
        self.kept = kept
        self.conditions = conditions
    }

    /// What sources reported when they were read again.
    init(_ batches: [ObjectBatch]) {
        self.init(
            dropped: batches.flatMap(\.dropped).sorted().map(\.text),
            kept: batches.flatMap(\.kept).sorted().map(\.text), conditions: batches.flatMap(\.conditions).sorted())
    }

    private enum CodingKeys: String, CodingKey {
        case dropped = "dropped"
        case kept = "kept"
        case conditions = "conditions"
    }
}
