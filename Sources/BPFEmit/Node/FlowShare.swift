/// An endpoint's part of the flow table.
public struct FlowShare: Hashable, Codable, Sendable {
    /// Flows it has, as of the latest walk over the table.
    public var used: Int
    /// Of them, those that somebody has answered.
    public var answered: Int
    /// Flows it has room for.
    public var room: Int
    /// Whether it would get more room if it needed it.
    public var canGrow: Bool
    /// New flows that were remembered, since the endpoint is there.
    public var inserted: UInt64
    /// Unanswered flows that made room for new ones.
    public var evicted: UInt64
    /// New flows that found no room; their packets were dropped.
    public var refused: UInt64

    /// A share.
    public init(
        used: Int, answered: Int, room: Int, canGrow: Bool, inserted: UInt64 = 0, evicted: UInt64 = 0,
        refused: UInt64 = 0
    ) {
        self.used = used
        self.answered = answered
        self.room = room
        self.canGrow = canGrow
        self.inserted = inserted
        self.evicted = evicted
        self.refused = refused
    }

    /// Whether four fifths of the room are taken by answered flows and no more is to be had: soon new flows will find none.
    public var isCrowded: Bool { !canGrow && 5 * answered >= 4 * room }

    /// Names of the local API (docs/reference/local-api.md).
    private enum CodingKeys: String, CodingKey {
        case used = "used"
        case answered = "answered"
        case room = "room"
        case canGrow = "canGrow"
        case inserted = "inserted"
        case evicted = "evicted"
        case refused = "refused"
    }
}
