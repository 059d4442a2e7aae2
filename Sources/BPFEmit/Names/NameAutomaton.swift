public import PolicyIR

/// Patterns of names as one deterministic automaton: a step of it is one table look-up a byte, so the time to decide a name does
/// not depend on the number of patterns. The kernel walks it over the question of a DNS query or answer and over a server name.
///
/// Where the walk ends says which patterns match: its *name set*. Equal patterns give an equal automaton.
public struct NameAutomaton: Hashable, Sendable {
    /// The state that no name leaves and that matches nothing.
    public static let dead = 0
    /// The state before the first byte.
    public static let start = 1
    /// More states than this are not made.
    public static let maximumStates = 16_384
    /// Places in patterns that are looked at to make an automaton, over all steps of all states. Stars multiply them long before there are
    /// too many states: a place may be in each state.
    public static let maximumWork = 12_000_000
    /// So many times that work may go into automata that turn out to need more.
    private static let tries = 6

    /// `next[state * NameClass.count + class]`.
    public private(set) var next: [UInt16]
    /// Of each state, the number of its name set.
    public private(set) var sets: [UInt16]
    /// The patterns of each name set, sorted. Set 0 is empty.
    public private(set) var patterns: [[Int]]
    /// Patterns that did not fit, sorted: they are not in the automaton.
    public let leftOut: [Int]

    /// The number of states.
    public var stateCount: Int { sets.count }

    /// The automaton of some patterns, which are known by their index.
    ///
    /// - Parameters:
    ///   - patterns: the patterns.
    ///   - budget: the greatest number of states; patterns that need more are left out, those of many names first.
    ///   - work: how much may be looked at to make it; patterns that need more are left out in the same order. It is counted, not timed:
    ///     what is left out depends on the patterns alone.
    public init(
        _ patterns: [NamePattern], budget: Int = NameAutomaton.maximumStates, work: Int = NameAutomaton.maximumWork
    ) {
        // Names without a star cost a state a byte; what stars cost depends on the other patterns, so they are left out first.
        let costs = patterns.map(\.cost)
        let order = patterns.indices.sorted { (costs[$0], $0) < (costs[$1], $1) }
        let names = order.prefix { costs[$0] < NamePattern.costOfStar }.count
        var fitting = 0
        var tooMany = order.count + 1
        var rest = NameAutomaton.tries * work
        // Where it is the work: how many more are tried while that goes well. 0: half of what is left.
        var more = 0
        // Without any pattern the state before the first byte would be the dead one.
        var made: NameTable?
        while tooMany - fitting > 1, rest > 0 {
            var count = (fitting + tooMany) / 2
            if tooMany > order.count {
                count = order.count
            } else if more > 0, tooMany == order.count, fitting == 0, 0 < names, names < order.count {
                // Before there is no work left to find them out.
                count = names
            } else if more > 0 {
                count = min(count, fitting + more)
            }
            let table = NameTable(order[..<count].map { ($0, patterns[$0]) }, budget: budget, work: work)
            rest -= table.work
            if table.isWhole {
                made = table
                if fitting > 0 { more *= 2 }
                fitting = count
            } else {
                more = tooMany > order.count && table.work > work ? 16 : 0
                tooMany = count
            }
        }
        next = made?.next ?? [UInt16](repeating: 0, count: 2 * NameClass.count)
        sets = made?.sets ?? [0, 0]
        self.patterns = made?.patterns ?? [[]]
        leftOut = order[fitting...].sorted()
    }

    /// The state after one more class.
    public func step(_ state: Int, _ class: NameClass) -> Int { Int(next[state * NameClass.count + `class`.number]) }

    /// The name set of a name given as its labels.
    public func set(ofLabels labels: [[UInt8]]) -> Int {
        var state = NameAutomaton.start
        for label in labels {
            for byte in label { state = step(state, NameClass(labelByte: byte)) }
            state = step(state, .end)
        }
        if labels.isEmpty { state = step(state, .end) }
        return Int(sets[state])
    }
}

extension NamePattern {
    /// First by how many names it stands for, then by length.
    fileprivate var cost: Int {
        let stars = tokens.count { if case .byte = $0 { false } else { true } }
        return stars * NamePattern.costOfStar + tokens.count
    }

