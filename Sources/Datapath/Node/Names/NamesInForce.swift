import BPFEmit
import CNetpoldABI
import PolicyIR

/// The tables of names in the kernel: which automaton is in force, and what each name set satisfies for each program.
///
/// An automaton is changed in the order in which no packet sees a program with one that lacks its patterns: rows into the bank that is
/// not in force, entries of np_name_rules under the next number for all programs that run and for all that are about to, then the
/// number in one write. Entries under earlier numbers go once nobody can be reading them.
final class NamesInForce {
    private let maps: NameMaps
    /// np_name_revision; 0 = none.
    private var number: UInt32
    /// The tables of the automaton in force; `nil` while they are an earlier process's that nobody has compared yet.
    private(set) var tables: NameTables?
    /// np_name_rules.
    private var entries: [NameRuleKey: NameRuleValue]
    /// Entries that found no room, at the latest writing.
    private(set) var refused = 0
    /// Patterns that the automaton in force has no room for and that nobody else decides, as of the latest `settle`.
    private(set) var denied: [String] = []
    /// Whether the node has a proxy, which decides what the automaton has no room for.
    var hasProxy = false

    /// Reads what is there.
    init(_ maps: NameMaps) throws(BPFError) {
        self.maps = maps
        number = try maps.revision.value(of: UInt32(0), initial: np_name_revision())?.number ?? 0
        let found = try maps.rules.entries(key: np_name_rule_key(), value: np_name_rule())
        entries = Dictionary(found.map { (NameRuleKey($0.key), NameRuleValue($0.value)) }) { first, _ in first }
    }

    /// The highest number of columns that is written anywhere.
    var highestColumns: UInt32 {
        let flag = UInt32(truncatingIfNeeded: NP_NAME_COLUMNS)
        return entries.keys.lazy.filter { $0.owner & flag != 0 }.map { $0.owner & ~flag }.max() ?? 0
    }

    /// The bases of the programs that have entries.
    var programs: Set<UInt32> {
        let flag = UInt32(truncatingIfNeeded: NP_NAME_COLUMNS)
        return Set(entries.keys.lazy.map(\.owner).filter { $0 & flag == 0 && $0 < NP_MAX_RULE_HITS })
    }

    /// What policies ask for, before programs are swapped: for those that run and those that are about to.
    ///
    /// - Returns: what was written, and whether another automaton is in force: then whoever reads the old one must be waited for.
    func prepare(_ policies: [LoadedPolicy]) throws(BPFError) -> (written: Int, isOther: Bool) {
        let wanted = NameTables.patterns(of: policies.lazy.map(\.image))
        if let tables, wanted.isSubset(of: Set(tables.patterns)) {
            return (try write(policies, tables), false)
        }
        if wanted.isEmpty, number == 0 { return (0, false) }
        let next = NameTables(patterns: wanted)
        if tables == nil, number != 0, try !holds(next), let change = try add(next, policies) { return change }
        return try change(to: next, policies)
    }

    /// The same after they were swapped, when nobody runs but these: patterns that nobody asks for go.
    func settle(_ policies: [LoadedPolicy]) throws(BPFError) -> (written: Int, isOther: Bool) {
        defer { denied = tables?.denied(policies.lazy.map(\.image), hasProxy: hasProxy) ?? [] }
        let wanted = NameTables.patterns(of: policies.lazy.map(\.image))
        if number == 0 && wanted.isEmpty { return (0, false) }
        if let tables, wanted == Set(tables.patterns) { return (try write(policies, tables), false) }
        return try change(to: NameTables(patterns: wanted), policies)
    }

    /// Removes the entries that none of these policies asks for. Nobody else may be running.
    func clean(_ policies: [LoadedPolicy]) throws(BPFError) -> Int {
        guard let tables else { return 0 }
        let wanted = desired(policies, tables)
        let surplus = entries.keys.filter { wanted[$0] == nil }
        for key in surplus {
            try maps.rules.remove(key.wire)
            entries[key] = nil
        }
        return surplus.count
    }

    private func change(
        to next: NameTables, _ policies: [LoadedPolicy]
    ) throws(BPFError) -> (written: Int, isOther: Bool) {
        // After a restart what is in force may be the same.
        if tables == nil, number != 0, try holds(next) {
            tables = next
            return (try write(policies, next), false)
        }
        tables = nil
        let written = try putInForce(next.automaton.next, next.automaton.sets) { _ in desired(policies, next) }
        tables = next
        return (written, true)
    }

    /// Puts other tables beside those of an earlier process, whose programs run until these are in their place: what their rules and
    /// columns satisfy goes over, name set by name set.
    ///
    /// - Returns: `nil` when there is no room for both.
    private func add(
        _ next: NameTables, _ policies: [LoadedPolicy]
    ) throws(BPFError) -> (written: Int, isOther: Bool)? {
        let product = try NameProduct(next.automaton) { state throws(BPFError) in
            let key = (number & 1) * UInt32(NP_MAX_NAME_STATES) + UInt32(state)
            guard let row = try maps.states.value(of: key, initial: np_name_state()) else { return nil }
            return (withUnsafeBytes(of: row.next) { Array($0.bindMemory(to: UInt16.self)) }, row.set)
        }
        guard let product else { return nil }
        var bySet: (earlier: [UInt32: [UInt32]], own: [UInt32: [UInt32]]) = ([:], [:])
        for (set, pair) in product.pairs.enumerated() {
            bySet.earlier[UInt32(pair.earlier), default: []].append(UInt32(set))
            bySet.own[UInt32(pair.own), default: []].append(UInt32(set))
        }
        let written = try putInForce(product.next, product.sets) { before in
            var wanted: [NameRuleKey: NameRuleValue] = [:]
            func add(_ key: NameRuleKey, _ sets: [UInt32], _ value: NameRuleValue) {
                for set in sets {
                    let place = NameRuleKey(owner: key.owner, revision: number, set: set)
                    wanted[place, default: NameRuleValue()].rules |= value.rules
                    wanted[place, default: NameRuleValue()].columns |= value.columns
                }
            }
            for (key, value) in desired(policies, next) {
                if key.revision == 0 { wanted[key] = value } else { add(key, bySet.own[key.set] ?? [], value) }
            }
            for (key, value) in entries where key.revision == before { add(key, bySet.earlier[key.set] ?? [], value) }
            return wanted
        }
        return (written, true)
    }

