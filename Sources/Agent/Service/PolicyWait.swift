import Support

/// Decides from published snapshots whether a policy is in force, in the version that its source has now. Pure.
struct PolicyWait {
    /// What is known at one look.
    struct View {
        /// How it stands with the policies that were read.
        var policies: [ObjectKey: PolicyStanding]
        /// The policies that no source has any more and that are in force, with why, in words.
        var kept: [ObjectKey: String] = [:]
        /// The rest that is known of the node.
        var facts: Health.Facts
        /// Whether all sources were read again since the question came.
        var isRead: Bool
        /// Why what is in force for a policy is not what it says.
        var notAsWritten: (ObjectKey) -> String?
        /// Why pods that a policy is about are not enforced, of those that could not be programmed.
        var failure: (ObjectKey) -> String?
    }

    /// What one look says.
    enum Answer: Hashable {
        /// It is over.
        case over(PolicyWaitReport)
        /// Not yet, for this reason.
        case waiting(String)
    }

    private let name: PolicyName
    private let isGone: Bool
    /// What the sources' peers said last that they have under the keys that the name may mean.
    var latest: [ObjectKey: LatestObject] = [:]
    /// The generation in which there was no such policy any more.
    private var gone: UInt64?

    init(_ request: PolicyWaitRequest) {
        name = request.policy
        isGone = request.isGone
    }

    /// The policies that are waited for.
    var keys: [ObjectKey] { name.keys }

    /// Looks at one state of the node.
    mutating func look(at view: View) -> Answer {
        guard view.isRead else { return .waiting("the agent is reading its sources") }
        for key in keys {
            if case .unknown(let why)? = latest[key] {
                return .waiting("nobody can say which version of \(key.text) is the current one: \(why)")
            }
        }
        return isGone ? lookForNothing(view) : lookForPolicy(view)
    }

    /// The reports of the policies of the name that were read.
    func reports(_ view: View) -> [PolicyReport] {
        keys.sorted().compactMap { key in
            view.policies[key].map { PolicyReport(key, $0, applied: view.facts.appliedGeneration) }
                ?? view.kept[key].map { PolicyReport(key, kept: $0) }
        }
    }

    private mutating func lookForNothing(_ view: View) -> Answer {
        for key in keys {
            if case .version? = latest[key] { return .waiting("the API server still has \(key.text)") }
        }
        if let key = keys.first(where: { view.policies[$0] != nil }) {
            gone = nil
            return .waiting("\(key.text) is still in force")
        }
        for key in keys {
            guard let reason = view.kept[key] else { continue }
            gone = nil
            return .waiting("\(key.text) is still in force: \(reason)")
        }
        let generation = gone ?? view.facts.generation
        gone = generation
        guard view.facts.appliedGeneration >= generation else {
            return .waiting("the agent is putting in force that there is no such policy")
        }
        return .over(PolicyWaitReport(.gone))
    }

    private func lookForPolicy(_ view: View) -> Answer {
        let present = keys.sorted().filter { key in
            switch latest[key] {
            case .version: true
            case .asRead: view.policies[key] != nil
            case .absent, .unknown, nil: false
            }
        }
        guard let key = present.first else { return .waiting(missing(view)) }
        guard present.count == 1 else {
            let names = present.map { PolicyName(kind: $0.kind, namespace: $0.namespace, name: $0.name) }
            let reason = "\(name) may be \(names.map(\.description).joined(separator: " or "))"
            return .over(PolicyWaitReport(.ambiguous, policies: reports(view), reason: reason))
        }
        guard let standing = view.policies[key] else {
            return .waiting("the API server has \(key.text), and has not sent it yet")
        }
        if case .version(let version)? = latest[key], case .server(let read) = standing.origin, !read.covers(version) {
            return .waiting("the API server has another version of \(key.text), and has not sent it yet")
        }
        func refused(_ reason: String) -> Answer {
            .over(PolicyWaitReport(.refused, policies: reports(view), reason: reason))
        }
        switch standing.state {
        case .lastGood, .isolated, .ignored: return refused("\(key.text): \(standing.reason ?? "refused")")
        case .asWritten: break
        }
        if let unread = unread(standing, view.facts) { return refused(unread) }
        guard view.facts.appliedGeneration >= standing.generation else {
            return .waiting("the agent is putting \(key.text) in force")
        }
        if let reason = view.notAsWritten(key) { return refused("\(key.text) is not in force as written: \(reason)") }
        if let failure = view.failure(key) { return .waiting(failure) }
        return .over(PolicyWaitReport(.inForce, policies: reports(view)))
    }

    private func missing(_ view: View) -> String {
        if let key = keys.first(where: { view.policies[$0] != nil }) {
            return "the API server has no \(key.text) any more"
        }
        let unread = view.facts.conditions.filter { PolicyWait.unreadKinds.contains($0.kind) }
        let why = unread.map { "\($0.subject): \($0.message)" }
        return (["there is no policy \(name)"] + why).joined(separator: "; ")
    }

    /// What keeps the text that the policy's file has now from being read.
    private func unread(_ standing: PolicyStanding, _ facts: Health.Facts) -> String? {
        guard case .manifest(let place) = standing.origin else { return nil }
        let found = facts.conditions.first {
            PolicyWait.unreadKinds.contains($0.kind) && $0.subject == PrintableName.of(place.file)
        }
        return found.map { "\($0.subject): \($0.message)" }
    }

    /// Conditions of sources whose text of now is not what was read last.
    private static let unreadKinds: Set<Condition.Kind> = [.brokenFile, .shrunkFile, .folderLost, .sourceUnavailable]
}
