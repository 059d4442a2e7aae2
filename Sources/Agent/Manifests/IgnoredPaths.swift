import Glibc
import Support
import SystemPackage

/// Patterns of paths that a search passes over: those of a command, and the lines of `.netpoldignore` in the folders that it names.
///
/// As git has it, a pattern without a slash is about a name anywhere, one with a slash about a path from the folder; `*` does not match
/// a slash, `**` does; what names a folder is about all that is in it.
struct IgnoredPaths {
    private static let fileName = ".netpoldignore"
    private static let limit = 1 << 20

    private let patterns: [String]
    /// Folders that were named, as normal paths, each with what its file says.
    private var roots: [(path: String, patterns: [String])] = []
    /// All that was named, as normal paths.
    private var named: Set<String> = []

    init(_ patterns: [String]) { self.patterns = patterns }

    /// Adds a folder, or a file, that somebody names.
    mutating func add(root: String) {
        named.insert(Kustomization.normal(root))
        guard (try? Stat(FilePath(root)))?.type == .directory else { return }
        let bytes = (try? FileContent.read("\(root)/\(IgnoredPaths.fileName)", limit: IgnoredPaths.limit)) ?? []
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { $0.trimmed }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
        roots.append((Kustomization.normal(root), lines))
    }

    /// Whether a path below a named folder is passed over. What is named itself is not, nor what is in it for the sake of its name.
    func covers(_ path: String) -> Bool {
        let path = Kustomization.normal(path)
        guard !named.contains(path) else { return false }
        let around = roots.compactMap { IgnoredPaths.inside($0.path, path) == nil ? nil : $0.path }
        return roots.contains { root in
            guard let inside = IgnoredPaths.inside(root.path, path) else { return false }
            return (patterns + root.patterns).contains { pattern in
                IgnoredPaths.matches(pattern, inside)
                    && !around.contains { named in
                        IgnoredPaths.inside(root.path, named).map { IgnoredPaths.matches(pattern, $0) } ?? false
                    }
            }
        }
    }

    /// A normal path as seen from a folder; `nil` for one that is not below it.
    private static func inside(_ folder: String, _ path: String) -> String? {
        if folder == "." {
            return path == "." || path == ".." || path.hasPrefix("/") || path.hasPrefix("../") ? nil : path
        }
        let start = folder == "/" ? folder : folder + "/"
        return path.hasPrefix(start) && path != start ? String(path.dropFirst(start.count)) : nil
    }

    private static func matches(_ pattern: String, _ path: String) -> Bool {
        var pattern = pattern[...]
        while pattern.hasSuffix("/") { pattern.removeLast() }
        let isAnchored = pattern.dropLast().contains("/")
        if pattern.hasPrefix("/") { pattern.removeFirst() }
        guard !pattern.isEmpty else { return false }
        if !isAnchored, !pattern.contains("**") {
            return path.split(separator: "/").contains { fnmatch(String(pattern), String($0), 0) == 0 }
        }
        let flags = FNM_LEADING_DIRECTORY | (pattern.contains("**") ? 0 : FNM_PATHNAME)
        let inAny = pattern.hasPrefix("**/") && fnmatch(String(pattern.dropFirst(3)), path, flags) == 0
        return inAny || fnmatch(String(pattern), path, flags) == 0
    }

    /// `FNM_LEADING_DIR`, which Glibc shows to GNU programs only: a pattern that matches a folder matches what is in it.
    private static let FNM_LEADING_DIRECTORY: Int32 = 1 << 3
}

extension Substring {
    fileprivate var trimmed: String {
        var text = self.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
