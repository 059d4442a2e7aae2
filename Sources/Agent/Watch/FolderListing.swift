import PolicyAPI
import Support

/// What the agent's folder of manifests holds at one moment: the same files as a dry run of it finds.
///
/// A mounted ConfigMap (`a.yaml -> ..data/a.yaml`, `..data -> ..2026_01`) is seen through its visible names.
struct FolderListing: Sendable {
    /// Files by path.
    let files: [String: FileVersion]
    /// Folders to watch, the given one first.
    let folders: [String]
    /// What is wrong with paths that should be files and are not, or are not followed.
    let diagnostics: [String: Diagnostic]

    /// Lists a folder.
    ///
    /// - Throws: when a folder cannot be read or is nested too deep: then nobody knows which files there are. A file or folder
    ///   that vanishes meanwhile is not there, but the given folder must be.
    init(_ root: String) throws(SystemError) {
        var walk = ManifestSearch.walk()
        walk.add(root)
        if let problem = walk.problems.first(where: { $0.hidesFiles || $0.path == root }) { throw problem.error }
        guard !walk.folders.isEmpty else { throw SystemError("list", root, .notDirectory) }
        files = Dictionary(walk.files.map { ($0.path, $0.version) }) { first, _ in first }
        folders = walk.folders
        diagnostics = Dictionary(walk.problems.map { ($0.path, Diagnostic($0)) }) { first, _ in first }
    }
}
