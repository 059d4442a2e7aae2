public import BPFEmit
import CNetpoldABI

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
                        let flow = ConntrackFlow(entry.record, endpoint: part.slot, part.value)
                    else { continue }
                    if flows.count < limit {
                        flows.append(RememberedFlow(flow, now: now))
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
    /// A flow as of `now`.
    init(_ flow: ConntrackFlow, now: KernelClock.Reading) {
        func end(_ end: ConntrackFlow.End) -> End { End(address: end.address, port: end.port) }
        let translation: Translation? =
            switch flow.translation {
            case .frontend(let backend): .frontend(end(backend))
            case .backend(let service): .backend(end(service))
            case nil: nil
            }
        let role: Role =
            switch flow.role {
            case .none: .none
            case .initiator: .initiator
            case .responder: .responder
            }
        // A packet since the reading makes the flow younger than now. The stamps wrap.
        let silent = max(0, Int64(Int32(bitPattern: now.flowStamp &- flow.lastSeen)))
        self.init(
            slot: flow.endpoint, own: end(flow.own), remote: end(flow.remote), protocol: flow.protocol, role: role,
            translation: translation, isAnswered: flow.isAnswered,
            isClosing: flow.hasFinished || flow.hasRemoteFinished || flow.isReset,
            silentSeconds: UInt32(clamping: (silent << Int64(NP_FLOW_CLOCK_SHIFT)) / Int64(max(now.rate, 1))),
            revision: flow.revision)
    }
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
