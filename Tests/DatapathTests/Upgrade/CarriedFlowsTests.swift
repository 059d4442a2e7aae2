import BPFEmit
import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

/// Flows of version 1, in which both ends shared an entry, in the regions of this one's endpoints.
@Suite("flows of version 1", .needsRoot, .serialized)
struct CarriedFlowsTests {
    /// An entry between two ends, the lower address first; which of them has admitted it, and how.
    private static func entry(
        _ low: IPAddress, _ lowPort: UInt16, _ high: IPAddress, _ highPort: UInt16, roles: (np_role, np_role),
        protocol: UInt8 = 6, flags: UInt32 = 0
    ) -> (SharedFlow.Key, SharedFlow) {
        let key = SharedFlow.Key(
            low: np_address(low), high: np_address(high), lowPort: lowPort.bigEndian, highPort: highPort.bigEndian,
            protocol: UInt32(`protocol`))
        var flow = SharedFlow()
        flow.low = (7, roles.0.rawValue)
        flow.high = (7, roles.1.rawValue)
        flow.lastSeen = 64 * 1000
        flow.flags = flags
        return (key, flow)
    }

    /// A pinned instance of version 1 with these flows.
    private static func pin(_ flows: [(SharedFlow.Key, SharedFlow)], root: String) throws {
        let pins = try PinPath(instance: "test", root: root, version: 1)
        try pins.create()
        let object = try BPFObject(name: "v1", bytes: FirstVersion.object())
        try object.load()
        let there = try #require(object.mapLayouts[SharedFlow.map])
        let codec = try #require(MapCodec(here: SharedFlow.layout, there: there))
        let map = try object.map(SharedFlow.map, codec: codec)
        for (key, flow) in flows { try map.set(key, flow) }
        try Libbpf.pin(map.fd, map.name, at: "\(pins.folder)/\(map.name)")
        let endpoints = try object.map("np_endpoints")
        try Libbpf.pin(endpoints.fd, endpoints.name, at: "\(pins.folder)/\(endpoints.name)")
    }

    @Test("the layouts in which they are read are those of the structs")
    func layout() {
        #expect(MemoryLayout<SharedFlow.Key>.size == 40)
        #expect(MemoryLayout<SharedFlow.Key>.offset(of: \.highPort) == 34)
        #expect(MemoryLayout<SharedFlow.Key>.offset(of: \.protocol) == 36)
        #expect(MemoryLayout<SharedFlow>.size == 32)
        #expect(MemoryLayout<SharedFlow>.offset(of: \.high) == 8)
        #expect(MemoryLayout<SharedFlow>.offset(of: \.lastSeen) == 16)
        #expect(MemoryLayout<SharedFlow>.offset(of: \.flags) == 24)
    }

    @Test(
        "each local pod that had admitted a flow gets its own, without revision; others get nothing; nothing is admitted twice"
    )
    func carried() throws {
        try PrivateBPFFilesystem.with { files in
            let flows = [
                // Web is the responder of a client's connection, which web has begun to close.
                Self.entry(
                    NodeImages.client, 4000, NodeImages.web, 80, roles: (NP_ROLE_NONE, NP_ROLE_RESPONDER),
                    flags: SharedFlow.closingHigh),
                // Web has asked a name server.
                Self.entry(
                    NodeImages.web, 5000, IPAddress(ipv4: 0xc000_0235), 53, roles: (NP_ROLE_INITIATOR, NP_ROLE_NONE),
                    protocol: 17),
                // Neither end is here.
                Self.entry(
                    NodeImages.client, 1, NodeImages.stranger, 2, roles: (NP_ROLE_INITIATOR, NP_ROLE_RESPONDER)),
                // Web is at its end, and has not admitted it.
                Self.entry(NodeImages.client, 4001, NodeImages.web, 81, roles: (NP_ROLE_INITIATOR, NP_ROLE_NONE)),
                // A role that does not exist.
                Self.entry(NodeImages.client, 4002, NodeImages.web, 82, roles: (NP_ROLE_NONE, np_role(3))),
            ]
            try Self.pin(flows, root: files.pins.root)
            let node = try NodeDatapath.forTests(pins: files.pins)
            #expect(node.otherVersions.map(\.name) == ["v1"])
            #expect(node.otherVersions.flatMap(\.notCarried) == [])
            let report = try node.apply(try NodeImages.shop(), interfaces: [:])
            #expect(report.takenOver == ["v1"])
            let found = try node.rememberedFlows().sorted { $0.own.port < $1.own.port }
            #expect(found.map(\.own.port) == [80, 5000])
            let served = try #require(found.first)
            #expect(served.own.address == NodeImages.web && served.remote.address == NodeImages.client)
            #expect(served.remote.port == 4000 && served.role == .responder && served.isAnswered)
            #expect(served.hasFinished && !served.hasRemoteFinished)
            let web = try #require(node.endpoints[NodeImages.webKey].flatMap { node.regions.current[$0.slot] })
            let entries = try node.maps.flows.mapped(web).entries(in: web)
            #expect(entries.first { UInt16(bigEndian: $0.record.own_port) == 80 }?.record.last_seen == 1000)
            let asked = try #require(found.last)
            #expect(asked.role == .initiator && !asked.isAnswered && asked.protocol == .udp)
            #expect(found.allSatisfy { $0.revision == 0 })
        }
    }

    @Test("whatever a flow of another version says, no pod gets one that its end is not at")
    func random() {
        var random = SplitMix64(seed: 1)
        let region = FlowRegion(first: 0, sets: 16)
        #expect(region != nil)
        let node = EndpointRegions(sets: 16)
        let pods = CarriedPods([LoadedEndpoint](), node)
        for _ in 0..<1000 {
            let addresses = (0..<2).map { _ in IPAddress(ipv4: UInt32(truncatingIfNeeded: random.next())) }
            let (key, flow) = Self.entry(
                addresses[0], 1, addresses[1], 2,
                roles: (np_role(UInt32(random.below(5))), np_role(UInt32(random.below(5)))))
            #expect(pods.flows(of: flow, key).isEmpty)
        }
    }
}
