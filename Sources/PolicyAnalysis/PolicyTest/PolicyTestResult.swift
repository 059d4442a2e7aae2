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
    /// The cases and matrices of the test, in its order.
    public var cases: [CheckedCase] = []
    /// The flows whose verdict differs from the expectation.
    public var failures: [PolicyTestFailure]

    /// How many flows differ.
    public var differing: Int { failures.reduce(0) { $0 + 1 + $1.alike } }
    /// Whether every verdict is as expected.
    public var passed: Bool { failures.isEmpty }
    /// Whether a case is about something that there is not.
    public var isMistaken: Bool { failures.contains { $0.kind == .unknown } }

    /// A case or matrix of a test.
    public struct CheckedCase: Hashable, Sendable {
        /// What it is about: `shop/web -> shop/db TCP 5432`, `matrix TCP 80`.
        public var name: String
        /// Where it is written, as the failures of its flows are.
        public var location: SourceLocation
    }
}

/// A flow whose verdict is not the expected one.
public struct PolicyTestFailure: Hashable, Sendable {
    /// The kind of failure.
    public enum Kind: Hashable, Sendable {
        /// The verdict differs.
        case different
        /// The flow cannot be decided at all.
        case undecidable
        /// It is between ends that there are not: the test itself is wrong.
        case unknown
    }

    /// The kind.
    public var kind: Kind
    /// The flow.
    public var flow: Flow
    /// The flow as it is written, where it cannot be told which one that is.
    public var written: String?
    /// The request in it, if the case has one.
    public var request: L7Request?
    /// The location of the expectation.
    public var location: SourceLocation
    /// The expected verdict, for example `egress deny`.
    public var expected: String
    /// The actual verdict, or why there is none.
    public var actual: String
    /// `expected deny, got allow`; for a flow that cannot be decided, why.
    public var difference: String {
        switch kind {
        case .different:
            "expected \(expected), got \(actual)" + (alike > 0 ? " (and so do \(alike) more of its parts)" : "")
        case .undecidable, .unknown:
            actual.hasSuffix("?")
                ? "\(actual) (so it cannot be decided; expected is \(expected))"
                : "\(actual), so it cannot be decided; expected is \(expected)"
        }
    }
    /// The explanation, in lines.
    public var reason: [String]
    /// How many further flows that the case stands for differ likewise.
    public var alike = 0
}
