import BPFEmit
import CNetpoldABI

/// Larger regions for endpoints with many flows.
///
/// Programs go on meanwhile, and at every moment find every flow that was there before: new flows go into the new region from
/// the first write on, and who finds nothing there looks into the old one until everything that lives there has been copied.
/// A process that is killed in between leaves an endpoint that is moving, which the next one finishes.
extension NodeDatapath {
    /// Answered flows beyond this part of a region make it too small: docs/design/flow-table.md has the figures.
    private static let fullness = (numerator: 1, denominator: 4)

    /// Whether so many answered flows are too many for a region.
    static func isTooSmall(_ region: FlowRegion, answered: Int) -> Bool {
        answered * fullness.denominator > region.room * fullness.numerator
    }

    /// Exchanges regions that have become too small, and finishes moves that an earlier call or process had begun.
    ///
    /// - Returns: how many flows were copied.
    func growRegions(_ uses: [UInt32: FlowCollection.Use]) throws(BPFError) -> Int {
        var copied = try finishMoves()
        for (key, endpoint) in endpoints.sorted(by: { $0.value.slot < $1.value.slot }) {
            let slot = endpoint.slot
            guard let use = uses[slot], use.region == regions.current[slot],
                Self.isTooSmall(use.region, answered: use.answered)
            else { continue }
            try beginMove(of: key)
        }
        copied += try finishMoves()
        return copied
    }

    /// Gives an endpoint a larger region, if there is one.
    private func beginMove(of key: EndpointKey) throws(BPFError) {
        guard var endpoint = endpoints[key], endpoint.value.isReady, let region = regions.grow(endpoint.slot) else {
            return
        }
        let slot = endpoint.slot
        do {
            maps.flowTable.clear(region)
            try maps.flowMoves.set(slot, endpoint.value.region)
            endpoint.value.region = region.word
            endpoint.value.flags |= UInt32(NP_ENDPOINT_MOVING)
            try maps.endpoints.set(slot, endpoint.value)
        } catch {
            regions.cancelGrowth(of: slot)
            throw error
        }
        endpoints[key] = endpoint
    }

    /// Copies what lives in regions that endpoints are leaving, and gives those back.
    private func finishMoves() throws(BPFError) -> Int {
        let moving = endpoints.filter { regions.left[$0.value.slot] != nil }
        guard !moving.isEmpty else { return 0 }
        // From here on nobody inserts into a region that is being left.
        try RunningPrograms.wait()
        var copied = 0
        for endpoint in moving.values { copied += copyFlows(of: endpoint.slot) }
        // What a program noted in the old entry while it was being copied: from here on it finds the new one.
        try RunningPrograms.wait()
        for endpoint in moving.values { _ = copyFlows(of: endpoint.slot) }
        for key in moving.keys {
            guard var endpoint = endpoints[key] else { continue }
            endpoint.value.flags &= ~UInt32(NP_ENDPOINT_MOVING)
            try maps.endpoints.set(endpoint.slot, endpoint.value)
            endpoints[key] = endpoint
        }
        // From here on nobody looks into them.
        try RunningPrograms.wait()
        for endpoint in moving.values {
            regions.finishMove(of: endpoint.slot)
            try maps.flowMoves.set(endpoint.slot, UInt32(0))
        }
        return copied
    }

    /// Copies the flows of the region that an endpoint is leaving which are not in the new one yet; those first that somebody
    /// has answered. What an entry that is there already does not know of its flow is added to it.
    ///
    /// - Returns: how many are new.
    private func copyFlows(of slot: UInt32) -> Int {
        guard let old = regions.left[slot], let new = regions.current[slot] else { return 0 }
        let table = maps.flowTable
        let entries = table.entries(in: old)
        var copied = 0
        for entry in entries.filter(\.record.isAnswered) + entries.filter({ !$0.record.isAnswered }) {
            switch table.insert(entry.record, endpoint: slot, in: new) {
            case .inserted: copied += 1
            case .present:
                if let present = table.find(entry.record, endpoint: slot, in: new) {
                    table.add(entry.record.flags & np_flow_record.notes, to: present)
                }
            case .full: break
            }
        }
        return copied
    }
}

extension np_flow_record {
    /// Flags that say what was seen of a flow, and that nothing takes back but a new beginning.
    fileprivate static let notes = UInt32(NP_ENTRY_ANSWERED | NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE)
}
