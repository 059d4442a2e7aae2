/// What a compiled policy refuses, whoever the remote end is: what its program can answer at all.
public enum PolicyStrictness: Hashable, Sendable {
    /// Nothing: every packet is allowed.
    case open
    /// What deny rules say; everything else is allowed.
    case denying
    /// What no rule allows.
    case isolating
}