    /// More than any name has bytes.
    fileprivate static var costOfStar: Int { 1 << 16 }
}

/// The tables of an automaton while it is made: the subset construction.
private struct NameTable {
    private(set) var next: [UInt16] = []
    private(set) var sets: [UInt16] = []
    private(set) var patterns: [[Int]] = [[]]
    private var numbers: [[Int32]: Int] = [:]
    private var setNumbers: [[Int]: Int] = [[]: 0]
    private var waiting: [[Int32]] = []
    /// How many positions were looked at.
    private(set) var work = 0
    /// Whether there was room for all states and all work.
    private(set) var isWhole = true

    init(_ list: [(number: Int, pattern: NamePattern)], budget: Int, work limit: Int) {
        let graph = NameGraph(list)
        var start = NamePositions()
        for position in graph.starts { graph.add(position, to: &start) }
        _ = state([], graph)
        _ = state(start.sorted, graph)
        var index = 0
        while index < waiting.count {
            isWhole = waiting.count <= budget && expand(index, graph, work: limit)
            guard isWhole else { return }
            index += 1
        }
        // The root name has no label: its only step is from the start.
        let root = Int(next[NameAutomaton.start * NameClass.count + NameClass.end.number])
        guard !graph.rootPatterns.isEmpty else { return }
        let all = Set(patterns[Int(sets[root])]).union(graph.rootPatterns)
        next[NameAutomaton.start * NameClass.count + NameClass.end.number] = UInt16(sets.count)
        next += next[root * NameClass.count..<(root + 1) * NameClass.count]
        sets.append(setNumber(all.sorted()))
    }

    /// Makes the row of a state. False: there is no room for the work.
    private mutating func expand(_ index: Int, _ graph: NameGraph, work limit: Int) -> Bool {
        var byClass: [Int: NamePositions] = [:]
        var characters = NamePositions()
        var others = NamePositions()
        var ends = NamePositions()
        work += waiting[index].count
        for position in waiting[index].lazy.map(Int.init) {
            switch graph.steps[position] {
            case .one(let wanted) where wanted == .end: graph.add(position + 1, to: &ends)
            case .one(let wanted): graph.add(position + 1, to: &byClass[wanted.number, default: NamePositions()])
            case .run, .inLabel: graph.add(position, to: &characters)
            case .label: graph.add(position + 1, to: &characters)
            case .anything:
                graph.add(position, to: &characters)
                graph.add(position, to: &others)
                graph.add(position, to: &ends)
            case .end, .nowhere: break
            }
            if case .inLabel = graph.steps[position] {
                graph.add(position - 1, to: &ends)
                graph.add(position + 1, to: &ends)
            }
        }
        let row = index * NameClass.count
        next[row + NameClass.end.number] = UInt16(truncatingIfNeeded: state(ends.sorted, graph))
        next[row + NameClass.other.number] = UInt16(truncatingIfNeeded: state(others.sorted, graph))
        let any = UInt16(truncatingIfNeeded: state(characters.sorted, graph))
        for number in NameClass.firstCharacter..<NameClass.count { next[row + number] = any }
        // Sorted, so that states are numbered alike everywhere.
        for (number, positions) in byClass.sorted(by: { $0.key < $1.key }) {
            var all = positions
            all.add(characters)
            next[row + number] = UInt16(truncatingIfNeeded: state(all.sorted, graph))
            if work > limit { return false }
        }
        return work <= limit
    }

    /// The number of a state, which is made when it is new. `key` are its positions.
    private mutating func state(_ key: [Int32], _ graph: NameGraph) -> Int {
        work += key.count
        if let known = numbers[key] { return known }
        let number = waiting.count
        numbers[key] = number
        waiting.append(key)
        next += repeatElement(0, count: NameClass.count)
        let ended = key.compactMap { if case .end(let pattern) = graph.steps[Int($0)] { pattern } else { nil } }
        sets.append(setNumber(ended.sorted()))
        return number
    }

    private mutating func setNumber(_ ended: [Int]) -> UInt16 {
        if let known = setNumbers[ended] { return UInt16(truncatingIfNeeded: known) }
        setNumbers[ended] = patterns.count
        patterns.append(ended)
        return UInt16(truncatingIfNeeded: patterns.count - 1)
    }
}
