import Foundation
import Glibc
import Testing

/// `CHAOS_SECONDS` and `CHAOS_SEED` repeat or prolong a run; a message names the seed. CI repeats one run, `make chaos` draws another.
@Suite("Chaos on the API server", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ClusterChaosTests {
    @Test(
        "nothing that is denied before and after a change passes, and what is measured is what the evaluator says, whatever happens to objects, the API server and the agent"
    )
    func chaos() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["CHAOS_SEED"].flatMap(UInt64.init) ?? 3
        let seconds = environment["CHAOS_SECONDS"].flatMap(Int.init) ?? 30
        print("chaos on the API server: seed \(seed), \(seconds) s")
        let run = try await ClusterChaosRun(seed: seed)
        let probes: [ProbeTraffic.Probe]
        do {
            probes = try await run.run(.seconds(seconds))
        } catch {
            Issue.record("seed \(seed): \(error)")
            await run.stop()
            return
        }
        let passed = probes.filter { probe in
            guard let received = probe.received else { return false }
            return !run.timeline.mayPass(probe.pair, sent: probe.sent, received: received)
        }
        let denied = probes.count { !run.timeline.mayPass($0.pair, sent: $0.sent, received: $0.sent + .seconds(1)) }
        #expect(
            passed.isEmpty,
            "seed \(seed): \(passed.count) denied probes passed, first \(String(describing: passed.first))\n\(run.timeline.story(of: passed.prefix(3)))"
        )
        let (missing, measured) = unanswered(probes, run.timeline.quietTimes)
        #expect(
            missing.isEmpty,
            "seed \(seed): allowed and not let through: \(missing.prefix(5))\n\(run.timeline.notes(last: 30))")
        #expect(denied > 20 * seconds, "too few denied probes to say anything: \(denied)")
        #expect(
            measured > 50 && run.quietPoints > 5, "\(measured) allowed pairs measured, \(run.quietPoints) quiet points")
        print(
            "chaos on the API server: seed \(seed), \(run.steps.values.reduce(0, +)) steps of \(run.steps.count) kinds, "
                + "\(probes.count) probes, \(denied) denied throughout, \(passed.count) of them passed; \(run.quietPoints) quiet points, "
                + "\(measured) allowed pairs measured there")
        await run.stop()
    }

    /// The allowed pairs of quiet times of which several probes were sent and none arrived; and how many had probes.
    private func unanswered(
        _ probes: [ProbeTraffic.Probe], _ quietTimes: [ChaosTimeline.Quiet]
    ) -> (missing: [String], measured: Int) {
        var missing: [String] = []
        var measured = 0
        let probes = probes.sorted { $0.sent < $1.sent }
        for quiet in quietTimes {
            let first = probes.prefixCount { $0.sent < quiet.begin }
            let within = probes[first..<max(first, probes.prefixCount { $0.sent < quiet.end })]
            for (pair, sent) in Dictionary(grouping: within, by: \.pair)
            where quiet.allowed.contains(pair) && sent.count > 1 {
                measured += 1
                if sent.allSatisfy({ $0.received == nil }) { missing.append("\(pair), \(sent.count) probes") }
            }
        }
        return (missing, measured)
    }
}
