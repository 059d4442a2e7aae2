public import PolicyAPI
public import PolicyIR

/// One flow with its expected answers.
public struct PolicyTestCase: Hashable, Sendable {
    /// The flow.
    public var flow: Flow
    /// The request sent in it (`http`, `dns` or `sni`); `nil` when only the connection counts.
    public var request: L7Request?
    /// The whole answer, that to the request included.
    public var expect: PolicyTest.Expectation?
    /// The sender's answer to the connection; what goes to a proxy is allowed here.
    public var egress: PolicyTest.Expectation?
    /// The receiver's.
    public var ingress: PolicyTest.Expectation?
    /// Where it is written.
    public var location: SourceLocation
}
