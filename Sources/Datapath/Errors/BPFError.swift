import CLibBPF
import Glibc

/// The kernel (or libbpf) refused something: what, of which object, and why.
public struct BPFError: Error, Hashable, Sendable {
    /// What was being done.
    public let operation: BPFOperation
    /// The map, program, link, file or interface it was done to.
    public let object: String
    /// The errno, positive.
    public let errno: Int32
    /// What the number alone does not say, or `nil`.
    public let detail: String?
    /// The verifier's log, when it was the verifier that refused.
    public let verifierLog: VerifierLog?

    /// An error.
    ///
    /// - Parameter errno: positive.
    public init(
        _ operation: BPFOperation, _ object: String, errno: Int32, detail: String? = nil,
        verifierLog: VerifierLog? = nil
    ) {
        self.operation = operation
        self.object = object
        self.errno = errno
        self.detail = detail
        self.verifierLog = verifierLog
    }

    /// The errno's name, for example `EPERM`.
    public var errnoName: String { strerrorname_np(errno).map { String(cString: $0) } ?? "errno \(errno)" }
}

extension BPFError: CustomStringConvertible {
    /// One line, then the decisive lines of the verifier's log, indented.
    public var description: String {
        var text = "cannot \(operation.rawValue) \(object): \(detail ?? reason) (\(errnoName))"
        if let hint { text += "; \(hint)" }
        for line in verifierLog?.decisiveLines ?? [] { text += "\n    \(line)" }
        return text
    }

    private var reason: String { String(cString: strerror(errno)) }

    private var hint: String? {
        switch errno {
        case EPERM where verifierLog == nil: "needs root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON"
        case ENOMEM: "the kernel has no memory for it, or the memory cgroup's limit is reached"
        default: nil
        }
    }
}
