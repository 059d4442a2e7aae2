public import NetTypes
public import PolicyAPI

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
