import BPFEmit
import Datapath
import NetTypes
import Synchronization

/// When the parts of a reconciliation were passed, as the agent goes through them.
final class ChangeStopwatch: Sendable {
    struct Times: Sendable {
        var compileBegin: ContinuousClock.Instant
        var compileEnd: ContinuousClock.Instant
        var applyBegin: ContinuousClock.Instant
        var apply = ApplyTimings()
        var endpoints = 0
        /// What the apply changed in the kernel.
        var programs = 0
        var entries = 0
        /// The identity that the kernel's map has for `watched`.
        var identity: UInt32?
        var failure: String?
    }

    /// An address whose identity is read after each apply.
    let watched = Mutex<IPAddress?>(nil)
    /// One value for each reconciliation.
    let reconciliations: AsyncStream<Times>
    private let continuation: AsyncStream<Times>.Continuation
    private let current = Mutex<Times?>(nil)

    init() { (reconciliations, continuation) = AsyncStream.makeStream() }

    func compiled(from begin: ContinuousClock.Instant) {
        let now = ContinuousClock.now
        current.withLock { $0 = Times(compileBegin: begin, compileEnd: now, applyBegin: now) }
    }

    func applied(
        from begin: ContinuousClock.Instant, _ timings: ApplyTimings, _ report: ApplyReport?, identity: UInt32? = nil,
        failure: String?
    ) {
        let times = current.withLock { times in
            times?.applyBegin = begin
            times?.apply = timings
            times?.endpoints = report?.endpoints.count ?? 0
            times?.programs = report?.programsLoaded ?? 0
            times?.entries = report?.entriesChanged ?? 0
            times?.identity = identity
            times?.failure = failure
            return times
        }
        if let times { continuation.yield(times) }
    }
}
