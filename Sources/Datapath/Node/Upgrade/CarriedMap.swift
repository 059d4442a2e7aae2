/// How the entries of a map come from one version to the next. Where the layouts are the same, the map itself does: both
/// versions' programs then work on it, and there is nothing to copy.
enum CarriedMap {
    /// What pods have admitted: copied before the hooks change over, and again afterwards what came in between.
    case flows
    /// First fragments of datagrams in flight: likewise.
    case fragments
    /// Counters: added, once nobody counts in the old map any more.
    case counters

    /// The maps that are carried over, by name. A map with what was learnt belongs here.
    static let all: [String: CarriedMap] = [
        "np_flows": .flows, "np_fragments": .fragments, "np_reasons": .counters, "np_event_budget": .counters,
    ]
}
