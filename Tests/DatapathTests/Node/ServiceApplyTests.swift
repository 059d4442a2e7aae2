import BPFEmit
import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyIR
import Testing

@testable import Datapath

@Suite("the tables of Services in the kernel", .needsRoot, .serialized)
struct ServiceApplyTests {
    private static let frontendAddress = IPAddress(ipv4: 0x0a60_0001)

    private func frontend(_ backends: [IPAddress], number: UInt32 = 1) -> ServiceFrontend {
        ServiceFrontend(
            address: IPAddress(ipv4: 0x0a60_0000 + number), port: 80, protocol: .tcp, kind: .clusterIP,
            service: ServiceName(namespace: "shop", name: "s\(number)"),
            backends: backends.map { ServiceBackend(address: $0, port: 8080) }.sorted())
    }

    private func image(_ services: [ServiceFrontend]) throws -> NodeImage {
        var image = try NodeImages.shop()
        image.services = services
        return image
    }

    private func node(pins: PinPath? = nil, _ mode: ServiceMode) throws -> NodeDatapath {
        var options = DatapathOptions(pins: pins, attachment: .none)
        options.services = mode
        return try NodeDatapath(options)
    }

    /// Whether the maps hold what the mirror says.
    private func isMirrored(_ node: NodeDatapath) throws -> Bool {
        let maps = try #require(node.maps.services)
        let tables = try #require(node.services?.tables)
        let found = try maps.read(now: 0)
        for key in tables.entries.keys where found.table(of: key) != tables.table(of: key) { return false }
        let addresses = try node.maps.readAddresses()
        return found.entries == tables.entries && found.usedSlots == tables.usedSlots
            && found.knownEnds == tables.knownEnds && addresses == node.addresses
    }

