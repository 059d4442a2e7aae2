/// What the policies of both ends say about a flow.
public struct Decision: Hashable, Sendable {
    /// What the sender's policies say.
    public var egress: SideDecision
    /// What the receiver's policies say.
    public var ingress: SideDecision

    /// A decision of both sides.
    public init(egress: SideDecision, ingress: SideDecision) {
        self.egress = egress
        self.ingress = ingress
    }

    /// The whole answer: "both ends decide independently; both must permit". With L7 conditions at both ends, `l7` holds
    /// the receiver's and `egress` still the sender's: each side's list must permit.
    public var verdict: SideDecision.Verdict {
        if egress.verdict == .deny || ingress.verdict == .deny { return .deny }
        if case .l7 = ingress.verdict { return ingress.verdict }
        return egress.verdict
    }
}
