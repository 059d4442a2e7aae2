import BPFEmit
import CNetpoldABI
import NetTypes

/// Larger regions for endpoints with many flows; and smaller ones for those that hardly use theirs, where the table is nearly used
/// up, so that there is room for pods that come and for those that need more.
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

    /// Exchanges regions that have become too small, and finishes moves that an earlier call or process had begun. Before, where the
    /// table is nearly used up, takes back what regions have too much; and gives regions to endpoints that found none.
    ///
    /// - Returns: how many flows were copied.
    func growRegions(_ uses: [UInt32: FlowCollection.Use]) throws(BPFError) -> Int {
        var copied = try finishMoves()
        if regions.isScarce {
            let pods = endpoints.count
            try beginMoves(of: endpoints.keys.sorted()) { regions, slot in
                guard let use = uses[slot], use.region == regions.current[slot] else { return nil }
                return regions.shrink(slot, used: use.used, pods: pods)
            }
            copied += try finishMoves()
        }
        try giveMissingRegions()
        let tooSmall = endpoints.filter { _, endpoint in
            guard let use = uses[endpoint.slot], use.region == regions.current[endpoint.slot] else { return false }
            return endpoint.value.isReady && Self.isTooSmall(use.region, answered: use.answered)
        }
        try beginMoves(of: tooSmall.keys.sorted()) { regions, slot in regions.grow(slot) }
        copied += try finishMoves()
        return copied
    }

    /// Gives endpoints a first region that came when every set was somebody's.
    private func giveMissingRegions() throws(BPFError) {
        for (key, var endpoint) in endpoints where endpoint.value.region == 0 {
            endpoint.value.region = try regionWord(of: endpoint.slot, endpoint.value.addresses, pods: endpoints.count)
            guard endpoint.value.region != 0 else { continue }
            // One word: whoever reads it, before or after, finds a region that is whole.
            try maps.endpoints.set(endpoint.slot, endpoint.value)
            endpoints[key] = endpoint
        }
    }

    /// Gives endpoints another region, those for which `exchange` finds one.
    private func beginMoves(
        of keys: [EndpointKey], _ exchange: (inout EndpointRegions, UInt32) -> FlowRegion?
    ) throws(BPFError) {
        var growing: [(key: EndpointKey, region: FlowRegion)] = []
        do {
            for key in keys {
                guard var endpoint = endpoints[key], let region = exchange(&regions, endpoint.slot) else { continue }
                growing.append((key, region))
                try maps.flows.mapped(region).clear(region)
                try maps.flowMoves.set(endpoint.slot, endpoint.value.region)
                endpoint.value.flags |= UInt32(NP_ENDPOINT_MOVING)
                try maps.endpoints.set(endpoint.slot, endpoint.value)
                endpoints[key] = endpoint
            }
            guard !growing.isEmpty else { return }
            // Nobody who finds the new region has read the flags before.
            try waitForPrograms()
            while let (key, region) = growing.last {
                if var endpoint = endpoints[key] {
                    endpoint.value.region = region.word
                    try maps.endpoints.set(endpoint.slot, endpoint.value)
                    endpoints[key] = endpoint
                }
                growing.removeLast()
            }
        } catch {
            for (key, _) in growing { if let slot = endpoints[key]?.slot { regions.cancelMove(of: slot) } }
            throw error
        }
    }

    /// Copies what lives in regions that endpoints are leaving, and gives those back.
    private func finishMoves() throws(BPFError) -> Int {
        let moving = endpoints.filter { $0.value.value.isMoving || regions.left[$0.value.slot] != nil }
        guard !moving.isEmpty else { return 0 }
        // From here on nobody inserts into a region that is being left.
        try waitForPrograms()
        var copied = 0
        for endpoint in moving.values { copied += try copyFlows(of: endpoint.slot) }
        // What a program noted in the old entry while it was being copied: from here on it finds the new one.
        try waitForPrograms()
        for endpoint in moving.values { _ = try copyFlows(of: endpoint.slot) }
        for key in moving.keys {
            guard var endpoint = endpoints[key] else { continue }
            endpoint.value.flags &= ~UInt32(NP_ENDPOINT_MOVING)
            try maps.endpoints.set(endpoint.slot, endpoint.value)
            endpoints[key] = endpoint
        }
        // From here on nobody looks into them.
        try waitForPrograms()
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
    private func copyFlows(of slot: UInt32) throws(BPFError) -> Int {
        guard let old = regions.left[slot], let new = regions.current[slot] else { return 0 }
        let entries = try maps.flows.mapped(old).entries(in: old)
        let table = try maps.flows.mapped(new)
        var copied = 0
        for entry in entries.filter(\.record.isAnswered) + entries.filter({ !$0.record.isAnswered }) {
            let insertion = table.insert(
                entry.record, endpoint: slot, in: new, prepare: { moveHello(of: entry, to: $0, version: $1) },
                carry: moveHello)
            switch insertion {
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

    /// Takes along what is known of the server name of a flow that gets another slot. One whose ClientHello a program reads at this
    /// moment may have to begin anew; without it the client is reset at its next packet.
    private func moveHello(of entry: FlowTable.Entry, to slot: UInt32, version: UInt32) {
        guard entry.record.protocol == L4Protocol.tcp.rawValue, let hellos = maps.hellos,
            var hello = try? hellos.value(of: entry.slot, initial: np_hello()), hello.version == entry.word.version
        else { return }
        hello.version = version
        hello.busy = 0
        try? hellos.set(slot, hello)
    }
}

extension np_flow_record {
    /// Flags that say what was seen of a flow, and that nothing takes back but a new beginning.
    fileprivate static let notes = UInt32(NP_ENTRY_ANSWERED | NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE)
}
