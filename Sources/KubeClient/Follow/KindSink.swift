/// What comes of following a kind, in order.
public enum KindChange: Sendable {
    /// A new set of objects begins; the one before stays in force.
    case begin
    /// Objects of the new set. `place` is the index of the place that has them.
    case page(ListPage, place: Int)
    /// Objects of the new set that came as events.
    case initial([WatchLine], place: Int)
    /// The new set is complete, and takes the place of the one before.
    case replace
    /// The new set will never be complete.
    case discard
    /// What happened since.
    case events([WatchLine], place: Int)
    /// There is no such kind, and so there are no objects.
    case remove
    /// It stands otherwise with the kind.
    case health(KindHealth)
}

/// Who wants the objects of a kind.
public protocol KindSink: Sendable {
    /// Takes what came. Nothing more is read until it returns.
    ///
    /// - Returns: what of it cannot be meant as it stands, in words: it counts as garbled, and everything is listed again. `nil`
    ///   as a rule.
    func take(_ changes: [KindChange]) async -> String?
}
