import BPFEmit
import NetTypes
import PolicyAnalysis

/// Waits for policies on behalf of clients: asks the sources' peers what they have, and looks at what is published.
struct PolicyWaits: Sendable {
    let reconciler: Reconciler
    let published: PublishedSnapshot
    let history: GenerationHistory

    /// How soon the peers are asked again when what they have is not in force; twice as long each time, up to the longest.
    private static let pauses = (first: Duration.seconds(1), longest: Duration.seconds(30))

    /// Waits.
    func wait(_ request: PolicyWaitRequest) async -> PolicyWaitReport {
        let clock = ContinuousClock()
        let start = clock.now
        let deadline = start + .milliseconds(min(max(request.timeoutMilliseconds, 0), APIServer.longestWait))
        let reread = reconciler.reread()
        var wait = PolicyWait(request)
        var asksAgain = start
        var pause = PolicyWaits.pauses.first
        while true {
            if clock.now >= asksAgain {
                wait.latest = await latest(wait.keys)
                asksAgain = clock.now + pause
                pause = min(pause * 2, PolicyWaits.pauses.longest)
            }
            // In this order: what was read for it is in the snapshot before the reader says so.
            let isRead = reconciler.isDone(reread)
            let view = view(isRead: isRead)
            switch wait.look(at: view) {
            case .over(let report): return report
            case .waiting(let reason):
                guard clock.now < deadline, (try? await clock.sleep(for: APIServer.round)) != nil else {
                    return PolicyWaitReport(.pending, policies: wait.reports(view), reason: reason)
                }
            }
        }
    }

    private func latest(_ keys: [ObjectKey]) async -> [ObjectKey: LatestObject] {
        await withTaskGroup(of: (ObjectKey, LatestObject).self) { group in
            for key in keys { group.addTask { (key, await reconciler.latest(key)) } }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func view(isRead: Bool) -> PolicyWait.View {
        let snapshot = published.current
        let generation = history.current
        let failed = (snapshot.facts.report?.endpoints ?? []).filter { $0.failure != nil }
        return PolicyWait.View(
            policies: snapshot.policies, kept: snapshot.policiesKept, facts: snapshot.facts, isRead: isRead,
            notAsWritten: { key in
                generation.notAsWritten[key]?.map(DiagnosticRenderer().render).joined(separator: "; ")
            },
            failure: { key in
                let endpoint = failed.first { generation.applies(key, to: $0.key) }
                return endpoint.map { "\($0.key) is not enforced: \($0.failure ?? "")" }
            })
    }
}

extension Generation {
    /// Whether a policy has a part in what is decided at a pod; of a pod that is not in the image nobody knows.
    fileprivate func applies(_ policy: ObjectKey, to pod: EndpointKey) -> Bool {
        guard let image, let endpoint = image.endpoints.first(where: { $0.key == pod }),
            let subject = image.subjects.first(where: { $0.key == endpoint.subject })
        else { return true }
        return Direction.allCases.contains { direction in
            let origins = subject[direction].bits.map(\.origin) + subject[direction].isolatedBy
            return origins.contains { ObjectKey($0) == policy }
        }
    }
}
