import Glibc
import Support

/// Patterns of paths that a search passes over: those of a command, and the lines of `.netpoldignore` in the folders that it names.
///
/// As git has it, a pattern without a slash is about a name anywhere, one with a slash about a path from the folder; `*` does not match
/// a slash, `**` does; what names a folder is about all that is in it.
struct IgnoredPaths {
    private static let fileName = ".netpoldignore"
    private static let limit = 1 << 20

    private let patterns: [String]
    /// Folders that were named, each with what its file says.
    private var roots: [(path: String, patterns: [String])] = []

    init(_ patterns: [String]) { self.patterns = patterns }

    /// Adds a folder, or a file, that somebody names.
    mutating func add(root: String) {
        let path = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
        let bytes = (try? FileContent.read("\(path)/\(IgnoredPaths.fileName)", limit: IgnoredPaths.limit)) ?? []
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { $0.trimmed }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
        roots.append((path, lines))
    }

    /// Whether a path below a named folder is passed over. What is named itself is not.
    func covers(_ path: String) -> Bool {
        roots.contains { root in
            guard path.hasPrefix(root.path + "/") || root.path == "." || root.path == "/" else { return false }
            let inside = path.hasPrefix(root.path + "/") ? String(path.dropFirst(root.path.count + 1)) : path
            return (patterns + root.patterns).contains { IgnoredPaths.matches($0, inside) }
        }
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
