import CNetpoldABI
import Glibc
import NetTypes
import Support

/// Brings over what the programs of another version remember and counted.
///
/// Flows can be brought over as often as one likes: each time what is new. They come without the revisions of the version that
/// made them, so that policy is asked about each again, in its own orientation; nothing of this program's own is overwritten.
final class Carriage {
    let other: OtherVersion
    private let maps: DatapathMaps
    private var hasCounters = true

    init(from other: OtherVersion, to maps: DatapathMaps) {
        self.other = other
        self.maps = maps
    }

    /// Copies the flows and fragments that are not here yet.
    ///
    /// - Parameter pods: what this version has programmed; flows of others are left.
    /// - Throws: when a map of either version cannot be read or written; what was copied until then stays.
    func copy(to pods: CarriedPods) throws(BPFError) {
        if let map = source(of: "np_fragments", for: maps.fragments) {
            for entry in try map.entries(key: np_fragment_key(), value: np_fragment()) {
                _ = try maps.fragments.insert(entry.key, entry.value)
            }
        }
        try copyLearnt(to: pods)
        var flows = try sharedFlows(pods) + ownFlows(pods)
        // A region that overflows goes without questions that have been answered, then without what was silent for longest.
        let newest = flows.map(\.record.last_seen).max { Int32(bitPattern: $1 &- $0) > 0 } ?? 0
        func age(_ flow: CarriedFlow) -> UInt32 { newest &- flow.record.last_seen }
        flows.sort {
            $0.record.isExchange == $1.record.isExchange ? age($0) < age($1) : $1.record.isExchange
        }
        guard !flows.isEmpty else { return }
        let table = try maps.flows.mapped()
        for flow in flows { Carriage.take(flow, into: table) }
    }

    /// Copies what pods have learnt of addresses and still holds. Their columns say the same here only under the same number.
    private func copyLearnt(to pods: CarriedPods) throws(BPFError) {
        guard let names = maps.names, source(of: "np_learnt", for: names.learnt) != nil else { return }
        let now = MonotonicClock.seconds
        let before = try other.endpointsBySlot()
        var inserted: [UInt32: UInt64] = [:]
        for (key, value) in try other.learnt() where value.names != 0 && value.latest > now {
            guard let pod = before[key.endpoint].flatMap(pods.pod), pod.names == value.names else { continue }
            let own = np_learnt_key(address: key.address, endpoint: pod.slot)
            let present = try names.learnt.value(of: own, initial: np_learnt())
            let share = try names.shares.value(of: pod.slot, initial: np_learnt_share()) ?? np_learnt_share()
            let held = share.inserted &+ inserted[pod.slot, default: 0] &- share.removed
            if present == nil, held >= UInt64(NP_MAX_LEARNT_OF_POD) { continue }
            var carried = present.flatMap { $0.names == pod.names ? $0 : nil } ?? np_learnt()
            guard carried.add(value.expirations, names: pod.names) else { continue }
            carried.serial = .random(in: .min ... .max)
            try names.learnt.set(own, carried)
            if present == nil { inserted[pod.slot, default: 0] += 1 }
        }
        for (slot, count) in inserted {
            var share = try names.shares.value(of: slot, initial: np_learnt_share()) ?? np_learnt_share()
            share.inserted &+= count
            try names.shares.set(slot, share)
        }
        let all = inserted.values.reduce(0, &+)
        try names.countAll { $0.inserted &+= all }
    }

    /// Flows of a version in which both ends of a flow shared one entry: one for each local pod that had admitted it.
    private func sharedFlows(_ pods: CarriedPods) throws(BPFError) -> [CarriedFlow] {
        guard let map = other.maps[SharedFlow.map] else { return [] }
        return try map.entries(key: SharedFlow.Key(), value: SharedFlow()).flatMap { key, flow in
            pods.flows(of: flow, key)
        }
    }

    /// Flows of a version in which each endpoint has its own.
    private func ownFlows(_ pods: CarriedPods) throws(BPFError) -> [CarriedFlow] {
        guard let map = other.flows else { return [] }
        var flows: [CarriedFlow] = []
        for (value, regions) in try other.regions() {
            for region in regions {
                for entry in try map.mapped(region).entries(in: region) {
                    if let flow = pods.flow(entry.record, of: value) { flows.append(flow) }
                }
            }
        }
        return flows
    }

    private static func take(_ flow: CarriedFlow, into table: FlowTable) {
        guard table.insert(flow.record, endpoint: flow.slot, in: flow.region) == .present,
            let present = table.find(flow.record, endpoint: flow.slot, in: flow.region),
            present.record.revision == 0, present.record.role != flow.record.role
        else { return }
        // It came earlier, nobody here has decided on it since, and there it has turned round meanwhile.
        if table.remove(present) { _ = table.insert(flow.record, endpoint: flow.slot, in: flow.region) }
    }

    /// Adds what was counted. Once only, and when none of the other version's programs is running any more.
    ///
    /// The old counters are unpinned first: a process that is killed in between loses them and does not add them twice.
    func addCounters() throws(BPFError) {
        guard hasCounters else { return }
        hasCounters = false
        if let map = source(of: "np_reasons", for: maps.reasons) {
            let counted = try map.perCPUEntries(value: np_counter())
            try Libbpf.unpin("\(other.folder)/np_reasons")
            try add(counted, to: maps.reasons, np_counter()) {
                np_counter(packets: $0.packets &+ $1.packets, bytes: $0.bytes &+ $1.bytes)
            }
        }
        if let map = source(of: "np_event_budget", for: maps.eventBudget) {
            let counted = try map.perCPUEntries(value: np_event_budget())
            try Libbpf.unpin("\(other.folder)/np_event_budget")
            try add(counted, to: maps.eventBudget, np_event_budget()) { own, other in
                var sum = own
                sum.suppressed &+= other.suppressed
                return sum
            }
        }
    }

    private func add<Value: BitwiseCopyable>(
        _ counted: [(key: UInt32, values: [Value])], to map: BPFMap, _ zero: Value, _ sum: (Value, Value) -> Value
    ) throws(BPFError) {
        for (key, values) in counted where Int(key) < map.shape.capacity {
            let isZero = values.allSatisfy { withUnsafeBytes(of: $0) { $0.allSatisfy { $0 == 0 } } }
            if isZero { continue }
            // Packets counted between these two calls, some hundred nanoseconds, are missing afterwards.
            let own = try map.perCPUValues(of: key, value: zero)
            try map.setPerCPU(key, zip(own, values).map(sum))
        }
    }

    /// The other version's map, if it is not the same one.
    private func source(of name: String, for own: BPFMap) -> BPFMap? {
        other.maps[name].flatMap { $0.id == own.id ? nil : $0 }
    }
}
