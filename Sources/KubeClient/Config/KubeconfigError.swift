/// A kubeconfig, or a service account, that gives no way to an API server: which file, which key, and what to do.
public struct KubeconfigError: Error, Hashable, CustomStringConvertible {
    /// The file, and the line where it is known.
    public var file: String
    /// The key as a path, such as `users[dev].user.exec.command`; empty for the file as a whole.
    public var key: String
    /// What is wrong.
    public var problem: String
    /// What to do.
    public var fix: String

    /// An error.
    public init(file: String, key: String = "", problem: String, fix: String) {
        self.file = file
        self.key = key
        self.problem = problem
        self.fix = fix
    }

    /// `config:12: users[dev].user.token: ...; ...`.
    public var description: String { "\(file): \(key.isEmpty ? "" : "\(key): ")\(problem); \(fix)" }
}
