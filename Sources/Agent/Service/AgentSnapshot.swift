import BPFEmit
import Synchronization

/// What the reconciler made known last: whoever answers clients reads this, and never waits for the reconciler.
struct AgentSnapshot: Sendable {
    /// Raised with each publication.
    var number: UInt64 = 0
    /// What health is made from.
    var facts = Health.Facts()
    /// How many times the kernel was brought to a new state.
    var applyCount: UInt64 = 0
    /// Whether everything seen is in force.
    var isInForce = false
    /// How many policies are in force, those that were deleted and are kept included.
    var policiesInForce = 0
    /// How it stands with each policy of the sources.
    var policies: [ObjectKey: PolicyStanding] = [:]
    /// The policies that no source has any more and that are in force, with why, in words.
    var policiesKept: [ObjectKey: String] = [:]
    /// What each endpoint has of the flow table, as of the latest walk over it.
    var shares: [EndpointKey: FlowShare] = [:]
    var policiesRefused = 0
    /// What the latest look at the node has decided.
    var fastPath: FastPathReport?
    /// How long the latest change took, from the end of its debounce delay to the kernel holding it.
    var lastApply: Duration = .zero
    /// Since when the kernel does not hold what was seen; `nil` when it does.
    var pendingSince: ContinuousClock.Instant?

    /// The health as of `now`, by a worker that has been at its piece of work since `busySince`, while this is being read.
    func health(
        now: ContinuousClock.Instant, busySince: ContinuousClock.Instant?,
        readings: [(subject: String, since: ContinuousClock.Instant)]
    ) -> Health {
        var facts = facts
        facts.readings = readings.map { ($0.subject, now - $0.since) }
        facts.workingFor = busySince.map { now - $0 }
        facts.pendingFor = pendingSince.map { now - $0 } ?? .zero
        return Health(facts)
    }
}

/// The latest snapshot, for any thread.
final class PublishedSnapshot: Sendable {
    private let snapshot = Mutex(AgentSnapshot())

    /// The latest one.
    var current: AgentSnapshot { snapshot.withLock(\.self) }

    /// Puts another one in its place.
    func publish(_ next: AgentSnapshot) {
        snapshot.withLock { current in
            let number = current.number + 1
            current = next
            current.number = number
        }
    }
}
