import CNetpoldABI

/// The maps of names.
package struct NameMaps {
    package let states: BPFMap
    package let revision: BPFMap
    package let options: BPFMap
    package let rules: BPFMap
    package let learnt: BPFMap
    package let shares: BPFMap
    let events: BPFMap

    /// Those of an object; `nil` when it has none.
    init?(_ all: [BPFMap]) {
        let maps = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
        guard let states = maps["np_names"], let revision = maps["np_name_revision"],
            let options = maps["np_name_options"], let rules = maps["np_name_rules"], let learnt = maps["np_learnt"],
            let shares = maps["np_learnt_shares"], let events = maps["np_name_events"]
        else { return nil }
        self.states = states
        self.revision = revision
        self.options = options
        self.rules = rules
        self.learnt = learnt
        self.shares = shares
        self.events = events
    }

    /// Counts what all pods together have learnt. Programs count meanwhile: what that takes away the next collection sets right.
    func countAll(_ change: (inout np_learnt_share) -> Void) throws(BPFError) {
        let everybody = UInt32(NP_MAX_ENDPOINTS)
        let before = try shares.value(of: everybody, initial: np_learnt_share()) ?? np_learnt_share()
        var all = before
        change(&all)
        if (all.inserted, all.removed) != (before.inserted, before.removed) { try shares.set(everybody, all) }
    }
}

/// A key of np_name_rules that can be looked up here.
struct NameRuleKey: Hashable {
    var owner: UInt32
    var revision: UInt32
    var set: UInt32

    init(owner: UInt32, revision: UInt32, set: UInt32) {
        self.owner = owner
        self.revision = revision
        self.set = set
    }

    init(_ key: np_name_rule_key) { self.init(owner: key.owner, revision: key.revision, set: key.set) }

    var wire: np_name_rule_key { np_name_rule_key(owner: owner, revision: revision, set: set) }
}

/// A value of np_name_rules that can be compared.
struct NameRuleValue: Hashable {
    var rules: UInt64 = 0
    var columns: UInt32 = 0

    init(rules: UInt64 = 0, columns: UInt32 = 0) {
        self.rules = rules
        self.columns = columns
    }

    init(_ value: np_name_rule) { self.init(rules: value.rules, columns: value.columns) }

    var wire: np_name_rule { np_name_rule(rules: rules, columns: columns, pad: 0) }
}
