public import NetTypes
public import PolicyAPI
public import PolicyIR

/// A folder's expected answers: kind `PolicyTest` of `netpold.dev/v1alpha1`.
public struct PolicyTest: Hashable, Sendable {
    /// `metadata.name`.
    public var name: String
    /// Where it is written.
    public var location: SourceLocation
    /// `spec.manifests`: files and folders with the objects, relative to the test's folder.
    public var manifests: [String]
    /// `spec.names`: what DNS has answered so far.
    public var names: [String: [IPAddress]]
    /// `spec.localNode`: the name of the node that `host` means; `nil` leaves it to `ClusterView`.
    public var localNode: String?
    /// `spec.cases`: single flows.
    public var cases: [PolicyTestCase]
    /// `spec.matrix`: every ordered pair of different pods.
    public var matrix: [PolicyTestMatrix]

    /// The answer a case expects.
    public enum Expectation: String, Hashable, Sendable {
        /// The flow (or the request in it) passes.
        case allow
        /// It does not.
        case deny
    }
}

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

/// One protocol and port between all pods: which ordered pairs are denied. The others are allowed.
public struct PolicyTestMatrix: Hashable, Sendable {
    /// The transport protocol.
    public var `protocol`: L4Protocol
    /// The destination port or ICMP type.
    public var port: UInt16
    /// The pairs that do not get through.
    public var denied: Set<Pair>
    /// Where it is written.
    public var location: SourceLocation

    /// A sender and a receiver, each `namespace/name`.
    public struct Pair: Hashable, Sendable {
        /// The sender.
        public var from: String
        /// The receiver.
        public var to: String

        /// A pair.
        public init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }
}
