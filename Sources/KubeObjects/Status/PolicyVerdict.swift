import Agent
import Foundation
import KubeClient
import PolicyAPI
import PolicyAnalysis

/// What is to be said of one version of a policy.
struct PolicyVerdict: Hashable, Sendable {
    /// The version that was read.
    var version: ObjectVersion
    /// Why it is refused; `nil` when it is valid.
    var refusal: String?

    /// Longest text that is written: Events take 1,024 bytes.
    static let textLimit = 1000

    /// A refusal's verdict.
    init(version: ObjectVersion, diagnostics: [Diagnostic]) {
        self.version = version
        let text = diagnostics.map(DiagnosticRenderer().render).joined(separator: "\n")
        refusal = text.utf8.count <= PolicyVerdict.textLimit ? text : String(text.prefix(PolicyVerdict.textLimit / 4))
    }

    /// The verdict of a valid version.
    init(valid version: ObjectVersion) { self.version = version }

    /// The conditions that the object should have in place of those that it has; `nil` when they are as they should be. As
    /// Cilium's operator has it: nothing is written when status and message are right, and the time of the last transition
    /// is that of the last change of the status.
    func conditions(instead current: DocumentNode?, now: String) -> [[String: String]]? {
        let status = refusal == nil ? "True" : "False"
        let message = refusal ?? "Policy validation succeeded"
        var all: [[String: String]] = (current?.elements ?? []).map { node in
            ["type", "status", "lastTransitionTime", "reason", "message"].reduce(into: [:]) { fields, key in
                if let text = node[key]?.string { fields[key] = text }
            }
        }
        let index = all.firstIndex { $0["type"] == "Valid" }
        if let index, all[index]["status"] == status, all[index]["message"] == message { return nil }
        var condition = [
            "type": "Valid", "status": status, "lastTransitionTime": now,
            "reason": refusal == nil ? "PolicyAccepted" : "PolicyRefused", "message": message,
        ]
        guard let index else { return all + [condition] }
        if all[index]["status"] == status { condition["lastTransitionTime"] = all[index]["lastTransitionTime"] ?? now }
        all[index] = condition
        return all
    }

    /// The time of now, as conditions have it.
    static var now: String { Date.now.formatted(.iso8601) }
}
