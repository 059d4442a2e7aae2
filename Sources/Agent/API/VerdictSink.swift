/// Who gets verdicts: never waits for whoever reads them.
public protocol VerdictSink: Sendable {
    /// Takes a verdict's line; answers whether there was room for it. What finds none is counted by the sink.
    func send(verdict line: [UInt8]) -> Bool
    /// Counts verdicts that were not sent.
    func send(lost count: UInt64)
}
