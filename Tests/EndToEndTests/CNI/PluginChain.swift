import Foundation

/// A conflist, called plugin by plugin as libcni does.
struct PluginChain {
    /// What one plugin answered.
    struct Failure: Error, CustomStringConvertible {
        var plugin: String
        var code: Int
        var description: String
    }

    static let folder = "/usr/lib/cni"

    var version: String
    var network: String
    /// The plugins' parts, each with its `type`.
    var plugins: [[String: any Sendable]]
    /// The path that stands for the node's namespace.
    var node: String

    /// Connects a namespace; the result as the runtime gets it.
    func add(_ container: String, namespace: String, arguments: String) throws -> [String: Any] {
        var result: [String: Any]?
        for plugin in plugins {
            result = try call(plugin, "ADD", container, namespace, arguments, previous: result)
        }
        return result ?? [:]
    }

    /// Asks every plugin whether all is as it was made.
    func check(_ container: String, namespace: String, arguments: String, result: [String: Any]) throws {
        for plugin in plugins {
            _ = try call(plugin, "CHECK", container, namespace, arguments, previous: result)
        }
    }

    /// Takes it away, in the opposite order.
    func delete(_ container: String, namespace: String, arguments: String, result: [String: Any]) throws {
        for plugin in plugins.reversed() {
            _ = try call(plugin, "DEL", container, namespace, arguments, previous: result)
        }
    }

    /// One call of one plugin; what it printed.
    @discardableResult
    func call(
        _ plugin: [String: any Sendable], _ command: String, _ container: String, _ namespace: String,
        _ arguments: String, previous: [String: Any]?
    ) throws -> [String: Any]? {
        let type = plugin["type"] as? String ?? ""
        var configuration: [String: Any] = plugin
        configuration["cniVersion"] = version
        configuration["name"] = network
        configuration["prevResult"] = previous
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/nsenter")
        process.arguments = [
            "--net=\(node)", type == "netpold" ? AgentProcess.executable.path() : "\(Self.folder)/\(type)",
        ]
        process.environment = [
            "CNI_COMMAND": command, "CNI_CONTAINERID": container, "CNI_NETNS": namespace, "CNI_IFNAME": "eth0",
            "CNI_PATH": Self.folder, "CNI_ARGS": arguments, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LD_LIBRARY_PATH": ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] ?? "",
        ]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        input.fileHandleForWriting.write(try JSONSerialization.data(withJSONObject: configuration))
        try input.fileHandleForWriting.close()
        let answer = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let object = try? JSONSerialization.jsonObject(with: answer) as? [String: Any]
        guard process.terminationStatus == 0 else {
            throw Failure(
                plugin: type, code: object?["code"] as? Int ?? -1,
                description: "\(type) \(command): \(String(decoding: answer, as: UTF8.self))")
        }
        return object
    }
}
