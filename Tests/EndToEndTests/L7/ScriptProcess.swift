import Foundation
import Glibc

/// A process of one of the Python scripts of the tests.
final class ScriptProcess {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var rest: [UInt8] = []

    /// Starts it in a network namespace.
    init(_ arguments: [String], in namespace: String, script: String = L7World.script) throws {
        process.executableURL = URL(filePath: "/usr/bin/nsenter")
        process.arguments = ["--net=\(namespace)", "/usr/bin/python3", script] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    /// Waits until it serves.
    func waitUntilReady() throws {
        guard try line() == Array("ready".utf8) else { throw PodNetworkError("the script is not ready") }
    }

    /// Its answer to a command.
    func ask(_ command: [String: Any]) throws -> Data {
        let text = try JSONSerialization.data(withJSONObject: command) + Data("\n".utf8)
        try input.fileHandleForWriting.write(contentsOf: text)
        return Data(try line())
    }

    private func line() throws -> [UInt8] {
        while true {
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                defer { rest.removeFirst(end + 1) }
                return Array(rest[..<end])
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw PodNetworkError("the script has ended") }
            rest += more
        }
    }

    /// Ends it.
    func end(_ signal: Int32) {
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
    }
}
