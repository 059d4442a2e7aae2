import Foundation
import Glibc

/// The real agent as a child process, over the pods of a `PodNetwork`.
final class AgentProcess {
    private let network: PodNetwork
    private let instance: String
    private let manifests: String
    private var child: Process?

    /// Prepares the manifests folder; nothing runs yet.
    init(_ network: PodNetwork, cluster: String) throws {
        self.network = network
        instance = "test-\(getpid())"
        manifests = NSTemporaryDirectory() + instance
        try FileManager.default.createDirectory(atPath: manifests, withIntermediateDirectories: true)
        try write(cluster, to: "cluster.yaml")
    }

    deinit {
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
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = [
            "agent", "--manifests", manifests, "--instance", instance, "--netns", network.nodePath,
            "--netns-dir", network.podsFolder, "--node", "node-1", "--log-level", "warning",
        ]
        try process.run()
        child = process
        let began = Date()
        while try run(["status", "--instance", instance]) != 0 {
            guard process.isRunning, Date().timeIntervalSince(began) < 30 else {
                throw PodNetworkError("the agent did not come up")
            }
            usleep(50_000)
        }
        try settle()
    }

    /// Waits until the manifests as they are now are in force.
    func settle() throws {
        let status = try run(["status", "--wait", "--timeout", "30", "--instance", instance])
        guard status == 0 else { throw PodNetworkError("the manifests did not come into force") }
    }

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
    private static var executable: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "netpold")
    }
}
