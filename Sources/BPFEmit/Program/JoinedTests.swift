/// Pass 8, join tests: tests of the same word that go on at the same place, as those of many ports do, have one end.
///
/// The verifier follows both ways of each conditional jump, which is most of its work. Of tests that are joined only the bits and the
/// answer differ, and those are no jump: 0.63 of the time to load a policy of 25 ports (Linux 6.18).
enum JoinedTests {
    /// What tests have in common that can be joined.
    private struct End: Hashable {
        let word: Int
        let isL7: Bool
        /// Where they go on without a match.
        let next: BlockLayout.Place
    }

    /// Fewer are left as they are: their code would hardly be shorter, and each packet would take one jump more.
    private static let fewest = 4

    /// - Complexity: O(blocks).
    static func join(_ layout: BlockLayout) -> BlockLayout {
        var counts: [End: Int] = [:]
        for blocks in [layout.known ?? [], layout.unknown] {
            for place in blocks.indices { if let end = end(blocks, at: place) { counts[end, default: 0] += 1 } }
        }
        let joined = counts.filter { $0.value >= fewest }
        guard !joined.isEmpty else { return layout }
        var joiner = Joiner(joined: Set(joined.keys))
        let known = layout.known.map { joiner.rewrite($0) }
        return BlockLayout(known: known, unknown: joiner.rewrite(layout.unknown)).inOrderOfJumps()
    }

    /// The end of a test that only asks the remote's bits.
    private static func end(_ blocks: [BlockLayout.Block], at index: Int) -> End? {
        guard case .test(let word, _, everyone: 0, let outcome, isLast: false) = blocks[index],
            index + 1 < blocks.count
        else { return nil }
        switch blocks[index + 1] {
        case .jump(let next), .place(let next): return End(word: word, isL7: outcome.verdict == .l7, next: next)
        default: return nil
        }
    }

    private struct Joiner {
        let joined: Set<End>
        /// Where the ends stand whose tests came by, by where they go on, in the order of the first.
        private var ends: [BlockLayout.Place: [(end: End, place: BlockLayout.Place)]] = [:]
        /// Below 0, where no place of the layout is.
        private var lastPlace = 0
        private var blocks: [BlockLayout.Block] = []

        init(joined: Set<End>) { self.joined = joined }

        mutating func rewrite(_ old: [BlockLayout.Block]) -> [BlockLayout.Block] {
            blocks = []
            var index = 0
            while index < old.count {
                if let end = JoinedTests.end(old, at: index), joined.contains(end),
                    case .test(let word, let specific, _, let outcome, _) = old[index]
                {
                    blocks += [.bits(word: word, specific: specific, outcome), .jump(to: place(of: end))]
                    // What stands there is the jump to where the end goes on.
                    if case .jump = old[index + 1] { index += 1 }
                } else {
                    if case .place(let next) = old[index] { writeEnds(before: next) }
                    blocks.append(old[index])
                }
                index += 1
            }
            // Those that go on in the code for other remotes.
            for next in ends.keys.sorted() {
                writeEnds(before: next)
                blocks.append(.jump(to: next))
            }
            return blocks
        }

        private mutating func place(of end: End) -> BlockLayout.Place {
            if let known = ends[end.next]?.first(where: { $0.end == end }) { return known.place }
            lastPlace -= 1
            ends[end.next, default: []].append((end, lastPlace))
            return lastPlace
        }

        /// The ends that go on at a place. The last runs into it.
        private mutating func writeEnds(before next: BlockLayout.Place) {
            guard var ends = ends.removeValue(forKey: next) else { return }
            if case .jump(let place) = blocks.last, let first = ends.firstIndex(where: { $0.place == place }) {
                // The last test runs into its end.
                blocks.removeLast()
                ends.swapAt(0, first)
            } else if blocks.last?.runsOn ?? false {
                blocks.append(.jump(to: next))
            }
            for (number, (end, place)) in ends.enumerated() {
                if number > 0 { blocks.append(.jump(to: next)) }
                blocks += [.place(place), .end(word: end.word, isL7: end.isL7)]
            }
        }
    }
}

extension BlockLayout {
    /// With places numbered anew, in the order of the first jump there; those without a jump are none.
    fileprivate func inOrderOfJumps() -> BlockLayout {
        var numbers: [Place: Place] = [:]
        for case .some(let target) in ((known ?? []) + unknown).lazy.map(\.target) where numbers[target] == nil {
            numbers[target] = numbers.count
        }
        func renumbered(_ blocks: [Block]) -> [Block] {
            blocks.compactMap { block in
                switch block {
                case .place(let place): numbers[place].map(Block.place)
                case .split(let from, let side, let place):
                    numbers[place].map { .split(from: from, jumping: side, to: $0) }
                case .branch(let word, let specific, let purpose, let condition, let place):
                    numbers[place].map {
                        .branch(word: word, specific: specific, purpose, jumping: condition, to: $0)
                    }
                case .jump(let place): numbers[place].map { .jump(to: $0) }
                case .loadTraffic, .test, .bits, .end, .fallback: block
                }
            }
        }
        return BlockLayout(known: known.map(renumbered), unknown: renumbered(unknown))
    }
}

extension BlockLayout.Block {
    /// Where it jumps.
    fileprivate var target: BlockLayout.Place? {
        switch self {
        case .split(_, _, let place), .branch(_, _, _, _, let place), .jump(let place): place
        case .place, .loadTraffic, .test, .bits, .end, .fallback: nil
        }
    }

    /// Whether packets may go from it to the block behind it.
    fileprivate var runsOn: Bool {
        switch self {
        case .test(_, _, _, _, let isLast): !isLast
        case .jump, .fallback: false
        case .place, .loadTraffic, .split, .branch, .bits, .end: true
        }
    }
}
