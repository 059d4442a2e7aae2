/// The decisions of both ends about a flow.
public struct Decision: Hashable, Sendable {
    /// The decision of the sender's policies.
    public var egress: SideDecision
    /// The decision of the receiver's policies.
    public var ingress: SideDecision

    /// A decision of both sides.
    public init(egress: SideDecision, ingress: SideDecision) {
        self.egress = egress
        self.ingress = ingress
    }

    /// The verdict of the flow: "both ends decide independently; both must permit". With L7 conditions at both ends, `l7` contains
    /// the receiver's and `egress` still the sender's: each side's list must permit.
    public var verdict: SideDecision.Verdict {
        if egress.verdict == .deny || ingress.verdict == .deny { return .deny }
        if case .l7 = ingress.verdict { return ingress.verdict }
        return egress.verdict
    }
}
