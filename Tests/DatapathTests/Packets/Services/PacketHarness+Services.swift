import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

extension PacketHarness {
    /// Slots of np_backends that tests use: those of a Service begin at 16 times its number.
    private static let slotsOfService: UInt32 = 16
    /// A prime, as Maglev's tables have.
    private static let tableSize: UInt32 = 31

    /// Takes all Services away.
    func removeServices() throws {
        for entry in try map("np_services").entries(key: np_service_key(), value: np_service()) {
            try map("np_services").remove(entry.key)
        }
        for entry in try map("np_backend_ends").entries(key: np_service_key(), value: UInt32(0)) {
            try map("np_backend_ends").remove(entry.key)
        }
        for entry in try map("np_affinities").entries(key: np_affinity_key(), value: np_affinity()) {
            try map("np_affinities").remove(entry.key)
        }
        for entry in try map("np_addresses").entries(key: np_address(), value: UInt32(0)) {
            try map("np_addresses").remove(entry.key)
        }
        try fillAddresses()
        translates = false
    }

    /// Makes backends those of a port of the Service at an address.
    func serve(
        _ protocol: L4Protocol, at frontend: IPAddress, port: UInt16 = ServiceWorld.port,
        by backends: [ServiceWorld.Backend], service: UInt32 = 1, affinity: UInt32 = 0
    ) throws {
        let first = service * Self.slotsOfService
        for (number, backend) in backends.enumerated() {
            let address = np_address(backend.address)
            try map("np_backends").set(
                first + UInt32(number),
                np_backend(
                    address: address, port: backend.port.bigEndian, protocol: `protocol`.rawValue,
                    flags: backend.flags, generation: backend.generation, service: service))
            let end = np_service_key(
                address: address, port: backend.port.bigEndian, protocol: `protocol`.rawValue, pad: 0)
            try map("np_backend_ends").set(end, UInt32(1))
            let identity = PacketWorld.exact.first { $0.address == backend.address }?.identity ?? 0
            try map("np_addresses").set(address, identity | UInt32(NP_IDENTITY_BACKEND))
        }
        if !backends.isEmpty {
            for entry in 0..<Self.tableSize {
                try map("np_maglev").set(service * 64 + entry, first + entry % UInt32(backends.count))
            }
        }
        let key = np_service_key(
            address: np_address(frontend), port: port.bigEndian, protocol: `protocol`.rawValue, pad: 0)
        try map("np_services").set(
            key,
            np_service(
                maglev: service * 64, maglev_size: backends.isEmpty ? 0 : Self.tableSize, id: service,
                affinity: affinity))
        let loopback = ServiceWorld.loopback(v6: !frontend.isIPv4)
        for address in [frontend, loopback] {
            let identity = PacketWorld.exact.first { $0.address == address }?.identity ?? 0
            try map("np_addresses").set(np_address(address), identity | UInt32(NP_IDENTITY_FRONTEND))
        }
        guard !translates else { return }
        translates = true
        for pod in Pod.allCases { try bump(pod) }
    }

    /// Takes a port of a Service away.
    func unserve(_ protocol: L4Protocol, at frontend: IPAddress, port: UInt16 = ServiceWorld.port) throws {
        let key = np_service_key(
            address: np_address(frontend), port: port.bigEndian, protocol: `protocol`.rawValue, pad: 0)
        try map("np_services").remove(key)
    }

    /// Gives the pod leave to be refused as often as in a new jiffy.
    func renewRefusals(of pod: Pod = .a) throws {
        let none = [np_refusal_budget](repeating: np_refusal_budget(), count: try Libbpf.possibleCPUs())
        try map("np_refusals").setPerCPU(pod.rawValue, none)
    }
}
