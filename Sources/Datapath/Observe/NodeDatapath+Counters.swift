public import BPFEmit
import CNetpoldABI

extension NodeDatapath {
    /// Packets by `enum np_reason`, since the maps were made; zero ones left out.
    public func packetsByReason() throws(BPFError) -> [UInt8: PacketCount] {
        var result: [UInt8: PacketCount] = [:]
        for (reason, values) in try maps.reasons.perCPUEntries(value: np_counter()) {
            let sum = values.reduce(into: PacketCount(packets: 0, bytes: 0)) {
                $0.packets &+= $1.packets
                $0.bytes &+= $1.bytes
            }
            if sum.packets > 0, let number = UInt8(exactly: reason) { result[number] = sum }
        }
        return result
    }

    /// Event records that were not written for their rate or want of room, by `enum np_reason`; zero ones left out.
    public func suppressedEvents() throws(BPFError) -> [UInt8: UInt64] {
        var result: [UInt8: UInt64] = [:]
        for (reason, values) in try maps.eventBudget.perCPUEntries(value: np_event_budget()) {
            let sum = values.reduce(0) { $0 &+ $1.suppressed }
            if sum > 0, let number = UInt8(exactly: reason) { result[number] = sum }
        }
        return result
    }

    /// Of them, those of dropped packets, by endpoint slot; zero ones left out.
    public func suppressedDrops() throws(BPFError) -> [UInt32: UInt64] {
        var result: [UInt32: UInt64] = [:]
        for (slot, values) in try maps.dropBudget.perCPUEntries(value: np_event_budget()) {
            let sum = values.reduce(0) { $0 &+ $1.suppressed }
            if sum > 0 { result[slot] = sum }
        }
        return result
    }

    /// Packets that policy programs decided, by what decided them, since this process began; zero ones left out.
    public func packetsByRule() throws(BPFError) -> [RuleHitKey: UInt64] { try hits.totals() }

    /// Packets and events that were not written, by reason.
    public func counters() throws(BPFError) -> DatapathCounters {
        DatapathCounters(
            reasons: try packetsByReason(), suppressedEvents: try suppressedEvents(),
            suppressedDrops: try suppressedDrops())
    }

    /// How much of each limit is in use. Walks np_flows, which takes some milliseconds per 10,000 of them.
    public func capacities() throws(BPFError) -> [CapacityUse] {
        var uses: [CapacityUse] = []
        for map in maps.all {
            let used: Int?
            switch map.name {
            case "np_endpoints": used = endpoints.count + adopted.count
            case "np_addresses": used = addresses.count
            case "np_prefixes": used = prefixes.count
            case "np_policies": used = 2 * subjects.count + strayPolicies.count
            case "np_rule_hits": used = hits.used
            case "np_flows": used = try maps.flows.count()
            default: used = nil
            }
            uses.append(
                CapacityUse(
                    name: map.name, used: used, limit: map.shape.capacity, memoryBytes: map.memoryBytes.map(UInt64.init)
                ))
        }
        let peers = subjects.values.flatMap { [$0.ingress, $0.egress] }
        uses.append(
            CapacityUse(
                name: "np_peers", used: peers.reduce(0) { $0 + $1.peers.count },
                limit: peers.reduce(0) { $0 + $1.capacity },
                memoryBytes: peers.reduce(0) { $0 + UInt64($1.memoryBytes) }))
        return uses
    }
}
