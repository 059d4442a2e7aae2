/// A message about a manifest: what is wrong, where, and how to fix it.
public struct Diagnostic: Hashable, Sendable {
    /// How severe a diagnostic is.
    public enum Severity: String, Hashable, Comparable, Sendable {
        /// The object is refused.
        case error
        /// The object is used, but probably does not mean what its author intends.
        case warning
        /// An addition to another diagnostic.
        case note

        /// Most severe first.
        public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .error: 0
            case .warning: 1
            case .note: 2
            }
        }
    }

    /// The kind of diagnostic, independent of its wording.
    public var id: DiagnosticID
    /// How severe it is.
    public var severity: Severity
    /// Where it is, `nil` when no file is involved.
    public var location: SourceLocation?
    /// The path inside the object, for example `spec.ingress[0].ports[1].port`; empty for a whole document.
    public var path: String
    /// What is wrong, without a final period.
    public var message: String
    /// How to fix it, without a final period; empty when the message says it.
    public var hint: String
    /// Whether it is about a pod, node, workload or Service alone, so that no policy is missing for it.
    public var isBesidePolicies = false

    /// A diagnostic.
    public init(
        id: DiagnosticID, severity: Severity = .error, location: SourceLocation?, path: String = "", message: String,
        hint: String = ""
    ) {
        self.id = id
        self.severity = severity
        self.location = location
        self.path = path
        self.message = message
        self.hint = hint
    }
}

extension Diagnostic {
    /// Whether somebody may say that it does not count: any warning or note, and an error behind which no policy can be hidden.
    public var canBeAllowed: Bool { severity != .error || isBesidePolicies }

    /// Whether it says that something is left out which is applied to a cluster, so that verdicts are those of the rest only.
    public var isAboutLeftOut: Bool {
        severity == .warning && (id == .kustomization || id == .unrenderedTemplate)
    }
}

extension Diagnostic: Comparable {
    /// By location, severity, path, message; diagnostics without a location first.
    public static func < (left: Diagnostic, right: Diagnostic) -> Bool {
        if left.location != right.location {
            guard let here = left.location else { return true }
            guard let there = right.location else { return false }
            return here < there
        }
        if left.severity != right.severity { return left.severity < right.severity }
        return (left.path, left.message, left.hint) < (right.path, right.message, right.hint)
    }
}
