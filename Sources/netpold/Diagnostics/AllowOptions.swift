import ArgumentParser
import PolicyAPI

/// The option of commands that report diagnostics: which of them do not count.
struct AllowOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Ignore warnings and notes of this id, and errors that are about Pods, workloads, Services and Nodes alone; an error behind \
            which a policy may be hidden counts always. May be repeated.
            """, valueName: "id"), completion: .list(DiagnosticID.allCases.map(\.rawValue)))
    var allow: [String] = []

    func validate() throws { try AllowOptions.check(allow) }

    /// Refuses what is no id.
    static func check(_ ids: [String]) throws {
        for id in ids where DiagnosticID(rawValue: id) == nil {
            let names = DiagnosticID.allCases.map(\.rawValue)
            let near = Spelling.nearest(to: id, among: names).map { "did you mean \($0)?" }
            throw ValidationError("there is no id '\(id)'; \(near ?? "the ids are \(names.joined(separator: ", "))")")
        }
    }

    /// Whether a diagnostic does not count.
    func covers(_ diagnostic: Diagnostic) -> Bool {
        diagnostic.canBeAllowed && allow.contains(diagnostic.id.rawValue)
    }
}
