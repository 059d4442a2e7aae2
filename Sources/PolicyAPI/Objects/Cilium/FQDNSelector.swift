/// One element of `toFQDNs` or of `rules.dns`: a literal name or a pattern, as written.
public enum FQDNSelector: Hashable, Sendable {
    /// `matchName`.
    case name(String)
    /// `matchPattern`.
    case pattern(String)
}
