import Glibc

/// A system call that failed: what was tried, on what, and the kernel's answer.
public struct SystemFailure: Error, Hashable, Sendable {
    /// What was tried, for example `bind`.
    public var operation: String
    /// On what: a path.
    public var object: String
    /// The error number, 0 when the kernel is not the one that refused.
    public var code: Int32
    /// What to do about it, or empty.
    public var hint: String

    /// A failure; `code` is `errno` unless given.
    public init(_ operation: String, _ object: String, code: Int32? = nil, hint: String = "") {
        self.operation = operation
        self.object = object
        self.code = code ?? errno
        self.hint = hint
    }
}

extension SystemFailure: CustomStringConvertible {
    /// `bind /run/netpold/default.sock: Permission denied; ...`.
    public var description: String {
        var text = "\(operation) \(object)"
        if code != 0 { text += ": \(String(cString: strerror(code)))" }
        return hint.isEmpty ? text : "\(text); \(hint)"
    }
}
