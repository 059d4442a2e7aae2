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
    /// Folders below the given one of which it is not known which files they hold, with the reason. The given one is among
    /// them when it holds more files than are taken.
    let unseen: [String: SystemError]

    /// Lists a folder.
    ///
    /// - Throws: when the given folder is not there or cannot be read. A file or folder in it that vanishes meanwhile is not
    ///   there.
    init(_ root: String) throws(SystemError) {
        var walk = ManifestSearch.walk()
        walk.add(root)
        var unseen: [String: SystemError] = [:]
        for problem in walk.problems where problem.hidesFiles || problem.path == root {
            switch problem.reason {
            case .tooMany: unseen[root] = problem.error
            case .tooDeep, .tooManyNames: unseen[problem.path] = problem.error
            case .unreadableFolder where problem.path != root: unseen[problem.path] = problem.error
            case .unreadable, .unreadableFolder, .linkToFolder, .notRegular, .nameNotText: throw problem.error
            }
        }
        guard !walk.folders.isEmpty else { throw SystemError("list", root, .notDirectory) }
        files = Dictionary(walk.files.map { ($0.path, $0.version) }) { first, _ in first }
        folders = walk.folders
        diagnostics = Dictionary(walk.problems.filter { !$0.hidesFiles }.map { ($0.path, Diagnostic($0)) }) {
            first, _ in
            first
        }
        self.unseen = unseen
    }
}
