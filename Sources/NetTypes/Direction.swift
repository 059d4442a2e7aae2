/// A policy direction, seen from the pod that the policy selects.
public enum Direction: UInt8, Hashable, CaseIterable, Sendable {
    /// Towards the pod; decided at `to_pod`. Equals `NP_INGRESS`.
    case ingress = 0
    /// From the pod; decided at `from_pod`. Equals `NP_EGRESS`.
    case egress = 1
}

extension Direction: CustomStringConvertible {
    /// `ingress` or `egress`.
    public var description: String { self == .ingress ? "ingress" : "egress" }
}
