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
    /// One value for each reconciliation; `nil` now and then while somebody waits for one.
    let reconciliations: AsyncStream<Times?>
    private let continuation: AsyncStream<Times?>.Continuation
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

    /// There are no more reconciliations: the agent has ended.
    func end() { continuation.finish() }

    /// The times of the next reconciliation; `nil` when there are no more.
    ///
    /// - Parameters:
    ///   - times: of `reconciliations`.
    ///   - check: called five times a second while nothing comes.
    /// - Returns: the times, or `nil`.
    /// - Throws: what `check` throws.
    func next(_ times: inout AsyncStream<Times?>.AsyncIterator, check: () throws -> Void) async throws -> Times? {
        let knocking = Task { await knock() }
        defer { knocking.cancel() }
        while let sign = await times.next() {
            if let sign { return sign }
            try check()
        }
        return nil
    }

    private func knock() async {
        while (try? await Task.sleep(for: .milliseconds(200))) != nil { continuation.yield(nil) }
    }
}
