public import BPFEmit

/// Looks at the host: links, namespaces, what the runtime noted.
public protocol NodeSource: Sendable {
    /// Looks once. Blocks for some milliseconds.
    ///
    /// - Throws: when nothing can be said of the host's links; what was seen before stays.
    func evidence() throws -> HostEvidence
    /// Calls `changed` (on any thread, coalesced or not) whenever another look might find something else.
    func watch(_ changed: @escaping @Sendable () -> Void) throws
}
