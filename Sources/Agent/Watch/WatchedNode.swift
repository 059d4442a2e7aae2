public import BPFEmit

/// A node whose folder of mounted namespaces is watched too.
public struct WatchedNode: NodeSource {
    private let source: any NodeSource
    private let folder: String

    /// Watches `folder` besides what `source` watches itself. A folder that is not there yet is found by the agent's own
    /// round.
    public init(_ source: any NodeSource, folder: String) {
        self.source = source
        self.folder = folder
    }

    /// The source's snapshot.
    public func snapshot() throws -> NodeSnapshot { try source.snapshot() }

    /// Watches both.
    public func watch(_ changed: @escaping @Sendable () -> Void) throws {
        if let watcher = try? FolderWatcher(folder) { try watcher.start(changed) }
        try source.watch(changed)
    }
}
