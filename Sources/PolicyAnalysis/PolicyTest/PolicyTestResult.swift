public import PolicyAPI
public import PolicyIR

/// The result of one PolicyTest.
public struct PolicyTestResult: Hashable, Sendable {
    /// The test's name.
    public var name: String
    /// How many flows were decided.
    public var flows: Int
    /// How many of them have a request that was not decided: only the connection was.
    public var requestsNotAsked = 0
    /// The flows whose verdict differs from the expectation.
    public var failures: [PolicyTestFailure]

    /// Whether every verdict is as expected.
    public var passed: Bool { failures.isEmpty }
}

/// A flow whose verdict is not the expected one.
public struct PolicyTestFailure: Hashable, Sendable {
    /// The kind of failure.
    public enum Kind: Hashable, Sendable {
        /// The verdict differs.
        case different
        /// The flow cannot be decided at all.
        case undecidable
    }

    /// The kind.
    public var kind: Kind
    /// The flow.
    public var flow: Flow
    /// The request in it, if the case has one.
    public var request: L7Request?
    /// The location of the expectation.
    public var location: SourceLocation
    /// The expected verdict, for example `egress deny`.
    public var expected: String
    /// The actual verdict.
    public var actual: String
    /// The explanation, in lines.
    public var reason: [String]
}
