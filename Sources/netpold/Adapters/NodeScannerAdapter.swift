import Agent
import Datapath
import Foundation
import Glibc

/// The node as the agent sees it: namespaces mounted in a folder, and the addresses of the agent's own namespace.
final class NodeScannerAdapter: NamespaceSource {
    private let folder: String

    /// A source that looks at the namespaces mounted in `folder`.
    init(folder: String) {
        self.folder = folder
    }

    func scan() throws -> NodeSight {
        let found = try NamespaceScanner.scan(folder)
        let namespaces = found.namespaces.map { namespace in
            DiscoveredNamespace(
                name: namespace.name, inode: namespace.inode,
                interfaces: namespace.interfaces.map {
                    DiscoveredInterface(
                        ifindex: UInt32($0.peerIndex), name: $0.peerName, addresses: $0.addresses)
                })
        }
        // A namespace without a way to here has no traffic that could be enforced on here.
        return NodeSight(
            namespaces: namespaces.filter { !$0.interfaces.isEmpty }, nodeAddresses: try LocalAddresses.current())
    }

    func watch(_ changed: @escaping @Sendable () -> Void) throws {
        // A folder that is not there yet is found by the agent's own round.
        if let watcher = try? FolderWatcher(folder) { try watcher.start(changed) }
        try LinkThread.start(changed)
    }
}

/// Watches links and addresses on a thread of its own, for as long as the process lives.
private enum LinkThread {
    /// When to look again after an event, milliseconds: an address that is given inside a pod tells nobody outside, and
    /// comes right after the veth.
    static let echoes: [Int32] = [20, 50, 100, 200, 500, 1000]

    /// The monitor on its way to the thread. Unchecked: handed over once, used by that thread only.
    private struct Handover: @unchecked Sendable {
        let monitor: LinkMonitor
    }

    static func start(_ changed: @escaping @Sendable () -> Void) throws {
        let handover = Handover(monitor: try LinkMonitor())
        Thread.detachNewThread {
            let monitor = handover.monitor
            var pending = echoes[...]
            while true {
                var request = pollfd(fd: monitor.descriptor, events: Int16(POLLIN), revents: 0)
                if poll(&request, 1, pending.first ?? -1) > 0 {
                    if monitor.drain() { pending = echoes[...] }
                } else {
                    pending = pending.dropFirst()
                }
                changed()
            }
        }
    }
}
