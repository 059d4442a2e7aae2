import CLibBPF
public import SystemPackage

/// The kernel (or libbpf) refused something: what, of which object, and why.
public struct BPFError: Error, Hashable, Sendable {
    /// What was being done.
    public let operation: BPFOperation
    /// The map, program, link, file or interface it was done to.
    public let object: String
    /// The error number.
    public let errno: Errno
    /// What the number alone does not say, or `nil`.
    public let detail: String?
    /// The verifier's log, when it was the verifier that refused.
    public let verifierLog: VerifierLog?

    /// An error.
    public init(
        _ operation: BPFOperation, _ object: String, errno: Errno, detail: String? = nil,
        verifierLog: VerifierLog? = nil
    ) {
        self.operation = operation
        self.object = object
        self.errno = errno
        self.detail = detail
        self.verifierLog = verifierLog
    }

    /// Whether the kernel does not take a program, however often it is asked: nothing was missing that may be there later.
    var isRefusedProgram: Bool {
        guard operation == .loadProgram else { return false }
        switch errno {
        case .noMemory, .resourceTemporarilyUnavailable, .interrupted, .notPermitted, .tooManyOpenFiles,
            .tooManyOpenFilesInSystem, .ioError:
            return false
        default: return true
        }
    }

    /// The errno's name, for example `EPERM`.
    public var errnoName: String {
        strerrorname_np(errno.rawValue).map { String(cString: $0) } ?? "errno \(errno.rawValue)"
    }
}

extension BPFError: CustomStringConvertible {
    /// One line, then the decisive lines of the verifier's log, indented.
    public var description: String {
        var text = "cannot \(operation.rawValue) \(object): \(detail ?? errno.description) (\(errnoName))"
        if let hint { text += "; \(hint)" }
        for line in verifierLog?.decisiveLines ?? [] { text += "\n    \(line)" }
        return text
    }

    private var hint: String? {
        switch errno {
        case .notPermitted where verifierLog == nil: "needs root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON"
        case .noMemory: "the kernel has no memory for it, or the memory cgroup's limit is reached"
        default: nil
        }
    }
}
