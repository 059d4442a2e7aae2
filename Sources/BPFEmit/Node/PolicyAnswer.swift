/// What a policy program says about a packet. Raw values are `enum np_verdict`.
public enum PolicyVerdict: UInt8, Hashable, Sendable {
    /// The packet passes.
    case allow = 1
    /// The packet is dropped.
    case deny = 2
    /// Only L7 rules match: the proxy decides.
    case l7 = 3
}

/// Why a policy program answers as it does. Raw values are `enum np_decision`.
public enum PolicyDecision: UInt8, Hashable, CaseIterable, Sendable {
    /// A rule bit.
    case rule = 0
    /// The subject is isolated and nothing matched.
    case defaultDeny = 1
    /// The subject is not isolated and nothing matched.
    case defaultAllow = 2
    /// The local node reaches its pods.
    case host = 3
}

/// A policy program's answer for one class of packets.
public struct PolicyAnswer: Hashable, Sendable {
    /// What happens to the packet.
    public var verdict: PolicyVerdict
    /// Why.
    public var decision: PolicyDecision
    /// The number of the rule bit that decided; `nil` unless `decision` is `rule`.
    public var bit: Int?

    /// An answer.
    public init(_ verdict: PolicyVerdict, _ decision: PolicyDecision, bit: Int? = nil) {
        self.verdict = verdict
        self.decision = decision
        self.bit = bit
    }
}

extension PolicyAnswer: CustomStringConvertible {
    /// `allow by bit 3`, `deny by defaultDeny`.
    public var description: String {
        bit.map { "\(verdict) by bit \($0)" } ?? "\(verdict) by \(decision)"
    }
}
