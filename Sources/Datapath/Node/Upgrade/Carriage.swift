import CNetpoldABI
import Glibc

/// Brings over what the programs of another version remember and counted.
///
/// Flows can be brought over as often as one likes: each time what is new. Nothing of this program's own is overwritten by
/// something older.
final class Carriage {
    let other: OtherVersion
    private let maps: DatapathMaps
    /// The flows brought over so far, with what was in them.
    private var flows: [FlowID: Sides] = [:]
    private var hasCounters = true

    init(from other: OtherVersion, to maps: DatapathMaps) {
        self.other = other
        self.maps = maps
    }

    /// Copies the flows and fragments that are new since the last call.
    ///
    /// - Returns: how many flows were new, or had changed.
    @discardableResult
    func copy() throws(BPFError) -> Int {
        if let map = source(of: "np_fragments", for: maps.fragments) {
            for entry in try map.entries(key: np_fragment_key(), value: np_fragment()) {
                _ = try maps.fragments.insert(entry.key, entry.value)
            }
        }
        guard let map = source(of: "np_flows", for: maps.flows) else { return 0 }
        var fresh = try map.entries(key: np_flow_key(), value: np_flow()).filter {
            flows[FlowID($0.key)] != Sides($0.value)
        }
        // A table that overflows forgets what came first.
        fresh.sort { $0.value.last_seen < $1.value.last_seen }
        for entry in fresh {
            let flow = entry.value.unstamped
            if try !maps.flows.insert(entry.key, flow),
                let present = try maps.flows.value(of: entry.key, initial: np_flow())
            {
                // A packet that changes the entry between these two calls is asked about again: nothing more is lost.
                let merged = present.merged(with: flow)
                if Sides(merged) != Sides(present) || merged.last_seen != present.last_seen {
                    try maps.flows.set(entry.key, merged)
                }
            }
            flows[FlowID(entry.key)] = Sides(entry.value)
        }
        return fresh.count
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

/// A flow's key as numbers.
private struct FlowID: Hashable {
    private let low: SIMD2<UInt64>
    private let high: SIMD2<UInt64>
    private let rest: UInt64

    init(_ key: np_flow_key) {
        let words = withUnsafeBytes(of: key) { bytes in
            (0..<5).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
        }
        low = [words[0], words[1]]
        high = [words[2], words[3]]
        rest = words[4]
    }
}

/// What pods have admitted of a flow.
private struct Sides: Equatable {
    let low: UInt64
    let high: UInt64

    init(_ flow: np_flow) {
        low = UInt64(flow.side.0.role) << 32 | UInt64(flow.side.0.revision)
        high = UInt64(flow.side.1.role) << 32 | UInt64(flow.side.1.revision)
    }
}

extension np_flow {
    /// Without the revisions of the version that made it: both pods' policies are asked again at the next packet, in the flow's
    /// own orientation.
    fileprivate var unstamped: np_flow {
        var flow = self
        flow.side.0.revision = 0
        flow.side.1.revision = 0
        return flow
    }

    /// This entry with what another one of the same flow knows beside. Where they contradict each other the later one holds.
    fileprivate func merged(with other: np_flow) -> np_flow {
        var result = self
        let isLater = other.last_seen > last_seen
        if isLater {
            result.last_seen = other.last_seen
            result.flags = other.flags
        }
        func takesOther(_ own: np_flow_side, _ other: np_flow_side) -> Bool {
            other.role != NP_ROLE_NONE.rawValue && own.role != other.role
                && (isLater || own.role == NP_ROLE_NONE.rawValue)
        }
        if takesOther(side.0, other.side.0) {
            result.side.0 = other.side.0
            result.arrival.0 = other.arrival.0
        }
        if takesOther(side.1, other.side.1) {
            result.side.1 = other.side.1
            result.arrival.1 = other.arrival.1
        }
        return result
    }
}
