import Agent
import Datapath
import Foundation
import Glibc
import Support
import SystemPackage

/// The folder of one lab, `/run/netpold/lab/<name>`: a lock, the state, the namespaces' mounts. Held by one process at a
/// time; the lock goes with the process, however it ends.
public final class LabFolder {
    /// Holds all labs.
    static let root = "\(InstancePaths.folder)/lab"

    /// Name of the lab that the user chose no name for.
    public static let defaultName = "default"

    let name: String
    private let lock: FileLock

    var path: String { "\(LabFolder.root)/\(name)" }
    var network: String { "\(path)/netns" }
    func agentLog(ofNode node: Int) -> String { "\(path)/agent\(LabFolder.suffix(node)).log" }
    func proxyLog(ofNode node: Int) -> String { "\(path)/proxy\(LabFolder.suffix(node)).log" }
    func accessLog(ofNode node: Int) -> String { "\(path)/access\(LabFolder.suffix(node)).log" }
    /// Name of the datapath instance that enforces on a node of the lab.
    func instance(ofNode node: Int) -> String { LabFolder.instance(ofLab: name, node: node) }

    /// Name of the datapath instance that enforces on a node of a lab: `lab-NAME`, `lab2-NAME`, as no other lab has it.
    public static func instance(ofLab name: String, node: Int) -> String {
        node == 0 ? "lab-\(name)" : "lab\(node + 1)-\(name)"
    }

    private static func suffix(_ node: Int) -> String { node == 0 ? "" : "-\(node + 1)" }

    /// Takes hold of a lab's folder, making it where it is not there.
    public init(claiming name: String) throws {
        guard geteuid() == 0 else {
            throw LabFailure.environment(
                "a lab needs root: it makes network namespaces and loads programs into the kernel; run it with sudo")
        }
        let legal = name.utf8.allSatisfy { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || 48...57 ~= $0 || $0 == 45 }
        guard legal, (1...27).contains(name.utf8.count) else {
            throw LabFailure.input("lab name \"\(name)\": 1 to 27 lower-case letters, digits and hyphens")
        }
        self.name = name
        lock = try LabFolder.lock(name)
    }

    /// Whether a lab of the name has been there, alive or left behind.
    public static func exists(_ name: String) -> Bool { access("\(root)/\(name)", F_OK) == 0 }

    private static func lock(_ name: String) throws -> FileLock {
        let folder = "\(root)/\(name)"
        while true {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            do throws(SystemError) {
                return try FileLock("\(folder)/lock")
            } catch {
                // Somebody who was cleaning up has removed the folder meanwhile.
                if error.errno == .noSuchFileOrDirectory { continue }
                guard error.errno == .wouldBlock else { throw error }
                let owner = read(folder).map { " by process \($0.pid)" } ?? ""
                throw LabFailure.environment("lab \"\(name)\" is in use\(owner); end it there, or take another --name")
            }
        }
    }

    /// The state of a lab, `nil` when there is none that can be read.
    static func state(of name: String) -> LabState? { read("\(root)/\(name)") }

    /// The state of this lab.
    var state: LabState? { LabFolder.read(path) }

    private static func read(_ folder: String) -> LabState? {
        guard let data = FileManager.default.contents(atPath: "\(folder)/state.json") else { return nil }
        return try? JSONDecoder().decode(LabState.self, from: data)
    }

    /// Writes the state, whole or not at all.
    func write(_ state: LabState) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(state).write(to: URL(filePath: "\(path)/state.json"), options: .atomic)
    }

    /// Ends the lab's processes, takes away its programs and namespaces, and the folder. Goes on past what fails.
    ///
    /// - Throws: what failed, all of it.
    public func remove() throws {
        var failures: [String] = []
        func attempt(_ body: () throws -> Void) {
            do { try body() } catch { failures.append("\(error)") }
        }
        // All that it may have: what its folder says of itself may be gone.
        let instances = (0..<LabNode.limit).map { instance(ofNode: $0) }
        LabProcess.end(whoseArgumentsHold: instances.map { ["--instance", $0] } + [["lab-respond", name]])
        for instance in instances { attempt { try InstanceRemains.unpin(instance) } }
        if access(network, F_OK) == 0 { attempt { try RoutedNetwork.remove(folder: network) } }
        if failures.isEmpty { attempt { try FileManager.default.removeItem(atPath: path) } }
        if !failures.isEmpty {
            throw LabFailure.environment("lab \"\(name)\" could not be removed: \(failures.joined(separator: "; "))")
        }
        for instance in instances { InstanceRemains.removeFiles(instance) }
        // Also the folders above, when this was the last lab.
        rmdir(LabFolder.root)
        rmdir(InstancePaths.folder)
    }
}
