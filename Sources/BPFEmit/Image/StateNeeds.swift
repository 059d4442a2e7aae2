public import NetTypes

/// The need for flow state of a subject's two directions.
///
/// An answer travels in the opposite direction of what it answers, so the need of a direction follows from what the opposite
/// one refuses. A pod that no policy selects needs none, nor does either direction of one whose rules allow everything;
/// with policies of one direction only, what that direction admits is remembered nowhere.
public struct StateNeeds: Hashable, Sendable {
    /// Of what the ingress policy allows.
    public var ingress: StateNeed
    /// Of what the egress policy allows.
    public var egress: StateNeed

    /// Needs as they are.
    public init(ingress: StateNeed, egress: StateNeed) {
        self.ingress = ingress
        self.egress = egress
    }

    /// The needs of a subject with these policies.
    public init(ingress: PolicyStrictness, egress: PolicyStrictness) {
        self.init(
            ingress: StateNeeds.need(of: ingress, opposite: egress),
            egress: StateNeeds.need(of: egress, opposite: ingress))
    }

    /// The need of a direction.
    public subscript(direction: Direction) -> StateNeed { direction == .ingress ? ingress : egress }

    /// The larger need of each direction: right before a change of policies and after it.
    public func raised(to other: StateNeeds) -> StateNeeds {
        StateNeeds(ingress: max(ingress, other.ingress), egress: max(egress, other.egress))
    }

    private static func need(of own: PolicyStrictness, opposite: PolicyStrictness) -> StateNeed {
        switch (own, opposite) {
        case (_, .open): .never
        // Most packets of a direction that isolates are answers or packets with an entry.
        case (.isolating, .denying), (.isolating, .isolating): .always
        case (.open, .denying), (.open, .isolating), (.denying, .denying), (.denying, .isolating): .mirror
        }
    }
}

extension SubjectImage {
    /// Whether packets that its policies allow need a flow entry.
    ///
    /// Flows that names let in, or that are read, are remembered whatever the opposite direction says: names expire while they live.
    public var stateNeeds: StateNeeds {
        if ingress.asksMore || egress.asksMore { return StateNeeds(ingress: .always, egress: .always) }
        return StateNeeds(ingress: ingress.strictness, egress: egress.strictness)
    }
}