    @Test("translate fills them, marks the addresses and the pods; changes are differences; no flow is asked again")
    func translate() throws {
        let node = try node(.translate)
        let web = frontend([NodeImages.web, NodeImages.client])
        let first = try node.apply(try image([web]), links: [:])
        #expect(try isMirrored(node))
        #expect(first.endpoints.map(\.revision) == [1])
        let (front, back) = (UInt32(NP_IDENTITY_FRONTEND), UInt32(NP_IDENTITY_BACKEND))
        #expect(node.addresses[Self.frontendAddress] == NodeImages.world | front)
        #expect(node.addresses[NodeImages.web] == NodeImages.webID | back)
        #expect(node.addresses[NodeImages.stranger].map { $0 & (front | back) } == 0)
        for hairpin in NodeDatapath.hairpinAddresses { #expect(node.addresses[hairpin] == NodeImages.world | front) }
        let slot = try #require(node.endpoints[NodeImages.webKey])
        #expect(slot.value.translatesServices)
        #expect(try node.apply(try image([web]), links: [:]).changedAnything == false)

        // Another endpoint, and another Service: marks change, identities do not.
        let other = frontend([NodeImages.stranger])
        let second = try node.apply(
            try image([other, frontend([NodeImages.outside], number: 2)]), links: [:])
        #expect(try isMirrored(node))
        #expect(second.changedAnything && second.programsLoaded == 0)
        #expect(second.endpoints.map(\.revision) == [1])
        #expect(node.addresses[NodeImages.outside] == NodeImages.world | back)
        // Answers of an endpoint that is not chosen any more are still translated.
        #expect(node.addresses[NodeImages.web] == NodeImages.webID | back)
        #expect(node.identities.addresses.contains { $0 == (NodeImages.web, NodeImages.webID) })
    }

    @Test("an end that a flow to a Service has is in use, one of a straight flow is not")
    func endsInUse() throws {
        let node = try node(.translate)
        _ = try node.apply(try image([frontend([NodeImages.web, NodeImages.client])]), links: [:])
        let slot = try #require(node.endpoints[NodeImages.webKey]?.slot)
        let region = try #require(node.regions.current[slot])
        for (backend, flags) in [(NodeImages.web, NP_ENTRY_BACKEND), (NodeImages.client, 0)] {
            var record = np_flow_record()
            record.remote = np_address(backend)
            record.remote_port = UInt16(8080).bigEndian
            record.own_port = 1
            record.protocol = 6
            record.flags = UInt32(flags) | NP_ROLE_INITIATOR.rawValue << UInt32(NP_ENTRY_ROLE_SHIFT)
            #expect(try node.maps.flows.mapped(region).insert(record, endpoint: slot, in: region) == .inserted)
        }
        let ends = Set(try #require(node.services).tables.knownEnds)
        #expect(ends.count == 2)
        #expect(try node.endsInUse(among: ends).map(\.backend.address) == [NodeImages.web])
        #expect(try node.endsInUse(among: []).isEmpty)
    }

    @Test("the address of a Service that is gone keeps its mark while a flow goes on there, after a restart too")
    func formerAddress() throws {
        try PrivateBPFFilesystem.with { files in
            let front = UInt32(NP_IDENTITY_FRONTEND)
            let other = IPAddress(ipv4: 0x0a60_0002)
            do {
                let node = try node(pins: files.pins, .translate)
                _ = try node.apply(
                    try image([frontend([NodeImages.web]), frontend([NodeImages.web], number: 2)]), links: [:])
                let slot = try #require(node.endpoints[NodeImages.webKey]?.slot)
                let region = try #require(node.regions.current[slot])
                var record = np_flow_record()
                record.remote = np_address(Self.frontendAddress)
                record.remote_port = UInt16(80).bigEndian
                record.own_port = 1
                record.protocol = 6
                record.flags = UInt32(NP_ENTRY_FRONTEND | NP_ENTRY_ANSWERED)
                #expect(try node.maps.flows.mapped(region).insert(record, endpoint: slot, in: region) == .inserted)
                _ = try node.apply(try image([]), links: [:])
                for address in [Self.frontendAddress, other] {
                    #expect((node.addresses[address] ?? 0) & front != 0)
                }
            }
            let node = try node(pins: files.pins, .translate)
            _ = try node.apply(try image([]), links: [:])
            #expect((node.addresses[Self.frontendAddress] ?? 0) & front != 0)
            #expect(node.addresses[other] == nil)
        }
    }

    @Test("off takes frontends and marks away, and the pods' flag")
    func off() throws {
        try PrivateBPFFilesystem.with { files in
            do {
                _ = try node(pins: files.pins, .translate).apply(try image([frontend([NodeImages.web])]), links: [:])
            }
            let node = try node(pins: files.pins, .off)
            _ = try node.apply(try image([frontend([NodeImages.web])]), links: [:])
            #expect(try isMirrored(node))
            #expect(node.services?.tables.entries.isEmpty == true)
            #expect(node.addresses[Self.frontendAddress] == nil)
            #expect(node.endpoints[NodeImages.webKey]?.value.translatesServices == false)
        }
    }

    @Test("a restart goes on from what is pinned: slots, ranges and ids stay, and nothing is written")
    func restart() throws {
        try PrivateBPFFilesystem.with { files in
            let services = [
                frontend([NodeImages.web, NodeImages.client]), frontend([], number: 2),
                frontend([NodeImages.web, NodeImages.client], number: 3),
            ]
            var before: ServiceTables?
            do {
                let node = try node(pins: files.pins, .translate)
                _ = try node.apply(try image([frontend([NodeImages.stranger])]), links: [:])
                _ = try node.apply(try image(services), links: [:])
                before = node.services?.tables
            }
            let node = try node(pins: files.pins, .translate)
            _ = try node.apply(try image(services), links: [:])
            #expect(try isMirrored(node))
            #expect(node.services?.tables.entries == before?.entries)
            #expect(node.services?.tables.usedSlots == before?.usedSlots)
        }
    }
}
