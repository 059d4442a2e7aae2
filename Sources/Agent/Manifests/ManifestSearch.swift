public import PolicyAPI
public import Support
import SystemPackage

/// Finds the manifest files that paths stand for: `DirectoryWalk` for `*.yaml`, `*.yml` and `*.json`, with its problems as
/// diagnostics.
struct ManifestSearch {
    private var walk = DirectoryWalk(notes: { $0.hasSuffix(".tpl") || ManifestSearch.isShouting($0) }) {
        ManifestSearch.isManifest($0) || Kustomization.fileNames.contains($0)
    }
    /// Where standard input comes among the files.
    private var inputIndex: Int?
    private var emptyFolders: [Diagnostic] = []
    private var ignored: IgnoredPaths
    /// The files that were named, whatever their other names.
    private var named: Set<FileIdentity> = []

    /// A search that passes over what the patterns name, and what the `.netpoldignore` of a named folder does.
    init(excluded: [String] = []) { ignored = IgnoredPaths(excluded) }

    /// A walk that looks for manifests.
    static func walk() -> DirectoryWalk {
        DirectoryWalk { isManifest($0) || Kustomization.fileNames.contains($0) }
    }

    /// Whether a name ends as that of a manifest, but in capitals: kubectl passes such files over too.
    private static func isShouting(_ name: String) -> Bool {
        guard name.utf8.last.map({ (0x41...0x5a).contains($0) }) == true else { return false }
        return isManifest(name.lowercased()) && !isManifest(name)
    }

    private static func isManifest(_ name: String) -> Bool {
        [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
    }

    /// Adds what the user named: a file of any name, a folder, or `-`.
    mutating func add(_ path: String) {
        if path == "-" {
            inputIndex = inputIndex ?? walk.files.count
            return
        }
        ignored.add(root: path)
        if let status = try? Stat(FilePath(path)), status.type != .directory { named.insert(FileIdentity(status)) }
        if walk.add(path) == 0 {
            emptyFolders.append(
                Diagnostic(
                    id: .unreadable, severity: .warning, location: .whole(path),
                    message: "the folder holds no *.yaml, *.yml or *.json file", hint: "name another folder"))
        }
    }

    /// The files, each once, in the order found; `-` for standard input.
    var files: [String] {
        var files = walk.files.filter { !isPassedOver($0) }.map(\.path)
        if let inputIndex {
            // Passed over files before it are not among them.
            let before = walk.files.prefix(inputIndex).count { !isPassedOver($0) }
            files.insert("-", at: before)
        }
        return files
    }

    private func isPassedOver(_ file: DirectoryWalk.File) -> Bool {
        !named.contains(file.version.identity) && ignored.covers(file.path)
    }

    /// One line about what is passed over by its name: templates of Helm's functions, hidden folders and files, what patterns name; `nil`
    /// without any.
    var passedOver: String? {
        let helpers = walk.passedOver.count { $0.hasSuffix(".tpl") }
        let shouting = walk.passedOver.count { ManifestSearch.isShouting($0) }
        let hidden = walk.passedOver.filter { !$0.hasSuffix(".tpl") && !ManifestSearch.isShouting($0) }
        let excluded = walk.files.count(where: isPassedOver)
        let names = Set(hidden.map { $0.split(separator: "/").last.map(String.init) ?? $0 }).sorted()
        let parts = [
            helpers > 0 ? "\(helpers) *.tpl file\(helpers == 1 ? "" : "s")" : nil,
            hidden.isEmpty
                ? nil
                : "\(hidden.count) hidden folder\(hidden.count == 1 ? "" : "s") or file\(hidden.count == 1 ? "" : "s") "
                    + "(\(names.prefix(3).joined(separator: ", "))\(names.count > 3 ? ", ..." : ""))",
            shouting > 0
                ? "\(shouting) file\(shouting == 1 ? "" : "s") whose name ends in capitals (only .yaml, .yml and .json are read)"
                : nil,
            excluded > 0
                ? "\(excluded) file\(excluded == 1 ? "" : "s") that --exclude or .netpoldignore names" : nil,
        ].compactMap(\.self)
        return parts.isEmpty ? nil : "did not look into \(parts.joined(separator: " and "))"
    }

    /// Whether somebody has said that a path is not to be looked at.
    func passesOver(_ path: String) -> Bool { ignored.covers(path) }

    /// Whether some files are passed over.
    var isPartial: Bool { walk.files.contains(where: isPassedOver) }

    /// What could not be read or was not followed.
    var diagnostics: [Diagnostic] {
        walk.problems.filter { !ignored.covers($0.path) }.map(Diagnostic.init) + emptyFolders
    }
}

extension Diagnostic {
    /// What is wrong with a path below a named one. Links to folders leave out what the author may count on, so they are a
    /// warning; all else is an error.
    public init(_ problem: DirectoryWalk.Problem) {
        self.init(
            id: .unreadable, severity: problem.reason == .linkToFolder ? .warning : .error,
            location: .whole(problem.path), message: problem.message, hint: problem.hint)
    }
}
