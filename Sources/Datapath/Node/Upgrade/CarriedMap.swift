/// How the entries of a map come from one version to the next.
enum CarriedMap {
    /// What pods have admitted: copied before the hooks change over, and again afterwards what came in between. Never the map
    /// itself: who a flow belongs to is told by slots and regions, which are each version's own.
    case flows
    /// First fragments of datagrams in flight: likewise; but where the layouts are the same the map itself goes over. Both
    /// versions' programs then work on it, and there is nothing to copy.
    case fragments
    /// What pods have learnt of names: copied as flows, to the pods that they are, where the columns are numbered as they were.
    case names
    /// Counters: added, once nobody counts in the old map any more; or the map itself.
    case counters

    /// The maps that are carried over, by name. A map with what was learnt belongs here.
    static let all: [String: CarriedMap] = [
        SharedFlow.map: .flows, "np_flow_sets": .flows, "np_learnt": .names, "np_fragments": .fragments,
        "np_reasons": .counters,
        "np_event_budget": .counters,
    ]

    /// Whether two versions can use one map of the same layout.
    var isShared: Bool {
        switch self {
        case .flows, .names: false
        case .fragments, .counters: true
        }
    }
}
