/// Which packets somebody wants event records of.
public enum EventInterest: Hashable, Sendable {
    /// Dropped ones.
    case drops
    /// New verdicts of both kinds, and every drop.
    case verdicts
}
