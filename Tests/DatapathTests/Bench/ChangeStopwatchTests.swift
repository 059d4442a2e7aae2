import Datapath
import Testing

@testable import BenchKit

@Suite("waiting for a reconciliation")
struct ChangeStopwatchTests {
    private struct Stopped: Error {}

    @Test("a check ends the waiting when nothing comes", .timeLimit(.minutes(1)))
    func interrupted() async throws {
        let stopwatch = ChangeStopwatch()
        var times = stopwatch.reconciliations.makeAsyncIterator()
        var looks = 0
        do {
            _ = try await stopwatch.next(&times) {
                looks += 1
                if looks == 2 { throw Stopped() }
            }
            Issue.record("it waits for nothing")
        } catch is Stopped {
            #expect(looks == 2)
        }
    }

    @Test("the agent's end ends it, and what has come before is not lost", .timeLimit(.minutes(1)))
    func ended() async throws {
        let stopwatch = ChangeStopwatch()
        var times = stopwatch.reconciliations.makeAsyncIterator()
        stopwatch.compiled(from: .now)
        stopwatch.applied(from: .now, ApplyTimings(), nil, failure: "refused")
        stopwatch.end()
        let first = try await stopwatch.next(&times, check: {})
        #expect(first?.failure == "refused")
        let second = try await stopwatch.next(&times, check: {})
        #expect(second?.failure == nil && second?.endpoints == nil)
    }
}
