public import BPFEmit

/// A node whose folders are watched too: those of mounted namespaces and of what the runtime notes.
public struct WatchedNode: NodeSource {
    private let source: any NodeSource
    private let folders: [String]

    /// Watches `folders` besides what `source` watches itself. A folder that is not there yet is found by the agent's own
    /// round.
    public init(_ source: any NodeSource, folders: [String]) {
        self.source = source
        self.folders = folders
    }

    /// What the source sees.
    public func evidence() throws -> HostEvidence { try source.evidence() }

    /// Watches all of them.
    public func watch(_ changed: @escaping @Sendable () -> Void) throws {
        for folder in folders {
            if let watcher = try? FolderWatcher(folder) { try watcher.start(changed) }
        }
        try source.watch(changed)
    }
}
