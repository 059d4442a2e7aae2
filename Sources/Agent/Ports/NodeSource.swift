public import BPFEmit

/// Observes the node: namespaces, veths, addresses.
public protocol NodeSource: Sendable {
    /// Observes once. Blocks for some milliseconds.
    func snapshot() throws -> NodeSnapshot
    /// Calls `changed` (on any thread, coalesced or not) whenever another snapshot might differ.
    func watch(_ changed: @escaping @Sendable () -> Void) throws
}
