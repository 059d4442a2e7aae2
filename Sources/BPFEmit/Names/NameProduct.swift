/// Two automata in one: a walk of it is a walk of both. For as long as programs of an earlier process run, of which nothing is known but
/// what the tables in the kernel say.
public struct NameProduct {
    /// As of `NameAutomaton`.
    public let next: [UInt16]
    /// As of `NameAutomaton`.
    public let sets: [UInt16]
    /// By name set, that of the earlier automaton and that of the other one.
    public let pairs: [Pair]

    /// Name sets of both automata that stand for the same names.
    public struct Pair: Hashable, Sendable {
        /// Of the earlier one.
        public let earlier: UInt16
        /// Of the other one.
        public let own: UInt16
    }

    /// A state of the earlier automaton: by class the next one, and its name set.
    public typealias Row = (next: [UInt16], set: UInt16)

    /// Makes it; `nil` when it takes more states than the budget, or the earlier one cannot be walked.
    ///
    /// - Parameters:
    ///   - automaton: the other one.
    ///   - earlier: reads a state of the earlier one; `nil`: it has none.
    ///   - budget: the greatest number of states.
    /// - Throws: what `earlier` throws.
    public init?<Failure: Error>(
        _ automaton: NameAutomaton, and earlier: (Int) throws(Failure) -> Row?,
        budget: Int = NameAutomaton.maximumStates
    ) throws(Failure) {
        var states = [
            Pair(earlier: 0, own: 0), Pair(earlier: UInt16(NameAutomaton.start), own: UInt16(NameAutomaton.start)),
        ]
        var numbers = [states[0]: UInt16(0), states[1]: UInt16(1)]
        var pairs = [Pair(earlier: 0, own: 0)]
        var setNumbers = [pairs[0]: UInt16(0)]
        var rows: [UInt16: Row] = [:]
        var next: [UInt16] = []
        var sets: [UInt16] = []
        var index = 0
        while index < states.count {
            let state = states[index]
            if rows[state.earlier] == nil { rows[state.earlier] = try earlier(Int(state.earlier)) }
            guard let row = rows[state.earlier], row.next.count >= NameClass.count else { return nil }
            for number in 0..<NameClass.count {
                let target = Pair(
                    earlier: row.next[number], own: automaton.next[Int(state.own) * NameClass.count + number])
                if numbers[target] == nil {
                    guard states.count < budget else { return nil }
                    numbers[target] = UInt16(states.count)
                    states.append(target)
                }
                next.append(numbers[target] ?? 0)
            }
            let pair = Pair(earlier: row.set, own: automaton.sets[Int(state.own)])
            if setNumbers[pair] == nil {
                setNumbers[pair] = UInt16(pairs.count)
                pairs.append(pair)
            }
            sets.append(setNumbers[pair] ?? 0)
            index += 1
        }
        self.next = next
        self.sets = sets
        self.pairs = pairs
    }
}
