public import BPFEmit
public import Support

/// Takes snapshots of a node: the namespaces mounted in a folder, and the addresses of the calling thread's namespace.
public struct NodeScanner: Sendable {
    private let folder: String

    /// A scanner of the namespaces mounted in `folder`.
    public init(folder: String) {
        self.folder = folder
    }

    /// Observes once. Blocks for some milliseconds.
    ///
    /// - Throws: `SystemError` when the own namespace cannot be read.
    public func snapshot() throws(SystemError) -> NodeSnapshot {
        let found = try NamespaceScanner.scan(folder)
        // A namespace without a way to here has no traffic that could be enforced on here.
        return NodeSnapshot(
            namespaces: found.namespaces.filter { !$0.interfaces.isEmpty }, addresses: try LocalAddresses.current())
    }

    /// Calls `changed`, on a thread that lives as long as the process, whenever links or addresses change, and some times
    /// afterwards.
    public func watch(_ changed: @escaping @Sendable () -> Void) throws(SystemError) {
        try LinkThread.start(changed)
    }
}
