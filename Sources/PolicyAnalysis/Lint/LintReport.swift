import PolicyAPI

/// Collects the diagnostics of checks.
struct LintReport {
    /// How many diagnostics of one kind are reported for one object.
    private static let limit = 20

    private struct Key: Hashable {
        var id: DiagnosticID
        var kind: String
        var namespace: String
        var name: String
    }

    /// The diagnostics.
    private(set) var diagnostics: [Diagnostic] = []
    private let documents: PolicyDocuments
    private var counts: [Key: Int] = [:]
    /// The paths of what was reported of one kind about one object.
    private var paths: [Key: [String]] = [:]

    init(documents: PolicyDocuments) { self.documents = documents }

    /// Reports a warning about a part of a policy.
    ///
    /// - Parameters:
    ///   - id: the kind of diagnostic.
    ///   - path: the path of the part in the object.
    ///   - origin: the policy or one of its rules, which has the location if the documents are not kept.
    ///   - message: what is wrong.
    ///   - hint: how to fix it.
    mutating func warn(
        _ id: DiagnosticID, _ path: String, of origin: RuleOrigin, _ message: String, _ hint: String
    ) {
        add(id, .warning, path, origin, message, hint)
    }

    /// Reports a note about a part of a policy that may be intended.
    mutating func note(
        _ id: DiagnosticID, _ path: String, of origin: RuleOrigin, _ message: String, _ hint: String
    ) {
        add(id, .note, path, origin, message, hint)
    }

    /// Reports one or the other: a warning where it is known to be a mistake, a note where it may be none.
    mutating func report(
        _ id: DiagnosticID, isCertain: Bool, _ path: String, of origin: RuleOrigin, _ message: String, _ hint: String
    ) {
        add(id, isCertain ? .warning : .note, path, origin, message, hint)
    }

    /// Whether something of one of these kinds was reported about a part of a policy, or about a part of that part.
    func hasReported(_ ids: [DiagnosticID], in path: String, of origin: RuleOrigin) -> Bool {
        ids.contains { id in
            let key = Key(id: id, kind: origin.kind, namespace: origin.namespace, name: origin.name)
            return (paths[key] ?? []).contains { $0 == path || $0.hasPrefix(path + ".") }
        }
    }

    private mutating func add(
        _ id: DiagnosticID, _ severity: Diagnostic.Severity, _ path: String, _ origin: RuleOrigin, _ message: String,
        _ hint: String
    ) {
        let key = Key(id: id, kind: origin.kind, namespace: origin.namespace, name: origin.name)
        counts[key, default: 0] += 1
        paths[key, default: []].append(path)
        guard counts[key, default: 0] <= LintReport.limit else { return }
        diagnostics.append(
            Diagnostic(
                id: id, severity: severity, location: documents.place(of: path, in: origin) ?? origin.location,
                path: path, message: message, hint: hint))
    }
}
