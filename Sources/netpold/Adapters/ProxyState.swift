import Agent
import Foundation
import Glibc
import L7Proxy
import Support
import Synchronization
import SystemPackage

/// Says in a file which rules the proxy has in force and what it has refused: whoever starts it waits for the file, the agent for the
/// revision, and shows the rest in its status.
final class ProxyState: Sendable {
    /// The file's path.
    private let path: String
    private let written: Mutex<ProxyStatus?> = Mutex(nil)

    /// The state in the file at a path.
    init(path: String) { self.path = path }

    /// Rules of a revision are in force.
    func tell(revision: UInt64) throws {
        try change { $0.revision = revision }
    }

    /// What happened until now.
    func tell(_ counters: ProxyCounters) throws {
        try change { status in
            status.connections = counters.open
            status.refusedConnections = ProxyState.named(counters.refusedConnections) { $0.rawValue }
            // Closed too, since nobody knows what holds for them.
            if counters.unknownFlows > 0 { status.refusedConnections["unknown-flow"] = counters.unknownFlows }
            status.clientFaults = ProxyState.named(counters.http2Faults) { $0.rawValue }
            status.serverFaults = ProxyState.named(counters.serverFaults) { $0.rawValue }
                .merging(ProxyState.named(counters.responseFaults) { $0.name }, uniquingKeysWith: +)
        }
    }

    private static func named<Key>(_ counts: [Key: UInt64], _ name: (Key) -> String) -> [String: UInt64] {
        Dictionary(counts.map { (name($0.key), $0.value) }, uniquingKeysWith: +)
    }

    /// Writes the file whole, where it says something else: `{"pid":1,"revision":2}` and more.
    private func change(_ change: (inout ProxyStatus) -> Void) throws {
        try written.withLock { written in
            var status = written ?? ProxyStatus(processID: getpid(), revision: 0)
            change(&status)
            guard status != written else { return }
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            let data = try encoder.encode(status)
            try FileContent.replace(path, with: data, permissions: [.ownerReadWrite, .groupRead, .otherRead])
            written = status
        }
    }

    /// Removes the file: nobody serves any more.
    func remove() { unlink(path) }
}
