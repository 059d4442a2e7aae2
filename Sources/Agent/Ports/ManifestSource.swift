/// Where manifests come from.
public protocol ManifestSource: Sendable {
    /// Reads what is there now. Blocks.
    func read() throws -> ManifestSnapshot
    /// Calls `changed` (on any thread) whenever another reading might find something else.
    func watch(_ changed: @escaping @Sendable () -> Void) throws
}
