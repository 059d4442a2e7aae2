import BPFEmit
import CNetpoldABI
import NetTypes

/// The part of the flow table that each endpoint has.
extension NodeDatapath {
    /// Takes over the regions that pinned endpoints name, so that nobody else gets them, and frees slots that a process which
    /// was killed had begun to fill. Endpoints whose region cannot be theirs have none afterwards.
    static func adoptRegions(_ adopted: inout [UInt32: np_endpoint], _ maps: DatapathMaps) throws(BPFError)
        -> EndpointRegions
    {
        var regions = EndpointRegions(sets: maps.flows.sets)
        guard !adopted.isEmpty else { return regions }
        for (slot, value) in adopted.sorted(by: { $0.key < $1.key }) {
            if let region = FlowRegion(word: value.region), regions.adopt(region, slot: slot) { continue }
            adopted[slot]?.region = 0
            adopted[slot]?.flags &= ~UInt32(NP_ENDPOINT_MOVING)
        }
        for (slot, value) in adopted.sorted(by: { $0.key < $1.key }) where value.isMoving {
            let word = try maps.flowMoves.value(of: slot, initial: UInt32(0)) ?? 0
            if let region = FlowRegion(word: word), regions.adoptLeft(region, slot: slot) { continue }
            adopted[slot]?.flags &= ~UInt32(NP_ENDPOINT_MOVING)
        }
        var busy: [(table: FlowTable, slot: FlowTable.BusySlot)] = []
        for region in Array(regions.current.values) + regions.left.values {
            let table = try maps.flows.mapped(region)
            busy += table.busySlots(in: region).map { (table, $0) }
        }
        // Programs fill a slot within one run: what is still being filled after those running now have ended was left behind.
        // Besides, none of them uses a region any more that its endpoint had left before.
        try RunningPrograms.wait()
        for (table, slot) in busy { table.abandon(slot) }
        return regions
    }

    /// The region of an endpoint that is about to be written; 0 when the table is full.
    func regionWord(of slot: UInt32, _ addresses: [IPAddress], pods: Int) throws(BPFError) -> UInt32 {
        let least = addresses.compactMap { carriedSets[$0] }.max() ?? 1
        guard let (region, isNew) = regions.region(of: slot, pods: pods, atLeast: least) else { return 0 }
        guard isNew else { return region.word }
        do {
            try maps.flows.mapped(region).clear(region)
        } catch {
            regions.takeBack(newRegionOf: slot)
            throw error
        }
        return region.word
    }

    /// Part of step 8: no program is running that takes a pod's former address for its own.
    func forgetFlowsOfFormerAddresses() throws(BPFError) {
        for (slot, places) in formerAddresses {
            guard let region = regions.current[slot] else { continue }
            let table = try maps.flows.mapped(region)
            for entry in table.entries(in: region) where places.contains(UInt8(entry.record.addressIndex)) {
                _ = table.remove(entry)
            }
        }
        formerAddresses = [:]
    }

    /// Part of step 10: nobody is running who came in by a slot that is not an endpoint's any more.
    func releaseRegions() {
        regions.release(except: Set(endpoints.values.map(\.slot)).union(adopted.keys))
    }
}
