import BPFEmit
import Testing

@testable import Agent

@Suite("records are read by the tables of their time") struct GenerationHistoryTests {
    private func report(_ pod: String, slot: UInt32, revision: UInt32) -> ApplyReport {
        var report = Fixtures.report(pod)
        report.endpoints[0].slot = slot
        report.endpoints[0].revision = revision
        return report
    }

    @Test("a slot that was given to another pod meanwhile still names the one that had it")
    func slotReused() {
        let history = GenerationHistory()
        history.begin(Records.generation(report("web", slot: 4, revision: 7), began: 100))
        history.begin(Records.generation(report("db", slot: 4, revision: 9), began: 200))
        let subject = { (record: VerdictRecord) in
            history.all.generation(of: record).slots[4]?.key.name
        }
        #expect(subject(Records.drop(slot: 4, revision: 7, time: 150)) == "web")
        #expect(subject(Records.drop(slot: 4, revision: 9, time: 250)) == "db")
        // While an apply is under way, the revision says by which state the hook worked, not the clock.
        #expect(subject(Records.drop(slot: 4, revision: 7, time: 210)) == "web")
        #expect(subject(Records.drop(slot: 4, revision: 9, time: 190)) == "db")
        // A revision that nobody knows: by time.
        #expect(subject(Records.drop(slot: 4, revision: 1, time: 150)) == "web")
        #expect(subject(Records.drop(slot: 4, revision: 1, time: 250)) == "db")
    }

    @Test("an address that was given to another pod meanwhile names the one that had it")
    func addressReused() {
        let history = GenerationHistory()
        history.begin(
            Records.generation(report("db", slot: 4, revision: 7), began: 100, pods: [Fixtures.pod("old", "10.0.0.1")]))
        history.begin(
            Records.generation(report("db", slot: 4, revision: 7), began: 200, pods: [Fixtures.pod("new", "10.0.0.1")]))
        for (time, name) in [(150, "shop/old"), (250, "shop/new")] as [(UInt64, String)] {
            let record = Records.drop(slot: 4, revision: 7, from: "10.0.0.1", time: time)
            var resolver = VerdictResolver(history.all.generation(of: record))
            let verdict = resolver.resolve(record, time: 5)
            #expect(verdict.source.pod == name)
        }
    }

    @Test("the history is bounded by number and by age")
    func bounded() {
        let history = GenerationHistory()
        for number in 0..<100 {
            history.begin(Records.generation(report("web", slot: 0, revision: 1), began: UInt64(number)))
        }
        #expect(history.all.count == GenerationHistory.limit)
        let hour: UInt64 = 3_600_000_000_000
        history.begin(Records.generation(report("web", slot: 0, revision: 1), began: hour))
        // The one before may have been in force until just now.
        #expect(history.all.count == 2)
        history.begin(Records.generation(report("web", slot: 0, revision: 1), began: 2 * hour))
        #expect(history.all.map(\.began.nanoseconds) == [2 * hour, hour])
    }

    @Test("generations that no record can be of are let go of although none follows; the one in force stays")
    func forgotten() {
        let history = GenerationHistory()
        for number in 1...3 as ClosedRange<UInt64> {
            history.begin(Records.generation(report("web", slot: 0, revision: 1), began: number))
        }
        history.forget(at: KernelTime(nanoseconds: 4_000_000_000))
        #expect(history.all.count == 3)
        history.forget(at: KernelTime(nanoseconds: 3_600_000_000_000))
        #expect(history.all.map(\.began.nanoseconds) == [3])
    }
}
