/// Something the operator should know for as long as it lasts: shown by `netpold status`, logged when it comes and goes.
public struct Condition: Hashable, Codable, Sendable {
    /// What kind of thing.
    public enum Kind: String, Hashable, Codable, Sendable, CaseIterable {
        /// An update was refused; the last good version is enforced.
        case keptLastGood = "keptLastGood"
        /// A new policy was refused; the pods it selects are isolated.
        case isolatedByRefused = "isolatedByRefused"
        /// A refused object has no effect.
        case refusedIgnored = "refusedIgnored"
        /// A file cannot be read; its last good objects are enforced.
        case brokenFile = "brokenFile"
        /// Two files, or two sources, hold the same object.
        case duplicateObject = "duplicateObject"
        /// A source cannot be read; everything last read is enforced.
        case sourceUnavailable = "sourceUnavailable"
        /// Two live pods claim one address.
        case addressConflict = "addressConflict"
        /// A network namespace with an address that no pod has: nothing is enforced on it.
        case unenforcedNamespace = "unenforcedNamespace"
        /// A policy could not be compiled as written; the pods it selects are isolated.
        case compiledClosed = "compiledClosed"
        /// A policy probably does not say what its author means.
        case policyWarning = "policyWarning"
        /// The kernel could not be brought to the desired state.
        case applyFailed = "applyFailed"
        /// One pod could not be programmed; the others were.
        case endpointFailed = "endpointFailed"
    }

    /// The kind.
    public var kind: Kind
    /// What it is about: an object, file, pod or namespace.
    public var subject: String
    /// A sentence, with file, line and remedy where there is one.
    public var message: String

    /// A condition.
    public init(kind: Kind, subject: String, message: String) {
        self.kind = kind
        self.subject = subject
        self.message = message
    }

    private enum CodingKeys: String, CodingKey {
        case kind = "kind"
        case subject = "subject"
        case message = "message"
    }

    /// Whether pods may be less protected than the policies ask for.
    public var isSevere: Bool {
        switch kind {
        case .refusedIgnored, .unenforcedNamespace, .applyFailed, .endpointFailed, .brokenFile: true
        case .keptLastGood, .isolatedByRefused, .duplicateObject, .sourceUnavailable, .addressConflict,
            .compiledClosed, .policyWarning:
            false
        }
    }
}

extension Condition: Comparable {
    /// By kind, subject, message.
    public static func < (left: Condition, right: Condition) -> Bool {
        (left.kind.rawValue, left.subject, left.message) < (right.kind.rawValue, right.subject, right.message)
    }
}
