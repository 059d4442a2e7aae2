public import PolicyAPI
public import PolicyIR

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
