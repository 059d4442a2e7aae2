import PolicyIR

/// The patterns of an automaton as positions and steps between them, with choice: what the automaton is made from.
struct NameGraph {
    /// What leads on from a position.
    enum Step {
        /// This class leads to the next position.
        case one(NameClass)
        /// Any name character stays here; nothing leads to the next position.
        case run
        /// A name character begins a label.
        case label
        /// Any name character stays in the label; its end leads to the next position, or to another label.
        case inLabel
        /// Any class stays here; nothing leads to the next position.
        case anything
        /// The pattern ends here.
        case end(pattern: Int)
        /// A literal that no name has leads nowhere.
        case nowhere
    }

    private(set) var steps: [Step] = []
    /// The positions before the first byte, without those that nothing leads to.
    private(set) var starts: [Int] = []
    /// The patterns that match the root name beside what their positions say.
    private(set) var rootPatterns: [Int] = []

    init(_ patterns: [(number: Int, pattern: NamePattern)]) {
        for (number, pattern) in patterns {
            starts.append(steps.count)
            for token in pattern.tokens {
                switch token {
                case .byte(UInt8(ascii: ".")): steps.append(.one(.end))
                case .byte(let byte):
                    let known = NameClass(labelByte: byte)
                    steps.append(known.isCharacter ? .one(known) : .nowhere)
                case .run: steps.append(.run)
                case .labels: steps += [.label, .inLabel]
                case .anything: steps.append(.anything)
                }
            }
            steps.append(.end(pattern: number))
            if pattern.matchesRoot { rootPatterns.append(number) }
        }
    }

    /// Adds a position and what follows without a byte.
    func add(_ position: Int, to positions: inout NamePositions) {
        var position = position
        while true {
            positions.add(position)
            switch steps[position] {
            case .run, .anything: position += 1
            case .one, .label, .inLabel, .end, .nowhere: return
            }
        }
    }
}
