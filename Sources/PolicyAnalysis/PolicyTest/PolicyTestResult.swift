/// What came of one PolicyTest.
public struct PolicyTestResult: Hashable, Sendable {
    /// The test's name.
    public var name: String
    /// How many flows were decided.
    public var flows: Int
    /// How many of them carry a request that meets L7 rules which were not asked: only the connection was decided.
    public var requestsNotAsked = 0
    /// What differs from the expectations.
    public var failures: [PolicyTestFailure]

    /// Whether everything is as expected.
    public var passed: Bool { failures.isEmpty }
}
