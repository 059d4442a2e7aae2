import BPFEmit
import CNetpoldABI
import NetTypes
import PolicyIR

/// The maps of Services.
struct ServiceMaps {
    let services: BPFMap
    let maglev: BPFMap
    let backends: BPFMap
    let ends: BPFMap

    /// Those of an object; `nil` when it has none.
    init?(_ all: [BPFMap]) {
        func map(_ name: String) -> BPFMap? { all.first { $0.name == name } }
        guard let services = map("np_services"), let maglev = map("np_maglev"), let backends = map("np_backends"),
            let ends = map("np_backend_ends")
        else { return nil }
        self.services = services
        self.maglev = maglev
        self.backends = backends
        self.ends = ends
    }

    /// What the maps can hold.
    var limits: ServiceTables.Limits {
        ServiceTables.Limits(
            frontends: services.shape.capacity, maglev: maglev.shape.capacity, backends: backends.shape.capacity,
            ends: ends.shape.capacity)
    }

    /// What the kernel has, whoever wrote it.
    func read(now: UInt64) throws(BPFError) -> ServiceTables {
        let found = try services.entries(key: np_service_key(), value: np_service())
        let known = try ends.entries(key: np_service_key(), value: UInt32(0))
        // A node that never translated has empty arrays, which need not be read.
        if found.isEmpty, known.isEmpty { return ServiceTables(limits: limits) }
        let slots = try backends.entries(key: UInt32(0), value: np_backend())
        var table: [UInt32] = []
        let used = found.map { Int($0.value.maglev) + Int($0.value.maglev_size) }.max() ?? 0
        if used > 0 {
            table = [UInt32](repeating: 0, count: maglev.shape.capacity)
            for entry in try maglev.entries(key: UInt32(0), value: UInt32(0)) where Int(entry.key) < table.count {
                table[Int(entry.key)] = entry.value
            }
        }
        return ServiceTables(
            entries: Dictionary(found.map { ($0.key.frontend, ServiceTables.Entry($0.value)) }) { first, _ in first },
            slots: slots.filter { !$0.value.address.isZero }.map { ServiceTables.Slot($0.key, $0.value) },
            maglev: table, ends: known.map { ServiceTables.End($0.key) }, now: now, limits: limits)
    }

    /// Steps 1 to 5 of a change.
    func write(_ change: ServiceTables.Change) throws(BPFError) {
        try backends.set(change.slots.map { (key: $0.number, value: np_backend($0)) })
        for range in change.ranges {
            try maglev.set(
                range.slots.enumerated().map { (key: range.first + UInt32($0.offset), value: $0.element) })
        }
        try ends.set(change.ends.map { (key: np_service_key($0.end), value: $0.count) })
        for key in change.removals { try services.remove(np_service_key(key)) }
        // One write each: hash maps put a new element in the place of the old one.
        for (key, entry) in change.upserts { try services.set(np_service_key(key), np_service(entry)) }
    }

    /// Steps 6 and 7.
    func finish(_ change: ServiceTables.Change) throws(BPFError) {
        try backends.set(change.unusable.map { (key: $0.number, value: np_backend($0)) })
        for end in change.goneEnds { try ends.remove(np_service_key(end)) }
    }
}

extension np_service_key {
    /// Address and port in network order.
    init(_ key: ServiceFrontend.Key) {
        self.init(
            address: np_address(key.address), port: key.port.bigEndian, protocol: key.protocol.rawValue, pad: 0)
    }

    init(_ end: ServiceTables.End) {
        self.init(
            ServiceFrontend.Key(address: end.backend.address, port: end.backend.port, protocol: end.protocol))
    }

    /// What the key is of.
    var frontend: ServiceFrontend.Key {
        ServiceFrontend.Key(
            address: address.ipAddress, port: UInt16(bigEndian: port), protocol: L4Protocol(rawValue: self.protocol))
    }
}

extension np_service {
    init(_ entry: ServiceTables.Entry) {
        self.init(maglev: entry.maglev, maglev_size: entry.size, id: entry.id, affinity: entry.affinity)
    }
}

extension np_backend {
    init(_ slot: ServiceTables.Slot) {
        self.init(
            address: np_address(slot.end.backend.address), port: slot.end.backend.port.bigEndian,
            protocol: slot.end.protocol.rawValue, flags: slot.isUsable ? UInt8(NP_BACKEND_USABLE) : 0,
            generation: slot.generation, service: slot.service)
    }
}

extension ServiceTables.Entry {
    init(_ value: np_service) {
        self.init(maglev: value.maglev, size: value.maglev_size, id: value.id, affinity: value.affinity)
    }
}

extension ServiceTables.End {
    init(_ key: np_service_key) {
        let frontend = key.frontend
        self.init(ServiceBackend(address: frontend.address, port: frontend.port), frontend.protocol)
    }
}

extension ServiceTables.Slot {
    init(_ number: UInt32, _ value: np_backend) {
        let end = ServiceTables.End(
            ServiceBackend(address: value.address.ipAddress, port: UInt16(bigEndian: value.port)),
            L4Protocol(rawValue: value.protocol))
        self.init(
            number: number, end: end, generation: value.generation, service: value.service,
            isUsable: value.flags & UInt8(NP_BACKEND_USABLE) != 0)
    }
}