    /// Writes an automaton into the other bank, and what its name sets satisfy under its number; then it is in force.
    ///
    /// - Parameters:
    ///   - next: the automaton's rows.
    ///   - sets: its name sets, by state.
    ///   - entries: what they satisfy; called with the number so far.
    /// - Returns: what was written.
    /// - Throws: when a map cannot be written; the automaton in force stays.
    private func putInForce(
        _ next: [UInt16], _ sets: [UInt16], _ entries: (UInt32) -> [NameRuleKey: NameRuleValue]
    ) throws(BPFError) -> Int {
        let following = number &+ 1 == 0 ? 2 : number + 1
        try maps.states.set(rows(next, sets, bank: following & 1))
        let before = number
        number = following
        let written: Int
        do throws(BPFError) {
            written = try write(entries(before))
        } catch {
            number = before
            throw error
        }
        try maps.revision.set(UInt32(0), np_name_revision(number: following))
        return written + 1
    }

    private func write(_ policies: [LoadedPolicy], _ tables: NameTables) throws(BPFError) -> Int {
        try write(desired(policies, tables))
    }

    private func write(_ wanted: [NameRuleKey: NameRuleValue]) throws(BPFError) -> Int {
        var changes = wanted.filter { entries[$0.key] != $0.value }
        // An update in place needs no room.
        let room = maps.rules.shape.capacity - entries.count
        let added = changes.keys.filter { entries[$0] == nil }
        refused = max(0, added.count - room)
        for key in added.sorted(by: { ($0.owner, $0.set) < ($1.owner, $1.set) }).suffix(refused) { changes[key] = nil }
        try maps.rules.set(changes.map { (key: $0.key.wire, value: $0.value.wire) })
        entries.merge(changes) { _, new in new }
        return changes.count
    }

    /// The entries that policies ask for, by the automaton in force.
    private func desired(_ policies: [LoadedPolicy], _ tables: NameTables) -> [NameRuleKey: NameRuleValue] {
        var wanted: [NameRuleKey: NameRuleValue] = [:]
        var numberings: [UInt32: [PolicyImage]] = [:]
        for policy in policies {
            if policy.image.names != 0 { numberings[policy.image.names, default: []].append(policy.image) }
            // Without counters a program has no number: its L7 rules are satisfied by nothing.
            guard let base = policy.hits?.base, policy.image.bits.contains(where: \.isL7) else { continue }
            let queries = policy.image.l7Bits(where: \.isDNS)
            for (set, bits) in tables.rules(of: policy.image) {
                for (owner, bits) in [(base | UInt32(NP_NAME_QUERIES), bits & queries), (base, bits & ~queries)]
                where bits != 0 {
                    wanted[NameRuleKey(owner: owner, revision: number, set: set)] = NameRuleValue(rules: bits)
                }
            }
            let streams = hasProxy ? tables.streamBits(of: policy.image) : NameTables.StreamBits()
            for (set, bits) in [(NP_NAME_SET_UNKNOWN, streams.unknown), (NP_NAME_SET_UNLEARNT, streams.unlearnt)]
            where bits != 0 {
                wanted[NameRuleKey(owner: base, revision: 0, set: UInt32(truncatingIfNeeded: set))] =
                    NameRuleValue(rules: bits)
            }
            // Without any bits too: so the next process finds the bases of all programs with L7 rules.
            for (set, bits) in [
                (NP_NAME_SET_DNS, queries),
                (NP_NAME_SET_SERVER, policy.image.l7Bits(where: \.isServerName)),
            ] {
                wanted[NameRuleKey(owner: base, revision: 0, set: UInt32(truncatingIfNeeded: set))] =
                    NameRuleValue(rules: bits)
            }
        }
        for (names, images) in numberings {
            let owner = UInt32(truncatingIfNeeded: NP_NAME_COLUMNS) | names
            for (set, columns) in tables.columns(of: images) {
                wanted[NameRuleKey(owner: owner, revision: number, set: set)] = NameRuleValue(columns: columns)
            }
        }
        return wanted
    }

    /// The rows of an automaton in a bank.
    private func rows(_ next: [UInt16], _ sets: [UInt16], bank: UInt32) -> [(key: UInt32, value: np_name_state)] {
        sets.indices.map { state in
            var row = np_name_state()
            withUnsafeMutableBytes(of: &row.next) { bytes in
                for number in 0..<NameClass.count {
                    bytes.storeBytes(
                        of: next[state * NameClass.count + number], toByteOffset: 2 * number, as: UInt16.self)
                }
            }
            row.set = sets[state]
            return (bank * UInt32(NP_MAX_NAME_STATES) + UInt32(state), row)
        }
    }

    /// Whether the bank in force has these tables.
    private func holds(_ tables: NameTables) throws(BPFError) -> Bool {
        for (key, row) in rows(tables.automaton.next, tables.automaton.sets, bank: number & 1) {
            guard let there = try maps.states.value(of: key, initial: np_name_state()) else { return false }
            let isEqual = withUnsafeBytes(of: row) { own in withUnsafeBytes(of: there) { own.elementsEqual($0) } }
            if !isEqual { return false }
        }
        return true
    }
}
