import Agent
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
    let instance: String
    private let network: PodNetwork
    private var process: ChildProcess?
    /// What runs the agent, with its arguments: `setpriv`, `unshare`. Nothing: the agent itself.
    var wrapper: [String] = []

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

    /// Starts the agent; returns when everything is in force. Without `name` it has to know its node by itself.
    func start(_ options: [String] = [], node name: String? = "node-1") throws {
        let process = try launchAgent(options, node: name)
        self.process = process
        for _ in 0..<600 where process.isRunning && !FileManager.default.fileExists(atPath: socket) { usleep(20_000) }
        try settle()
    }

    /// Starts an agent that is expected to refuse; answers what it said and its exit code.
    func refusal(_ options: [String] = []) throws -> Run {
        let process = try launchAgent(options, node: "node-1")
        for _ in 0..<500 where process.isRunning { usleep(20_000) }
        if process.isRunning { process.terminate() }
        return Run(code: process.waitUntilExit(), output: log)
    }

    private func launchAgent(_ options: [String], node name: String?) throws -> ChildProcess {
        let own = arguments + ["--netns", node] + (name.map { ["--node", $0] } ?? []) + options
        guard !wrapper.isEmpty else { return try launch(own, output: "agent.log") }
        return try launch(
            wrapper + [RunningAgent.executable.path()] + own, output: "agent.log",
            program: URL(filePath: "/usr/bin/env"))
    }

    /// Runs the agent to its end (`--once`), on the node by `nsenter` and under `wrapper`, a command that runs others.
    func once(under wrapper: [String]) throws -> Run {
        try run(
            ["--net=\(node)"] + wrapper + [RunningAgent.executable.path()] + arguments + [
                "--node", "node-1", "--once",
            ],
            program: URL(filePath: "/usr/bin/nsenter"))
    }

    private var arguments: [String] {
        [
            "agent", "--manifests", "\(folder)/manifests", "--instance", instance, "--socket", socket,
            "--netns-dir", NetworkLayout.podsFolder(in: network.folder), "--cni-cache", "\(folder)/cni",
        ]
    }

    /// Waits until the manifests as they are now are in force.
    func settle() throws {
        let run = try run(["status", "--wait", "--timeout", "30"] + place)
        // With a refused policy or a severe condition everything else is in force, and the exit code says so.
        let isRefusal = run.code == 1 && run.output.contains("in force, latest change")
        guard run.code == 0 || isRefusal else { throw PodNetworkError("not in force: \(run.output)\(log)") }
    }

    /// Ends the agent by a signal; returns its exit code, negative for a signal's number.
    @discardableResult
    func end(_ signal: Int32) -> Int32 {
        guard let process else { return 0 }
        process.signal(signal)
        self.process = nil
        defer { if signal == SIGKILL { unlink(socket) } }
        return process.waitUntilExit()
    }

    /// Sends the agent a signal that does not end it.
    func signal(_ number: Int32) throws {
        guard let process else { throw PodNetworkError("no agent is running") }
        process.signal(number)
    }

    /// Runs a client command with its place added.
    func ask(_ command: String, _ arguments: [String] = []) throws -> Run { try run([command] + arguments + place) }

    /// Starts a client command, its place added, whose standard output is a full device; what it says of that goes to a file.
    func launchOnFullDevice(_ arguments: [String], output: String) throws -> ChildProcess {
        try launch(
            ["-c", "exec \"$0\" \"$@\" > /dev/full", RunningAgent.executable.path()] + arguments
                + (arguments.first == "host" ? ["--instance", instance] : place),
            output: output,
            program: URL(filePath: "/bin/sh"))
    }

    func detach() throws -> Run { try run(["detach", "--netns", node] + place) }

    /// Starts `netpold monitor`; `body` makes traffic; answers what it printed, when that is enough or after 30 s.
    func monitored(
        _ arguments: [String], until isEnough: (String) -> Bool = { _ in true }, _ body: () throws -> Void
    ) throws -> String {
        let monitor = try launch(["monitor"] + arguments + place, output: "monitor.log")
        func seen() throws -> String { try String(contentsOfFile: "\(folder)/monitor.log", encoding: .utf8) }
        usleep(700_000)
        try body()
        usleep(700_000)
        // A machine with much else to do resolves records later; none of them is lost by it.
        let end = ContinuousClock.now + .seconds(30)
        while try !isEnough(seen()), .now < end { usleep(100_000) }
        monitor.terminate()
        monitor.waitUntilExit()
        return try seen()
    }

    /// The rows of `netpold endpoints`, by name.
    func endpoints() throws -> [String: EndpointReport] {
        let rows = try JSONDecoder().decode([EndpointReport].self, from: Data(ask("endpoints", ["--json"]).output.utf8))
        return Dictionary(rows.map { ($0.name, $0) }) { first, _ in first }
    }

    /// What `netpold status` shows, after everything of now was looked at.
    func status() throws -> StatusReport {
        try settle()
        // What standard error says of it is in the same file.
        let output = try ask("status", ["--json"]).output
        let json = output.split(separator: "\n").filter { !$0.hasPrefix("error: ") }.joined(separator: "\n")
        do {
            return try JSONDecoder().decode(StatusReport.self, from: Data(json.utf8))
        } catch {
            throw PodNetworkError("no status: \(output)\(log)")
        }
    }

    /// The exit code of `netpold status --wait`.
    func waitCode() throws -> Int32 { try ask("status", ["--wait", "--timeout", "30"]).code }

    /// The file of bindings is lost.
    func removeBindings() throws { try FileManager.default.removeItem(atPath: bindings) }

    /// The file of bindings is no longer what an agent writes.
    func breakBindings() throws { try "{".write(toFile: bindings, atomically: false, encoding: .utf8) }

    private var bindings: String { InstancePaths(instance: instance)?.bindings ?? "" }

    var log: String { (try? String(contentsOfFile: "\(folder)/agent.log", encoding: .utf8)) ?? "" }
    var socket: String { "\(folder)/s" }
    var node: String { NetworkLayout.nodePath(in: network.folder) }
    var place: [String] { ["--instance", instance, "--socket", socket] }

    func run(_ arguments: [String], program: URL = executable) throws -> Run {
        let name = "run-\(UInt32.random(in: .min ... .max)).log"
        let process = try launch(arguments, output: name, program: program)
        return Run(
            code: process.waitUntilExit(), output: try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8))
    }

    func launch(_ arguments: [String], output: String, program: URL = executable) throws -> ChildProcess {
        try ChildProcess(program.path(), arguments, output: "\(folder)/\(output)")
    }

    /// The netpold built beside these tests; the runner may be the toolchain's, then the bundle is its argument.
    static var executable: URL {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") }
        let runner = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: bundle ?? runner).deletingLastPathComponent().appending(path: "netpold")
    }
}
