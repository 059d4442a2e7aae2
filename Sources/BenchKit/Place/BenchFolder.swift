import Agent
import Foundation
import Glibc
import LabKit
import Support
import SystemPackage

/// The folder of one run of a bench, `/run/netpold/NAME-PID`: a lock, the mounts of the run's namespaces, files beside them.
///
/// The lock goes with the process, however it ends: what a killed run has left, the next run of the same bench takes away.
final class BenchFolder: Sendable {
    /// The name, which an agent of the run has for its instance too.
    let name: String
    private let root: String
    private let lock: FileLock

    /// Makes the folder of this process, after it has taken away what killed runs of the bench have left.
    ///
    /// - Throws: what the system refused, or that this process has such a folder already.
    init(_ bench: String, in root: String = InstancePaths.folder) throws {
        mkdir(root, 0o755)
        BenchFolder.removeLeft(by: bench, in: root)
        let name = "\(bench)-\(getpid())"
        let path = "\(root)/\(name)"
        try SystemError.check("make folder", path) { mkdir(path, 0o700) }
        lock = try FileLock(BenchFolder.lockFile(in: path))
        self.name = name
        self.root = root
        let network = self.network
        try SystemError.check("make folder", network) { mkdir(network, 0o700) }
    }

    /// Where the namespaces are mounted, and nothing else is: what takes a network away knows its own names only.
    var network: String { BenchFolder.network(in: path) }

    /// A file of the run.
    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Builds the network of the run. Where that fails, the folder is gone.
    ///
    /// - Throws: what the system refused; what `check` throws, which is called after each attachment.
    func build(_ layout: NetworkLayout, check: () throws -> Void) throws -> RoutedNetwork {
        do {
            return try RoutedNetwork.build(layout, in: network) { _ in try check() }
        } catch {
            remove()
            throw error
        }
    }

    /// Takes everything away: the run's agent, what it has pinned, the network, the files. Says what cannot be.
    func remove() {
        do {
            try BenchFolder.takeAway(name, in: root)
        } catch {
            ErrorOutput.error("\(error)")
        }
    }

    private var path: String { "\(root)/\(name)" }
    private static func network(in path: String) -> String { "\(path)/net" }
    private static func lockFile(in path: String) -> String { "\(path)/lock" }

    private static func takeAway(_ name: String, in root: String) throws {
        let path = "\(root)/\(name)"
        LabProcess.end(whoseArgumentsHold: [["--instance", name]])
        try InstanceRemains.unpin(name)
        if access(network(in: path), F_OK) == 0 { try RoutedNetwork.remove(folder: network(in: path)) }
        try FileManager.default.removeItem(atPath: path)
        InstanceRemains.removeFiles(name)
        // Where it was the last.
        rmdir(root)
    }

    /// Takes away what killed runs of a bench have left; what cannot be stays for the next.
    private static func removeLeft(by bench: String, in root: String) {
        for name in (try? FolderNames.read(root)) ?? [] {
            guard name.hasPrefix("\(bench)-"), let process = pid_t(name.dropFirst(bench.count + 1)),
                hasEnded(process), let lock = try? FileLock(lockFile(in: "\(root)/\(name)"))
            else { continue }
            defer { withExtendedLifetime(lock) {} }
            try? takeAway(name, in: root)
        }
        // The folder above may have gone with the last of them.
        mkdir(root, 0o755)
    }

    /// Whether a process has ended. One that has this one's number has.
    private static func hasEnded(_ process: pid_t) -> Bool {
        process == getpid() || (kill(process, 0) != 0 && Errno.current == .noSuchProcess)
    }
}
