import Agent
import Support

/// Waits for what an agent puts in force, and looks meanwhile whether there is still something to wait for.
struct ReconciliationWait {
    private let service: AgentService
    private let stopwatch: ChangeStopwatch
    private let check: () throws -> Void
    private var times: AsyncStream<ChangeStopwatch.Times?>.AsyncIterator

    /// A wait that begins with the first reconciliation.
    ///
    /// - Parameters:
    ///   - service: the agent.
    ///   - stopwatch: what it is measured by; nobody else waits by it.
    ///   - check: called several times a second; what it throws ends the waiting.
    init(_ service: AgentService, _ stopwatch: ChangeStopwatch, check: @escaping () throws -> Void) {
        self.service = service
        self.stopwatch = stopwatch
        self.check = check
        times = stopwatch.reconciliations.makeAsyncIterator()
    }

    /// The times of the next reconciliation that is the one waited for, when all of it is done.
    ///
    /// - Throws: what the check throws; when a reconciliation fails or takes more than a minute, or the agent has ended.
    @discardableResult
    mutating func next(
        _ what: String, until isIt: (ChangeStopwatch.Times) -> Bool = { _ in true }
    ) async throws -> ChangeStopwatch.Times {
        while let found = try await stopwatch.next(&times, check: check) {
            if let failure = found.failure { throw SystemError("put in force", what, nil, detail: failure) }
            guard isIt(found) else { continue }
            for _ in 0..<60 {
                if await service.waitUntilInForce(.seconds(1)) { return found }
                try check()
            }
            throw SystemError("put in force", what, nil, detail: "it takes more than 60 s")
        }
        throw SystemError("put in force", what, nil, detail: "the agent has ended")
    }
}
