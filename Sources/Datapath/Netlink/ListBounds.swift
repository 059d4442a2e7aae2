/// What listing something over netlink may cost. In a namespace that somebody else rules a list may be as long as memory
/// allows, and change each time it is read.
public struct ListBounds: Hashable, Sendable {
    /// Entries that are kept; more of them is an error.
    public var count: Int
    /// How often the list is read, where it changes meanwhile.
    public var attempts: Int
    /// When reading ends, as an error; `nil` for no such time.
    public var deadline: ContinuousClock.Instant?

    /// Bounds.
    public init(count: Int, attempts: Int, deadline: ContinuousClock.Instant? = nil) {
        self.count = count
        self.attempts = attempts
        self.deadline = deadline
    }

    /// For the node's own namespace, in which only its administrators add to a list.
    public static let ofNode = ListBounds(count: .max, attempts: 16)
}
