import Foundation
import Glibc
import Testing

/// `CHAOS_SECONDS` and `CHAOS_SEED` repeat or prolong a run; a message names the seed.
@Suite("Chaos", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ChaosTests {
    @Test("nothing that is denied before and after a change passes, whatever happens to files, pods and the agent")
    func chaos() throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["CHAOS_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0...9999)
        let seconds = environment["CHAOS_SECONDS"].flatMap(Int.init) ?? 60
        let run = try ChaosRun(seed: seed)
        let probes = try run.run(.seconds(seconds))
        let passed = probes.filter { probe in
            guard let received = probe.received else { return false }
            return !run.timeline.mayPass(probe.pair, sent: probe.sent, received: received)
        }
        let denied = probes.filter { !run.timeline.mayPass($0.pair, sent: $0.sent, received: $0.sent + .seconds(1)) }
        #expect(
            passed.isEmpty,
            "seed \(seed): \(passed.count) denied probes passed, first \(String(describing: passed.first))\n\(run.timeline.story(of: passed.prefix(3)))"
        )
        #expect(denied.count > 50 * seconds, "too few denied probes to say anything: \(denied.count)")
        #expect(probes.contains { $0.received != nil }, "nothing ever passed: this shows nothing")
        #expect(probes.count >= 200 * seconds, "\(probes.count) probes in \(seconds) s")
        #expect(run.quietPoints > 5)
        print(
            "chaos: seed \(seed), \(probes.count) probes, \(denied.count) denied throughout, \(passed.count) of them passed, "
                + "\(run.quietPoints) quiet points")
    }
}
