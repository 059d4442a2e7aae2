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

    /// What each endpoint has of the flow table: what a walk found, and what was counted since the endpoint is there.
    func shares(_ uses: [UInt32: FlowCollection.Use]) throws(BPFError) -> [EndpointKey: FlowShare] {
        let counted = Dictionary(
            try maps.flowShares.perCPUEntries(value: np_flow_share()).map { ($0.key, $0.values) }
        ) { first, _ in first }
        return endpoints.mapValues { endpoint in
            let region = regions.current[endpoint.slot]
            let use = uses[endpoint.slot]
            var share = FlowShare(
                used: use?.used ?? 0, answered: use?.answered ?? 0, room: region?.room ?? 0,
                canGrow: regions.canGrow(endpoint.slot))
            for cpu in counted[endpoint.slot] ?? [] {
                share.inserted &+= cpu.inserted
                share.evicted &+= cpu.evicted
                share.refused &+= cpu.refused
            }
            return share
        }
    }

    private func countFlows() throws(BPFError) -> Int {
        var count = 0
        for region in regions.current.values { count += try maps.flows.mapped(region).count(in: region) }
        return count
    }

    /// How much of each limit is in use. Reads one word of each slot of the flow table that is some endpoint's, in memory.
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
            case "np_flow_sets": used = try countFlows()
            default: used = nil
            }
            // What users count is flows, not sets.
            let ways = map.name == "np_flow_sets" ? Int(NP_FLOW_WAYS) : 1
            uses.append(
                CapacityUse(
                    name: map.name, used: used, limit: map.shape.capacity * ways,
                    memoryBytes: map.memoryBytes.map(UInt64.init)))
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
