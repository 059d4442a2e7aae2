/// Whether flows between two pods of the node may go past the node's network stack.
public enum FastPathMode: String, Hashable, CaseIterable, Sendable {
    /// None begins to.
    case off
    /// Where nothing in the node's rules would miss their packets.
    case auto
    /// Whatever the node's rules say about packets behind a flow's first one.
    case always
}
