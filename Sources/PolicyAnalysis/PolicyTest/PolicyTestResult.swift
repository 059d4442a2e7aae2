public import PolicyAPI
public import PolicyIR

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

/// A flow whose answer is not the expected one.
public struct PolicyTestFailure: Hashable, Sendable {
    /// What kind of failure.
    public enum Kind: Hashable, Sendable {
        /// The answer differs.
        case different
        /// The flow cannot be decided at all.
        case undecidable
    }

    /// What kind.
    public var kind: Kind
    /// The flow.
    public var flow: Flow
    /// The request in it, if the case has one.
    public var request: L7Request?
    /// Where the expectation is written.
    public var location: SourceLocation
    /// What is expected, for example `egress deny`.
    public var expected: String
    /// What was answered instead.
    public var actual: String
    /// Why, in lines.
    public var reason: [String]
}
