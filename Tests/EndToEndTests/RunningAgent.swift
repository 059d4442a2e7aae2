import Datapath
import Foundation
import LabKit

/// A `netpold agent` of its own instance over a `PodNetwork`, with its folder of manifests. Everything is taken away with
/// this object.
final class RunningAgent {
    /// What came of a command.
    struct Run {
        var code: Int32
        var output: String
    }

    let folder: String
    private let instance: String
    private let network: PodNetwork
    private var process: Process?

    init(_ network: PodNetwork, manifests: [String: String]) throws {
        self.network = network
        instance = "e2e-\(getpid())-\(UInt16.random(in: .min ... .max))"
        folder = FileManager.default.temporaryDirectory.appending(path: instance).path()
        try FileManager.default.createDirectory(atPath: "\(folder)/manifests", withIntermediateDirectories: true)
        for (name, text) in manifests { try write(name, text) }
    }

    deinit {
        process?.terminate()
        process?.waitUntilExit()
        _ = try? detach()
        try? FileManager.default.removeItem(atPath: folder)
        unlink("/run/netpold/\(instance).lock")
    }

    /// Writes a manifest the way careful programs do: whole, then renamed.
    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(folder)/manifests/\(name)", atomically: true, encoding: .utf8)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(folder)/manifests/\(name)") }

    /// Starts the agent; returns when everything is in force.
    func start(_ options: [String] = []) throws {
        let process = try launch(
            [
                "agent", "--manifests", "\(folder)/manifests", "--instance", instance, "--socket", socket, "--netns",
                node, "--netns-dir", NetworkLayout.podsFolder(in: network.folder), "--cni-cache", "\(folder)/cni",
            ] + (options.contains("--node") ? [] : ["--node", "node-1"]) + options, output: "agent.log")
        self.process = process
        for _ in 0..<600 where process.isRunning && !FileManager.default.fileExists(atPath: socket) { usleep(20_000) }
        try settle()
    }

    /// Waits until the manifests as they are now are in force.
    func settle() throws {
        let run = try run(["status", "--wait", "--timeout", "30"] + place)
        // With a refused policy everything else is in force, and the exit code says so.
        let isRefusal = run.code == 1 && run.output.contains("everything read is in force")
        guard run.code == 0 || isRefusal else { throw PodNetworkError("not in force: \(run.output)\(log)") }
    }

    /// Ends the agent by a signal; returns its exit code, negative for a signal's number.
    @discardableResult
    func end(_ signal: Int32) -> Int32 {
        guard let process else { return 0 }
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        self.process = nil
        if signal == SIGKILL { unlink(socket) }
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// Runs a client command with its place added.
    func ask(_ command: String, _ arguments: [String] = []) throws -> Run { try run([command] + arguments + place) }

    func detach() throws -> Run { try run(["detach", "--netns", node] + place) }

    /// Starts `netpold monitor`; `body` makes traffic; answers what it printed.
    func monitored(_ arguments: [String], _ body: () throws -> Void) throws -> String {
        let monitor = try launch(["monitor"] + arguments + place, output: "monitor.log")
        usleep(700_000)
        try body()
        usleep(700_000)
        monitor.terminate()
        monitor.waitUntilExit()
        return try String(contentsOfFile: "\(folder)/monitor.log", encoding: .utf8)
    }

    var log: String { (try? String(contentsOfFile: "\(folder)/agent.log", encoding: .utf8)) ?? "" }
    private var socket: String { "\(folder)/s" }
    private var node: String { NetworkLayout.nodePath(in: network.folder) }
    private var place: [String] { ["--instance", instance, "--socket", socket] }

    private func run(_ arguments: [String]) throws -> Run {
        let name = "run-\(UInt32.random(in: .min ... .max)).log"
        let process = try launch(arguments, output: name)
        process.waitUntilExit()
        return Run(
            code: process.terminationStatus, output: try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8))
    }

    private func launch(_ arguments: [String], output: String) throws -> Process {
        let path = "\(folder)/\(output)"
        try "".write(toFile: path, atomically: false, encoding: .utf8)
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        let process = Process()
        process.executableURL = RunningAgent.executable
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = file
        process.standardError = file
        try process.run()
        return process
    }

    /// The netpold built beside these tests; the runner may be the toolchain's, then the bundle is its argument.
    private static var executable: URL {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") }
        let runner = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: bundle ?? runner).deletingLastPathComponent().appending(path: "netpold")
    }
}
