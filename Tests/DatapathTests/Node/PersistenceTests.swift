import BPFEmit
import CNetpoldABI
import Foundation
import Support
import Testing

@testable import Datapath

@Suite("what outlives the process", .needsRoot, .serialized)
struct PersistenceTests {
    @Test("a restart with the same image changes no verdict and breaks no flow; the numbers of identities come back")
    func restart() throws {
        try PrivateBPFFilesystem.with { files in
            let shop = try NodeImages.closedShop()
            var ids: [UInt32] = []
            var regions: [UInt32: FlowRegion] = [:]
            var seed = np_flow_seed()
            do {
                let node = try NodeDatapath.forTests(pins: files.pins)
                _ = try node.apply(shop, links: [NodeImages.webKey: [7]])
                #expect(try HookProbe(node: node).tcp(source: 7) == NP_REASON_ALLOWED)
                regions = node.regions.current
                seed = node.maps.flows.seed
                ids = node.maps.all.map(\.id)
            }
            let node = try NodeDatapath.forTests(pins: files.pins)
            #expect(node.maps.all.map(\.id) == ids)
            #expect(node.identities.addresses.map(\.1) == [300, 301, 302])
            #expect(node.identities.prefixes.count == 2)
            #expect(node.adopted.count == 1)
            #expect(node.strayPolicies == [0, 1])
            let report = try node.apply(shop, links: [NodeImages.webKey: [7]])
            #expect(report.endpoints.count == 1)
            #expect(node.regions.current == regions && regions.count == 1, "its flows are where they were")
            #expect(node.maps.flows.seed.word == seed.word && seed.word != (0, 0))
            #expect(node.adopted.isEmpty)
            #expect(node.strayPolicies.isEmpty)
            let probe = HookProbe(node: node)
            #expect(try probe.tcpReply(source: 7) == NP_REASON_REVALIDATED)
            #expect(try probe.tcp(source: 7, flags: 0x10) == NP_REASON_ESTABLISHED)
            #expect(try node.apply(shop, links: [NodeImages.webKey: [7]]).changedAnything == false)
        }
    }

    @Test("a flow of a pod that is gone admits nothing for its successor at the same address")
    func successor() throws {
        try PrivateBPFFilesystem.with { files in
            var shop = try NodeImages.shop()
            do {
                let node = try NodeDatapath.forTests(pins: files.pins)
                _ = try node.apply(shop, links: [:])
                #expect(try HookProbe(node: node).tcp(source: 7) == NP_REASON_ALLOWED)
                shop.endpoints = []
                _ = try node.apply(shop, links: [:])
            }
            let node = try NodeDatapath.forTests(pins: files.pins)
            let closed = try NodeImages.node(subjects: [
                NodeImages.subject(ingress: NodeImages.policy(.ingress, [], peers: [:]))
            ])
            _ = try node.apply(closed, links: [:])
            #expect(try HookProbe(node: node).tcp(source: 7, flags: 0x10) == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test("two processes cannot use one instance; another instance is another matter")
    func lock() throws {
        try PrivateBPFFilesystem.with { files in
            try files.pins.create()
            var held: FileLock? = try Libbpf.lock(folder: files.pins.folder)
            let error = #expect(throws: BPFError.self) { try NodeDatapath.forTests(pins: files.pins) }
            #expect(error?.operation == .lockInstance)
            #expect(error?.errnoName == "EAGAIN")
            let other = try PinPath(instance: "other", root: files.pins.root)
            try other.create()
            _ = try Libbpf.lock(folder: other.folder)
            withExtendedLifetime(held) {}
            held = nil
            _ = try Libbpf.lock(folder: files.pins.folder)
        }
    }

    @Test("maps of another shape are refused, every difference named")
    func incompatible() throws {
        try PrivateBPFFilesystem.with { files in
            try files.pins.create()
            let other = try BPFMap(hash: "np_endpoints", keySize: 4, valueSize: 8, capacity: 4)
            try Libbpf.pin(other.fd, "np_endpoints", at: "\(files.pins.folder)/np_endpoints")
            let error = #expect(throws: BPFError.self) { try NodeDatapath.forTests(pins: files.pins) }
            #expect(error?.errnoName == "EEXIST")
            #expect(
                error?.detail
                    == "made by another version (type: 1 changed to 2, value size: 8 changed to 64, "
                    + "flags: 1 changed to 0); detach first")
        }
    }

    @Test("a pinned flow table keeps its size; a size that is no power of two is refused")
    func size() throws {
        try PrivateBPFFilesystem.with { files in
            func open(_ sets: Int) throws -> Int {
                let options = DatapathOptions(pins: files.pins, attachment: .none, flowSets: sets)
                return try NodeDatapath(options).maps.flows.sets
            }
            let sizes = [try open(512), try open(1024)]
            #expect(sizes == [512, 512])
            for sets in [0, -4, 96, 2 * Int(NP_MAX_FLOW_SETS)] {
                #expect(throws: BPFError.self) { try open(sets) }
            }
        }
    }

    @Test("nothing of a private instance stays in the kernel when its owner goes")
    func leaks() throws {
        var maps: [UInt32] = []
        var programs: [UInt32] = []
        do {
            let node = try NodeDatapath.forTests()
            _ = try node.apply(try NodeImages.shop(), links: [:])
            maps = node.maps.all.map(\.id)
            for endpoint in node.endpoints.values { programs += [endpoint.ingressStub.id, endpoint.egressStub.id] }
            for subject in node.subjects.values { programs += [subject.ingress.program.id, subject.egress.program.id] }
            #expect(maps.count > 10)
        }
        // The kernel frees them a grace period later.
        for _ in 0..<100 where maps.contains(where: Self.mapExists) || programs.contains(where: Self.programExists) {
            usleep(50_000)
        }
        #expect(maps.filter(Self.mapExists) == [])
        #expect(programs.filter(Self.programExists) == [])
    }

    @Test("detaching removes every pin, of whatever version")
    func detach() throws {
        try PrivateBPFFilesystem.with { files in
            let node = try NodeDatapath.forTests(pins: files.pins)
            _ = try node.apply(try NodeImages.shop(), links: [:])
            #expect(try FolderNames.read(files.pins.folder).contains("np_flow_sets"))
            try node.detach()
            #expect(try FolderNames.read("\(files.pins.root)/netpold") == [])
        }
    }

    @Test("a folder that cannot hold pins is a typed error", arguments: ["/proc/nothing", "/nowhere"])
    func noFilesystem(root: String) throws {
        let error = #expect(throws: BPFError.self) { try PinPath(instance: "x", root: root).create() }
        #expect(error?.operation == .mountFilesystem)
    }

    @Test("an instance's name is one path component", arguments: ["", "..", "a/b", "a b", "\u{e9}"])
    func badName(name: String) {
        #expect(throws: BPFError.self) { try PinPath(instance: name) }
    }

    private static func mapExists(_ id: UInt32) -> Bool {
        (try? Libbpf.map(id: id)) != nil
    }

    private static func programExists(_ id: UInt32) -> Bool {
        (try? Libbpf.program(id: id)) != nil
    }
}
