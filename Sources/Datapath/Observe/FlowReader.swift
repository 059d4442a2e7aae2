public import BPFEmit
import CNetpoldABI
import NetTypes

/// Reads np_flow_sets by the regions that endpoints had when it was made.
struct FlowReader: FlowReading {
    /// An endpoint's region, and what np_endpoints says of it.
    struct Part: Sendable {
        let slot: UInt32
        let region: FlowRegion
        let value: np_endpoint
    }

    let map: FlowMap
    let parts: [Part]
    let now: KernelClock.Reading

    func flows(of slots: Set<UInt32>, limit: Int) throws -> (flows: [RememberedFlow], leftOut: Int) {
        var flows: [RememberedFlow] = []
        var leftOut = 0
        for part in parts where slots.contains(part.slot) {
            let table = try map.mapped(part.region)
            for set in part.region.range {
                for way in 0..<table.layout.ways {
                    guard let entry = table.entry(set, way),
                        let flow = RememberedFlow(entry.record, endpoint: part.slot, part.value, now: now)
                    else { continue }
                    if flows.count < limit {
                        flows.append(flow)
                    } else {
                        leftOut += 1
                    }
                }
            }
        }
        return (flows, leftOut)
    }
}

extension RememberedFlow {
    /// Reads an entry of a pod with these addresses, as of `now`; `nil` for one that makes no sense.
    init?(_ record: np_flow_record, endpoint slot: UInt32, _ value: np_endpoint, now: KernelClock.Reading) {
        let addresses = [value.address.0, value.address.1]
        guard record.addressIndex < addresses.count, !addresses[record.addressIndex].isZero,
            let role = Role(rawValue: record.flags >> UInt32(NP_ENTRY_ROLE_SHIFT) & 3)
        else { return nil }
        func has(_ flag: Int32) -> Bool { record.flags & UInt32(flag) != 0 }
        let other = End(address: record.other.ipAddress, port: UInt16(bigEndian: record.other_port))
        // A packet since the reading makes the flow younger than now. The stamps wrap.
        let silent = max(0, Int64(Int32(bitPattern: now.flowStamp &- record.last_seen)))
        self.init(
            slot: slot,
            own: End(address: addresses[record.addressIndex].ipAddress, port: UInt16(bigEndian: record.own_port)),
            remote: End(address: record.remote.ipAddress, port: UInt16(bigEndian: record.remote_port)),
            protocol: L4Protocol(rawValue: record.protocol), role: role,
            translation: has(NP_ENTRY_FRONTEND) ? .frontend(other) : has(NP_ENTRY_BACKEND) ? .backend(other) : nil,
            isAnswered: has(NP_ENTRY_ANSWERED), hasFinished: has(NP_ENTRY_FIN_OWN),
            hasRemoteFinished: has(NP_ENTRY_FIN_REMOTE), isReset: has(NP_ENTRY_RST),
            silentSeconds: UInt32(clamping: (silent << Int64(NP_FLOW_CLOCK_SHIFT)) / Int64(max(now.rate, 1))),
            revision: record.revision)
    }
}

extension np_flow_record {
    /// Index of `np_endpoint.address`.
    var addressIndex: Int { Int(own_address) & ~Int(NP_OWN_ALIAS) }
}

extension NodeDatapath {
    /// Looks through the flows of the endpoints that are there now.
    public func makeFlowReader() throws -> any FlowReading {
        let values = Dictionary(endpoints.values.map { ($0.slot, $0.value) }) { first, _ in first }
            .merging(adopted) { own, _ in own }
        let parts = regions.current.sorted { $0.key < $1.key }.compactMap { slot, region in
            values[slot].map { FlowReader.Part(slot: slot, region: region, value: $0) }
        }
        return FlowReader(map: maps.flows, parts: parts, now: try flowClock())
    }
}
