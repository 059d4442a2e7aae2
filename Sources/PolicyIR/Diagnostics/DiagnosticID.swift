/// The kinds of findings. Stable names; the wording of messages is not stable.
public struct DiagnosticID: RawRepresentable, Hashable, Sendable {
    /// The stable name, for example `unknown-field`.
    public let rawValue: String

    /// An id by name.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The bytes are no YAML or JSON.
    public static let syntax = DiagnosticID(rawValue: "syntax")
    /// A file is too big, too deep or expands to too much.
    public static let limit = DiagnosticID(rawValue: "limit")
    /// A file cannot be read.
    public static let unreadable = DiagnosticID(rawValue: "unreadable")
    /// A key is written twice in one map.
    public static let duplicateKey = DiagnosticID(rawValue: "duplicate-key")
    /// Two objects have the same kind, namespace and name.
    public static let duplicateObject = DiagnosticID(rawValue: "duplicate-object")
    /// A document is no Kubernetes object.
    public static let notAnObject = DiagnosticID(rawValue: "not-an-object")
    /// The kind is a policy kind in an apiVersion that is not read, or nearly a policy kind.
    public static let unknownKind = DiagnosticID(rawValue: "unknown-kind")
    /// A field that the kind does not have.
    public static let unknownField = DiagnosticID(rawValue: "unknown-field")
    /// A field that exists but that netpold does not enforce.
    public static let unsupportedField = DiagnosticID(rawValue: "unsupported-field")
    /// A field that must be written is not.
    public static let missingField = DiagnosticID(rawValue: "missing-field")
    /// A value has the wrong type.
    public static let wrongType = DiagnosticID(rawValue: "wrong-type")
    /// A value has the right type but is not allowed.
    public static let invalidValue = DiagnosticID(rawValue: "invalid-value")
    /// Two fields that exclude each other are both written.
    public static let conflict = DiagnosticID(rawValue: "conflict")
    /// A list has more elements than allowed.
    public static let tooMany = DiagnosticID(rawValue: "too-many")
    /// A field is valid but has no effect, or not the one it seems to have.
    public static let noEffect = DiagnosticID(rawValue: "no-effect")
    /// A policy refers to a service or CIDR group that is not there.
    public static let unresolved = DiagnosticID(rawValue: "unresolved-reference")
}
