import Foundation

/// The netpold that was built beside these tests.
enum BuiltNetpold {
    /// What came of a run.
    struct Run {
        var code: Int32
        var output: String
        var errors: String

        /// The last line of the output that is not empty.
        var lastLine: String { output.split(separator: "\n").last.map(String.init) ?? "" }
    }

    static var path: String {
        let runner = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        var folder = URL(filePath: runner).deletingLastPathComponent()
        // The runner may be the toolchain's; then the test bundle, its argument, lies beside netpold.
        if !FileManager.default.fileExists(atPath: folder.appending(path: "netpold").path()),
            let bundle = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") })
        {
            folder = URL(filePath: bundle).deletingLastPathComponent()
        }
        return folder.appending(path: "netpold").path()
    }

    /// Starts it. Its output goes to files, so that it never waits for a reader.
    static func start(_ arguments: [String], environment: [String: String] = [:]) throws -> Started {
        try Started(arguments, environment: environment)
    }

    /// Runs it to its end.
    static func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:], in folder: String? = nil
    ) throws -> Run {
        try Started(arguments, input: input, environment: environment, in: folder).finish()
    }

    /// Runs a line of a shell in a folder, with this netpold as `netpold`.
    static func shell(_ line: String, in folder: String) throws -> Run {
        let path = URL(filePath: path).deletingLastPathComponent().path() + ":/usr/bin:/bin"
        return try Started(
            ["-c", line], environment: ["PATH": path], in: folder, executable: "/bin/bash"
        ).finish()
    }

    /// A process under way.
    final class Started {
        let process = Process()
        private let folder: URL

        init(
            _ arguments: [String], input: String = "", environment: [String: String], in place: String? = nil,
            executable: String = BuiltNetpold.path
        ) throws {
            folder = FileManager.default.temporaryDirectory.appending(path: "netpold-run-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for name in ["in", "out", "err"] {
                try (name == "in" ? input : "").write(
                    to: folder.appending(path: name), atomically: false, encoding: .utf8)
            }
            process.executableURL = URL(filePath: executable)
            if let place { process.currentDirectoryURL = URL(filePath: place) }
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            process.standardInput = try FileHandle(forReadingFrom: folder.appending(path: "in"))
            process.standardOutput = try FileHandle(forWritingTo: folder.appending(path: "out"))
            process.standardError = try FileHandle(forWritingTo: folder.appending(path: "err"))
            try process.run()
        }

        /// Waits for the end. A process ended by signal n has code -n.
        func finish() throws -> Run {
            process.waitUntilExit()
            defer { try? FileManager.default.removeItem(at: folder) }
            let code = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
            return Run(
                code: code, output: try String(contentsOf: folder.appending(path: "out"), encoding: .utf8),
                errors: try String(contentsOf: folder.appending(path: "err"), encoding: .utf8))
        }
    }
}
