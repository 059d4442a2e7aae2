/// What a collection of conntrack entries whose flows are over did.
public struct ConntrackCollection: Hashable, Sendable {
    /// Entries looked at.
    public var seen: Int
    /// Entries removed.
    public var removed: Int

    /// A collection.
    public init(seen: Int, removed: Int) {
        self.seen = seen
        self.removed = removed
    }
}
