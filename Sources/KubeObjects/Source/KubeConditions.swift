import Agent
import KubeClient

/// Says what cannot be read of an API server, and what that means.
struct KubeConditions {
    let server: String
    let health: [ObjectKind: KindHealth]
    let synced: Set<ObjectKind>

    /// One for each kind that cannot be read; only one where all fail for want of a connection.
    var conditions: [Condition] {
        var unreachable: [ObjectKind: String] = [:]
        var found: [Condition] = []
        for (kind, health) in health {
            guard case .failing(let problem) = health else { continue }
            if problem.reason == .unreachable {
                unreachable[kind] = problem.message
            } else {
                found.append(condition(kind, problem))
            }
        }
        guard let message = unreachable.values.min() else { return found }
        let missing = Set(ObjectKind.allCases).subtracting(synced)
        let kinds = unreachable.keys.map(\.rawValue).sorted()
        let what =
            kinds.count == ObjectKind.allCases.count
            ? "nothing can be read" : "\(kinds.joined(separator: ", ")) cannot be read"
        found.append(
            Condition(
                kind: .sourceUnavailable, subject: server,
                message: "\(what): \(message); \(consequence(missing)); trying again"))
        return found
    }

    private func condition(_ kind: ObjectKind, _ problem: KindHealth.Problem) -> Condition {
        let remedy: String
        switch problem.reason {
        case .forbidden:
            let place = kind.places[0]
            remedy =
                "; grant the agent list and watch on \(place.plural)"
                + (place.group.isEmpty ? "" : " of \(place.group)")
        case .unauthenticated: remedy = "; look at the agent's credentials"
        case .busy, .refused, .garbled, .unreachable: remedy = ""
        }
        return Condition(
            kind: .sourceUnavailable, subject: kind.rawValue,
            message:
                "cannot be read: \(problem.message); \(consequence(synced.contains(kind) ? [] : [kind]))\(remedy)")
    }

    private func consequence(_ missing: Set<ObjectKind>) -> String {
        guard !missing.isEmpty else { return "everything last read stays in force" }
        let isAll = missing.count == ObjectKind.allCases.count
        let kinds = isAll ? "its objects" : missing.map(\.rawValue).sorted().joined(separator: ", ")
        return "nothing is put in force before \(kinds) can be read, what an earlier agent has pinned stays"
    }
}
