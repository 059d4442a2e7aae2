import BPFEmit
import NetTypes

/// A monitor's filter on the numbers of a record, by the tables of one generation: what it does not want costs no more than
/// a few comparisons.
struct RawFilter: Sendable {
    private let filter: MonitorFilter
    private let hits: RuleHitIndex
    /// Of the pod asked for.
    let slots: Set<UInt32>
    private let addresses: Set<IPAddress>
    /// Counters that the policy asked for has a part in, as far as asked.
    private var wanted: [UInt32: Bool] = [:]

    init(_ filter: MonitorFilter, _ generation: Generation) {
        self.filter = filter
        hits = generation.hits
        let pod = filter.pod ?? ""
        slots = Set(generation.slots.filter { $0.value.key.isOf(pod) }.keys)
        addresses = filter.pod.map(generation.addresses(of:)) ?? []
    }

    /// Whether a record is wanted.
    mutating func accepts(_ record: VerdictRecord) -> Bool {
        if filter.dropsOnly, !record.isDrop { return false }
        if filter.pod != nil, !slots.contains(UInt32(record.slot)), !addresses.contains(record.source),
            !addresses.contains(record.destination)
        {
            return false
        }
        return filter.policy.map { wants($0, record.ruleHit) } ?? true
    }

    private mutating func wants(_ policy: String, _ hit: UInt32) -> Bool {
        if let known = wanted[hit] { return known }
        let involved: [FlowVerdict.Rule] =
            switch hits.meaning(of: hit)?.meaning {
            case .rule(let bit): [FlowVerdict.Rule(bit.origin)]
            case .defaultDeny(let isolating): isolating.map { FlowVerdict.Rule($0) }
            case .defaultAllow, .host, nil: []
            }
        let isWanted = involved.contains { MonitorFilter.names(policy, $0.object) }
        wanted[hit] = isWanted
        return isWanted
    }
}

extension EndpointKey {
    /// Whether this is the pod `namespace/name`, or one of its further networks (`name@net1`).
    fileprivate func isOf(_ pod: String) -> Bool { description == pod || description.hasPrefix(pod + "@") }
}
