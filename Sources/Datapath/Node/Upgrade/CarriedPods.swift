import CNetpoldABI
import NetTypes

/// A flow of another version, as an entry of a pod of this one.
struct CarriedFlow {
    var record: np_flow_record
    /// Of the pod, in this version's np_endpoints.
    var slot: UInt32
    var region: FlowRegion
}

/// The pods that flows are carried over to, by the addresses that their flows are known by.
struct CarriedPods {
    private struct Place {
        var slot: UInt32
        var region: FlowRegion
        /// Index of `np_endpoint.address`.
        var index: UInt8
        /// `np_endpoint.names`.
        var names: UInt32
    }

    private var places: [IPAddress: Place] = [:]

    /// The pods of a datapath that have a region.
    init(_ endpoints: some Sequence<LoadedEndpoint>, _ regions: EndpointRegions) {
        for endpoint in endpoints {
            guard let region = regions.current[endpoint.slot] else { continue }
            let addresses = [endpoint.value.address.0, endpoint.value.address.1]
            for (index, address) in addresses.enumerated() where !address.isZero {
                places[address.ipAddress] = Place(
                    slot: endpoint.slot, region: region, index: UInt8(index),
                    names: endpoint.value.names)
            }
        }
    }

    /// The slot of the pod that an endpoint of another version was, and the number of its columns of names; `nil` where its addresses are
    /// not all of one pod here.
    func pod(of value: np_endpoint) -> (slot: UInt32, names: UInt32)? {
        let own = [value.address.0, value.address.1].filter { !$0.isZero }.map { places[$0.ipAddress] }
        guard let first = own.first.flatMap(\.self), own.allSatisfy({ $0?.slot == first.slot }) else { return nil }
        return (first.slot, first.names)
    }

    /// Where both ends had one entry: a flow for each end whose pod is here and had admitted it.
    func flows(of flow: SharedFlow, _ key: SharedFlow.Key) -> [CarriedFlow] {
        [true, false].compactMap { isLow in
            let own = isLow ? key.low : key.high
            let side = isLow ? flow.low : flow.high
            guard let place = places[own.ipAddress], let number = UInt8(exactly: key.protocol),
                side.role == NP_ROLE_INITIATOR.rawValue || side.role == NP_ROLE_RESPONDER.rawValue
            else { return nil }
            var record = np_flow_record()
            record.remote = isLow ? key.high : key.low
            record.own_port = isLow ? key.lowPort : key.highPort
            record.remote_port = isLow ? key.highPort : key.lowPort
            record.protocol = number
            record.own_address = place.index
            record.last_seen = UInt32(truncatingIfNeeded: flow.lastSeen >> UInt64(NP_FLOW_CLOCK_SHIFT))
            record.flags = side.role << UInt32(NP_ENTRY_ROLE_SHIFT)
            func has(_ flag: UInt32) -> Bool { flow.flags & flag != 0 }
            if has(isLow ? SharedFlow.closingLow : SharedFlow.closingHigh) { record.flags |= UInt32(NP_ENTRY_FIN_OWN) }
            if has(isLow ? SharedFlow.closingHigh : SharedFlow.closingLow) {
                record.flags |= UInt32(NP_ENTRY_FIN_REMOTE)
            }
            if has(SharedFlow.reset) { record.flags |= UInt32(NP_ENTRY_RST) }
            // Whether anybody had answered was not known: connections are taken for answered ones, which idle for hours.
            if L4Protocol(rawValue: number).isConnection { record.flags |= UInt32(NP_ENTRY_ANSWERED) }
            return CarriedFlow(record: record, slot: place.slot, region: place.region)
        }
    }

    /// Where each endpoint had its own: the flow of an endpoint with that value, if its pod is here.
    func flow(_ record: np_flow_record, of value: np_endpoint) -> CarriedFlow? {
        let addresses = [value.address.0, value.address.1]
        guard record.addressIndex < addresses.count, !addresses[record.addressIndex].isZero,
            let place = places[addresses[record.addressIndex].ipAddress]
        else { return nil }
        var carried = record
        carried.own_address = place.index | record.own_address & UInt8(NP_OWN_ALIAS)
        carried.revision = 0
        // Of a Service's entry it is a slot of np_backends of that version: 0 is of no generation.
        if record.flags & UInt32(NP_ENTRY_FRONTEND) != 0 { carried.arrival = 0 }
        return CarriedFlow(record: carried, slot: place.slot, region: place.region)
    }
}

extension np_flow_record {
    /// `enum np_role`.
    var role: UInt32 { flags >> UInt32(NP_ENTRY_ROLE_SHIFT) & 3 }
}

extension L4Protocol {
    /// Whether flows are connections, that both ends know of.
    fileprivate var isConnection: Bool { self == .tcp || self == .sctp }
}
