import Foundation
import PolicyAPI

/// Programs that render and check what deploy/ holds: `scripts/install-deploy-tools.sh` puts them below .build.
enum DeployTools {
    static let repository = URL(filePath: #filePath).appending(path: "../../../..").standardized
    static let folder = repository.appending(path: ".build/deploy-tools/bin").path()
    static var areInstalled: Bool { FileManager.default.fileExists(atPath: "\(folder)/kubectl") }

    /// What a program printed.
    struct Run {
        let code: Int32
        let output: String
        let errors: String
    }

    /// Runs one of the programs, or that of an absolute path, in the repository.
    static func run(_ program: String, _ arguments: [String]) throws -> Run {
        let place = FileManager.default.temporaryDirectory.appending(path: "deploy-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        let process = Process()
        process.executableURL = URL(filePath: program.hasPrefix("/") ? program : "\(folder)/\(program)")
        process.arguments = arguments
        process.currentDirectoryURL = repository
        for (name, keyPath) in [("out", \Process.standardOutput), ("err", \Process.standardError)] {
            let file = place.appending(path: name)
            _ = FileManager.default.createFile(atPath: file.path(), contents: nil)
            process[keyPath: keyPath] = try FileHandle(forWritingTo: file)
        }
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return Run(
            code: process.terminationStatus,
            output: try String(contentsOf: place.appending(path: "out"), encoding: .utf8),
            errors: try String(contentsOf: place.appending(path: "err"), encoding: .utf8))
    }

    /// What `kubectl kustomize` makes of a folder.
    static func kustomize(_ path: String) throws -> DeployObjects {
        let run = try run("kubectl", ["kustomize", path])
        guard run.code == 0 else { throw PodNetworkError("\(path): \(run.errors)") }
        return try DeployObjects(run.output)
    }

    /// What `helm template` makes of the chart; `values` is JSON.
    static func chart(_ values: String = "{}", namespace: String = "kube-system") throws -> DeployObjects {
        let run = try run("python", ["scripts/helm-template.py", "deploy/helm/netpold", values, namespace])
        guard run.code == 0 else { throw PodNetworkError("\(values): \(run.errors)") }
        return try DeployObjects(run.output)
    }
}
