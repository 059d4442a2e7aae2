import BPFEmit
import NetpoldTestSupport
import Testing

@testable import Datapath

@Suite("changes of peers maps")
struct PeersPatchTests {
    @Test("a patch leads from any entries to any others, and writes or removes nothing that may stay")
    func random() {
        var random = SplitMix64(seed: 11)
        func entries() -> PeerTable {
            let words: [[UInt64]] = [[1], [2], [3]]
            let entries = (0..<UInt32.random(in: 0...12, using: &random)).filter { _ in random.once(in: 2) }
                .map { PeerEntry(identity: $0, words: random.pick(words)) }
            return PeerTable(entries)
        }
        for _ in 0..<5_000 {
            let (live, wanted) = (entries(), entries())
            let patch = PeersPatch(from: live, to: wanted)
            let before = Dictionary(uniqueKeysWithValues: live.map { ($0.identity, $0.words) })
            let after = Dictionary(uniqueKeysWithValues: wanted.map { ($0.identity, $0.words) })
            #expect(patch.upserts == wanted.filter { before[$0.identity] != $0.words })
            #expect(patch.additions == wanted.count { before[$0.identity] == nil })
            #expect(patch.removals == live.map(\.identity).filter { after[$0] == nil })
            #expect(patch.isEmpty == (live == wanted))
        }
    }
}
