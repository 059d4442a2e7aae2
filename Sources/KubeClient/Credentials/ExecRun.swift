import Foundation
import Glibc

/// Runs a credential plugin to its end. Blocks: for a thread of its own.
struct ExecRun {
    /// How long it may take.
    var limit: Duration = .seconds(30)
    /// Bytes that it may print.
    var outputLimit = 1 << 20

    /// What the plugin prints to standard output; what it says to standard error goes into the agent's own.
    ///
    /// - Throws: `RequestFailure.credentials` when it is not there, fails, takes too long or prints too much.
    func output(of plugin: ExecPlugin) throws(RequestFailure) -> [UInt8] {
        let hint = plugin.installHint.isEmpty ? "" : " (\(plugin.installHint))"
        guard let program = ExecRun.find(plugin.command) else {
            throw .credentials("\(plugin.origin): \(plugin.command) is not there, or not executable\(hint)")
        }
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = plugin.arguments
        var environment = ProcessInfo.processInfo.environment
        environment.merge(plugin.environment) { _, new in new }
        environment["KUBERNETES_EXEC_INFO"] = ExecRun.info(plugin)
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        do {
            try process.run()
        } catch {
            throw .credentials("\(plugin.origin): \(program) cannot be run: \(error)\(hint)")
        }
        let output = read(pipe.fileHandleForReading.fileDescriptor)
        guard let output else {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            throw .credentials("\(plugin.origin): \(program) took more than \(limit), or printed more than \(outputLimit) bytes")
        }
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw .credentials("\(plugin.origin): \(program) ended with \(process.terminationStatus)\(hint)")
        }
        return output
    }

    /// Everything up to the end of the stream; `nil` when it is too much or takes too long.
    private func read(_ descriptor: Int32) -> [UInt8]? {
        let end = ContinuousClock.now + limit
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let left = (end - .now) / .milliseconds(1)
            guard left > 0 else { return nil }
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = Glibc.poll(&poll, 1, Int32(left.rounded(.up)))
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return nil }
            let count = Glibc.read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 ? bytes : nil }
            bytes += block[..<count]
            guard bytes.count <= outputLimit else { return nil }
        }
    }

    /// The program's path: as it is with a slash in it, else the first in PATH.
    private static func find(_ command: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        let paths = command.contains("/") ? [command] : folders.map { "\($0)/\(command)" }
        return paths.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// `KUBERNETES_EXEC_INFO`.
    private static func info(_ plugin: ExecPlugin) -> String {
        var spec: [String: Any] = ["interactive": false]
        if let cluster = plugin.cluster {
            var told: [String: Any] = ["server": cluster.server]
            told["tls-server-name"] = cluster.serverName
            told["certificate-authority-data"] = cluster.authorities
            told["proxy-url"] = cluster.proxy
            spec["cluster"] = told
        }
        let info: [String: Any] = ["apiVersion": plugin.apiVersion, "kind": "ExecCredential", "spec": spec]
        let data = try? JSONSerialization.data(withJSONObject: info, options: .sortedKeys)
        return data.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
