import Glibc
public import SystemPackage

/// The system refused something: what was tried, on what, and its answer.
public struct SystemError: Error, Hashable, Sendable {
    /// What was tried, for example `bind`.
    public var operation: String
    /// On what: a path, an interface, a process.
    public var object: String
    /// The error number; `nil` when the system is not the one that refused, or has its own way to say why.
    public var errno: Errno?
    /// What the number does not say, in place of its sentence; or `nil`.
    public var detail: String?
    /// What to do about it, or empty.
    public var hint: String

    /// An error.
    public init(_ operation: String, _ object: String, _ errno: Errno?, detail: String? = nil, hint: String = "") {
        self.operation = operation
        self.object = object
        self.errno = errno
        self.detail = detail
        self.hint = hint
    }

    /// Why, without what was tried.
    public var reason: String? { detail ?? errno?.description }
}

extension SystemError: CustomStringConvertible {
    /// `bind /run/netpold/default.sock: Permission denied; ...`.
    public var description: String {
        var text = "\(operation) \(object)"
        if let reason { text += ": \(reason)" }
        return hint.isEmpty ? text : "\(text); \(hint)"
    }
}

extension SystemError {
    /// Makes a call of swift-system and, if it fails, says what it was for.
    public static func wrap<Result: ~Copyable>(
        _ operation: String, _ object: @autoclosure () -> String, hint: String = "", _ call: () throws -> Result
    ) throws(SystemError) -> Result {
        do {
            return try call()
        } catch let errno as Errno {
            throw SystemError(operation, object(), errno, hint: hint)
        } catch {
            throw SystemError(operation, object(), nil, detail: "\(error)", hint: hint)
        }
    }

    /// Makes a C call that answers -1 and sets errno when it fails; again when a signal interrupted it.
    @discardableResult
    public static func check<Result: SignedInteger>(
        _ operation: String, _ object: @autoclosure () -> String, hint: String = "", _ call: () -> Result
    ) throws(SystemError) -> Result {
        while true {
            let result = call()
            if result != -1 { return result }
            let errno = Errno.current
            if errno != .interrupted { throw SystemError(operation, object(), errno, hint: hint) }
        }
    }
}

extension Errno {
    /// The number that the latest failed C call of this thread left.
    public static var current: Errno { Errno(rawValue: Glibc.errno) }
}
