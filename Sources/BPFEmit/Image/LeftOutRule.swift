public import PolicyAPI

/// A rule that is not in force as it is written, because it did not fit. What it would allow is not allowed.
public struct LeftOutRule: Hashable, Sendable {
    /// What did not fit.
    public enum Reason: Hashable, Sendable {
        /// More rules with L7 conditions than one answer can name.
        case l7Bits
        /// Endpoints of a Service that somebody else chooses from have different rules with L7 conditions.
        case endpoints
        /// More different lists of names than a pod can have columns.
        case columns
    }

    /// The rule.
    public var origin: RuleOrigin
    /// What did not fit.
    public var reason: Reason

    /// A rule.
    public init(origin: RuleOrigin, reason: Reason) {
        self.origin = origin
        self.reason = reason
    }
}

extension LeftOutRule: CustomStringConvertible {
    /// One sentence, without the rule.
    public var description: String {
        switch reason {
        case .l7Bits:
            "these pods have more than 64 rules with L7 conditions in one direction; this one is not in force, so what it would "
                + "allow is denied"
        case .endpoints:
            "its endpoints have different rules with L7 conditions, and which of them is chosen is not known here, so what is asked "
                + "through the Service is denied"
        case .columns:
            "these pods have more than 32 different lists of toFQDNs; the names of this one are not in force, so what they would "
                + "allow is denied"
        }
    }
}
