import Testing

@testable import BPFEmit

@Suite struct PeersLayoutTests {
    @Test(
        "an array where it takes no more memory than a hash",
        arguments: [
            (entries: 3, highest: UInt32(258), words: 1, layout: PeersLayout.hash(capacity: 16)),
            (entries: 300, highest: UInt32(555), words: 1, layout: .array(capacity: 631)),
            (entries: 100_000, highest: UInt32(101_000), words: 16, layout: .array(capacity: 126_001)),
            (entries: 1000, highest: UInt32(100_000), words: 1, layout: .hash(capacity: 1250)),
            // Prefixes have numbers from 0x01000000 on.
            (entries: 5000, highest: UInt32(0x0100_0001), words: 1, layout: .hash(capacity: 6250)),
            (entries: 0, highest: UInt32(0), words: 1, layout: .hash(capacity: 16)),
        ])
    func layouts(entries: Int, highest: UInt32, words: Int, layout: PeersLayout) {
        #expect(PeersLayout(entries: entries, highest: highest, words: words) == layout)
    }

    @Test("whatever is chosen holds the highest identity and costs at most a hash")
    func bounds() {
        for entries in [1, 10, 100, 5000] {
            for spread in [1, 2, 7, 20] {
                for words in [1, 2, 20] {
                    let highest = UInt32(256 + entries * spread)
                    guard case .array(let capacity) = PeersLayout(entries: entries, highest: highest, words: words)
                    else { continue }
                    #expect(capacity > Int(highest))
                    #expect(capacity * 8 * words <= entries * PeersLayout.hashEntryBytes(words: words))
                }
            }
        }
    }
}
