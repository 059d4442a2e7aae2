import Agent
import Foundation
import Glibc

/// The real agent as a child process, over the pods of a network of namespaces.
final class AgentProcess {
    let instance: String
    let manifests: String
    private let arguments: [String]
    private var child: Process?

    /// Prepares the manifests folder for the pods of a `PodNetwork`; nothing runs yet.
    convenience init(_ network: PodNetwork, cluster: String) throws {
        try self.init(node: network.nodePath, pods: network.podsFolder, cluster: cluster)
    }

    /// Prepares the manifests folder; nothing runs yet.
    ///
    /// - Parameters:
    ///   - node: the path that stands for the node's namespace.
    ///   - pods: the folder in which the pods' namespaces are mounted.
    ///   - more: further arguments of the agent.
    ///   - cluster: `cluster.yaml`.
    /// - Throws: what the file system refuses.
    init(node: String, pods: String, more: [String] = [], cluster: String) throws {
        // Suites run side by side.
        instance = "test-\(getpid())-\(UInt32.random(in: .min ... .max))"
        manifests = NSTemporaryDirectory() + instance
        arguments = ["--manifests", manifests, "--netns", node, "--netns-dir", pods] + more
        try FileManager.default.createDirectory(atPath: manifests, withIntermediateDirectories: true)
        try write(cluster, to: "cluster.yaml")
    }

    /// Prepares an agent that follows the API server of a kubeconfig; nothing runs yet.
    init(node: String, pods: String, more: [String] = [], kubeconfig: String) throws {
        instance = "test-\(getpid())-\(UInt32.random(in: .min ... .max))"
        manifests = NSTemporaryDirectory() + instance
        arguments = ["--kubeconfig", kubeconfig, "--netns", node, "--netns-dir", pods] + more
        try FileManager.default.createDirectory(atPath: manifests, withIntermediateDirectories: true)
    }

    deinit { end() }

    /// Whether it says that all it has read is in force.
    func isDone() -> Bool {
        guard let run = try? BuiltNetpold.run(["status", "--json", "--instance", instance]),
            let status = try? JSONDecoder().decode(StatusReport.self, from: Data(run.output.utf8))
        else { return false }
        return status.isInForce
    }

    /// Ends it, and takes everything off that it has pinned.
    func end() {
        kill()
        _ = try? run(["detach", "--instance", instance])
        try? FileManager.default.removeItem(atPath: manifests)
    }

    /// Replaces a manifest file, as an editor does.
    func write(_ text: String, to file: String) throws {
        try text.write(toFile: "\(manifests)/\(file)", atomically: true, encoding: .utf8)
    }

    /// Starts the agent and waits until everything is in force.
    func start() throws {
        try launch()
        try settle()
    }

    /// Starts the agent and waits until it answers.
    func launch() throws {
        let process = Process()
        process.executableURL = Self.executable
        process.arguments =
            ["agent", "--instance", instance, "--node", "node-1", "--log-level", "warning"] + arguments
        try process.run()
        child = process
        let began = Date()
        while try run(["endpoints", "--instance", instance]) != 0 {
            guard process.isRunning, Date().timeIntervalSince(began) < 30 else {
                throw PodNetworkError("the agent did not come up")
            }
            usleep(50_000)
        }
    }

    /// Waits until the manifests as they are now are in force.
    func settle() throws {
        let status = try run(["status", "--wait", "--timeout", "30", "--instance", instance])
        guard status == 0 else { throw PodNetworkError("the manifests did not come into force") }
    }

    /// The agent's process; `nil` while none runs.
    var pid: Int32? { child.flatMap { $0.isRunning ? $0.processIdentifier : nil } }

    /// kill -9.
    func kill() {
        guard let child, child.isRunning else { return }
        Glibc.kill(child.processIdentifier, SIGKILL)
        child.waitUntilExit()
        self.child = nil
    }

    private func run(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// The netpold that was built with these tests: it lies beside the test bundle.
    static var executable: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "netpold")
    }
}
