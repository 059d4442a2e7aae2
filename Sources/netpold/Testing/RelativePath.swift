import Glibc

/// Paths that a test names relative to its own folder.
enum RelativePath {
    /// `folder` (empty, or with a final slash) and `path` as one path, without steps back: `tests/../x.yaml` is `x.yaml`. A step
    /// back out of a link stays, since it leads elsewhere.
    static func join(_ folder: String, _ path: String) -> String {
        let whole = path.hasPrefix("/") ? path : folder + path
        var steps: [Substring] = []
        for step in whole.split(separator: "/", omittingEmptySubsequences: false) {
            if step == "." || (step.isEmpty && !steps.isEmpty) { continue }
            if step == "..", let last = steps.last, last != "..", !last.isEmpty, isPlainFolder(steps) {
                steps.removeLast()
            } else {
                steps.append(step)
            }
        }
        let joined = steps.joined(separator: "/")
        return joined.isEmpty ? (whole.hasPrefix("/") ? "/" : ".") : joined
    }

    private static func isPlainFolder(_ steps: [Substring]) -> Bool {
        var status = stat()
        return lstat(steps.joined(separator: "/"), &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
