/// What came of one PolicyTest.
public struct PolicyTestResult: Hashable, Sendable {
    /// The test's name.
    public var name: String
    /// How many flows were decided.
    public var flows: Int
    /// What differs from the expectations.
    public var failures: [PolicyTestFailure]

    /// Whether everything is as expected.
    public var passed: Bool { failures.isEmpty }
}
