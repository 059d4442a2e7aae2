public import NetTypes
public import PolicyAPI
public import PolicyIR

/// The expected verdicts of a folder: kind `PolicyTest` of `netpold.dev/v1alpha1`.
public struct PolicyTest: Hashable, Sendable {
    /// `metadata.name`.
    public var name: String
    /// Its location.
    public var location: SourceLocation
    /// `spec.manifests`: files and folders with the objects, relative to the test's folder.
    public var manifests: [String]
    /// `spec.names`: DNS answers so far.
    public var names: [String: [IPAddress]]
    /// `spec.localNode`: the name of the node that `host` refers to; `nil` for the default of `ClusterView`.
    public var localNode: String?
    /// `spec.cases`: single flows.
    public var cases: [PolicyTestCase]
    /// `spec.matrix`: every ordered pair of different pods.
    public var matrix: [PolicyTestMatrix]

    /// The expected verdict of a case.
    public enum Expectation: String, Hashable, Sendable {
        /// The flow (or the request in it) passes.
        case allow
        /// It is dropped.
        case deny
    }
}

/// One flow with its expected verdicts.
public struct PolicyTestCase: Hashable, Sendable {
    /// The flow; where `written` is there, one with its protocol alone.
    public var flow: Flow
    /// The flow as it is written, where an end stands for several or the port is a name: which flows those are the objects say, and
    /// what is expected must hold for each.
    public var written: FlowText?
    /// The request sent in it (`http`, `dns` or `sni`); `nil` when only the connection counts.
    public var request: L7Request?
    /// The verdict of the whole flow, including the request.
    public var expect: PolicyTest.Expectation?
    /// The verdict of the sender's policies for the connection; a flow to a proxy counts as allowed.
    public var egress: PolicyTest.Expectation?
    /// The verdict of the receiver's policies.
    public var ingress: PolicyTest.Expectation?
    /// Its location.
    public var location: SourceLocation
}

/// One protocol and port between all pods: which ordered pairs are denied. The others are allowed.
public struct PolicyTestMatrix: Hashable, Sendable {
    /// The transport protocol.
    public var `protocol`: L4Protocol
    /// The destination port or ICMP type.
    public var port: UInt16
    /// The pairs that are denied.
    public var denied: Set<Pair>
    /// Its location.
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
