import CLibNL

/// A netlink request or a namespace operation that failed: what was tried, on what, and what the system answered.
public struct NetlinkError: Error, Hashable, CustomStringConvertible, Sendable {
    /// What was tried, for example `add route`.
    public var operation: String
    /// On what, for example `default via 169.254.1.1`.
    public var object: String
    /// libnl's positive error number (`NLE_...`), or 0 when the failure did not come from libnl.
    public var code: Int32
    /// The system's sentence.
    public var message: String

    /// A failure that libnl reported; `code` may be negative, as libnl returns it.
    init(_ operation: String, _ object: String, netlink code: Int32) {
        self.operation = operation
        self.object = object
        self.code = abs(code)
        self.message = nl_geterror(code).map { String(cString: $0) } ?? "error \(code)"
    }

    /// A failure that is none of libnl's.
    public init(_ operation: String, _ object: String, message: String) {
        self.operation = operation
        self.object = object
        self.code = 0
        self.message = message
    }

    /// `add route default via 169.254.1.1: Network is unreachable`.
    public var description: String { "\(operation) \(object): \(message)" }

    /// Whether the object was there already.
    var isAlreadyThere: Bool { code == NLE_EXIST }
}
