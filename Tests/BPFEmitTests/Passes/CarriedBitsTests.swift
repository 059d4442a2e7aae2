import Testing

@testable import BPFEmit

@Suite("Pass: trim words")
struct CarriedBitsTests {
    private static func carried(_ count: Int, _ peers: [(UInt32, [UInt64])]) -> CarriedBits {
        CarriedBits(PolicyExamples.policy((0..<count).map { PolicyExamples.bit($0) }, peers: peers))
    }

    @Test("the union of all entries, without words behind the last bit")
    func union() {
        #expect(Self.carried(200, [(5, [1, 0, 0, 0]), (6, [4, 0, 2])]).words == [5, 0, 2])
        #expect(Self.carried(200, [(5, [0, 0, 0, 1 << 7])]).words == [0, 0, 0, 1 << 7])
    }

    @Test("nobody carries anything: no words")
    func nothing() {
        #expect(Self.carried(0, []).words == [])
        #expect(Self.carried(200, []).words == [])
        #expect(Self.carried(200, [(5, [0, 0])]).words == [])
    }

    @Test("asked of one bit, in and behind the words")
    func contains() {
        let carried = Self.carried(200, [(5, [1 << 63, 2])])
        #expect([62, 63, 64, 65, 66, 128, 4000].filter(carried.contains) == [63, 65])
    }

    @Test("entries get as many words as are carried, cut or filled up")
    func trimmed() {
        let carried = Self.carried(200, [(5, [1, 2, 0, 0]), (6, [1])])
        let entries = [
            PeerEntry(identity: 5, words: [1, 2, 0, 0]), PeerEntry(identity: 6, words: [1]),
            PeerEntry(identity: 7, words: [3, 4]),
        ]
        #expect(carried.trimmed(entries).map(\.words) == [[1, 2], [1, 0], [3, 4]])
        #expect(carried.trimmed(entries).map(\.identity) == [5, 6, 7])
    }
}
