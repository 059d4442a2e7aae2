import CNetpoldABI

/// What a policy program says about a packet.
public enum PolicyVerdict: ABIEnumeration {
    /// The packet passes.
    case allow
    /// The packet is dropped.
    case deny
    /// Only L7 rules match: the proxy decides.
    case l7
    /// A plain rule allows the packet, and DNS rules cover it as well: the exchange is read.
    case allowRead

    /// `enum np_verdict`.
    public var rawValue: UInt8 {
        let number =
            switch self {
            case .allow: NP_VERDICT_ALLOW
            case .deny: NP_VERDICT_DENY
            case .l7: NP_VERDICT_L7
            case .allowRead: NP_VERDICT_ALLOW_READ
            }
        return UInt8(number.rawValue)
    }
}

/// Why a policy program answers as it does.
public enum PolicyDecision: ABIEnumeration {
    /// A rule bit.
    case rule
    /// The subject is isolated and nothing matched.
    case defaultDeny
    /// The subject is not isolated and nothing matched.
    case defaultAllow
    /// The local node reaches its pods.
    case host

    /// `enum np_decision`.
    public var rawValue: UInt8 {
        let number =
            switch self {
            case .rule: NP_DECISION_RULE
            case .defaultDeny: NP_DECISION_DEFAULT_DENY
            case .defaultAllow: NP_DECISION_DEFAULT_ALLOW
            case .host: NP_DECISION_HOST
            }
        return UInt8(number.rawValue)
    }
}

/// A policy program's answer for one class of packets.
public struct PolicyAnswer: Hashable, Sendable {
    /// What happens to the packet.
    public var verdict: PolicyVerdict
    /// Why.
    public var decision: PolicyDecision
    /// The number of the rule bit that decided; `nil` unless `decision` is `rule`.
    public var bit: Int?
    /// Of `l7`: the numbers of all L7 bits that matched, sorted; `bit` is the first.
    public var l7: [Int]

    /// An answer.
    public init(_ verdict: PolicyVerdict, _ decision: PolicyDecision, bit: Int? = nil, l7: [Int] = []) {
        self.verdict = verdict
        self.decision = decision
        self.bit = bit
        self.l7 = l7
    }
}

extension PolicyAnswer: CustomStringConvertible {
    /// `allow by bit 3`, `deny by defaultDeny`.
    public var description: String {
        bit.map { "\(verdict) by bit \($0)" } ?? "\(verdict) by \(decision)"
    }
}
