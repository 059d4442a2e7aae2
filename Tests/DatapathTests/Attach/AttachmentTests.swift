import BPFEmit
import CNetpoldABI
import Foundation
import LabKit
import NetTypes
import SystemPackage
import Testing

@testable import Datapath

@Suite("attaching to interfaces", .needsRoot, .serialized)
struct AttachmentTests {
    static let clientKey = NodeNetwork.clientKey

    /// Runs a test in the node's namespace of a new network, with the links of its pods.
    static func withNetwork(
        _ body: @escaping (PinPath, [EndpointKey: [UInt32]], RoutedNetwork) throws -> Void
    ) throws {
        try NodeNetwork.with { network, pins, interfaces in try body(pins, interfaces.mapValues { [$0] }, network) }
    }

    private static func image(port: UInt16 = 80) throws -> NodeImage {
        let ingress = try NodeImages.policy(
            .ingress, [NodeImages.bit(0, port: port)], peers: [NodeImages.clientID: 1])
        return try NodeImages.node(
            subjects: [
                NodeImages.subject("client", ingress: NodeImages.open(.ingress)),
                NodeImages.subject(ingress: ingress),
            ],
            endpoints: [
                NodeImages.endpoint("client", NodeImages.client, subject: "client", identity: NodeImages.clientID),
                NodeImages.endpoint("web", NodeImages.web),
            ])
    }

    private static func udpImage(port: UInt16) throws -> NodeImage {
        var image = try image()
        image.subjects[1].ingress = try NodeImages.policy(
            .ingress, [NodeImages.bit(0, port: port, protocol: .udp)], peers: [NodeImages.clientID: 1])
        return image
    }

    static func open(_ pins: PinPath, _ style: AttachmentStyle) throws -> NodeDatapath {
        try NodeDatapath(DatapathOptions(pins: pins, attachment: style, flowSets: 1024))
    }

    /// Programs at the hooks of an interface.
    private static func attached(_ node: NodeDatapath, _ ifindex: UInt32) throws -> [UInt32] {
        try Hook.both(of: ifindex).compactMap { hook in try node.attachments.programID(at: hook) }
    }

    @Test(
        "hooks are attached, adopted by the next process without a gap, and taken off when their interface is gone",
        arguments: [AttachmentStyle.tcx, .clsact])
    func lifecycle(style: AttachmentStyle) throws {
        try Self.withNetwork { pins, links, network in
            let web = try #require(links[NodeImages.webKey]?.first)
            var programs: [UInt32] = []
            var slot: UInt32 = 0
            do {
                let node = try Self.open(pins, style)
                let report = try node.apply(try Self.image(), links: links)
                #expect(report.hooksChanged == 4)
                for endpoint in report.endpoints {
                    #expect(endpoint.failure?.description == nil)
                    #expect(endpoint.attachment == style)
                }
                #expect(try node.apply(try Self.image(), links: links).changedAnything == false)
                programs = try Self.attached(node, web)
                slot = try #require(node.endpoints[NodeImages.webKey]).slot
                #expect(programs.count == 2)
            }
            let node = try Self.open(pins, style)
            #expect(node.attachments.hooks.count == 4)
            #expect(try Self.attached(node, web) == programs)
            let report = try node.apply(try Self.image(), links: links)
            #expect(report.hooksChanged == 0)
            #expect(node.endpoints[NodeImages.webKey]?.slot == slot)
            #expect(try Self.attached(node, web) == programs)
            #expect(try node.apply(try Self.image(), links: links).changedAnything == false)

            var less = try Self.image()
            less.endpoints.removeAll { $0.name == "web" }
            #expect(try node.apply(less, links: links).hooksChanged == 0)
            #expect(try Self.attached(node, web) == programs)
            #expect(node.auditHooks().map(\.problem) == [.withoutPod, .withoutPod])
            // Its pod comes back, and gets other programs only if its slot is another one.
            #expect(try node.apply(try Self.image(), links: links).endpoints.count == 2)
            #expect(node.auditHooks() == [])
            _ = try node.apply(less, links: links)
            // The other end goes with its namespace.
            try network.pods["web"]?.run { _ = system("ip link del eth0") }
            #expect(try node.apply(less, links: links).hooksChanged == 2)
            #expect(node.attachments.hooks.count == 2)
            #expect(node.auditHooks() == [])
            try node.detach()
            #expect(node.attachments.hooks == [])
        }
    }

    @Test(
        "what closed an interface before is gone when apply returns: it judges no packet beside the agent's program",
        arguments: [AttachmentStyle.tcx, .clsact])
    func gate(style: AttachmentStyle) throws {
        try Self.withNetwork { pins, links, _ in
            let node = try Self.open(pins, style)
            for ifindex in links.values.joined() { try InterfaceGate(pins, style: style).close(ifindex) }
            // A link that somebody holds does not go with its pin. One that nobody holds goes with it some time later.
            var held: [FileDescriptor] = []
            defer { for descriptor in held { try? descriptor.close() } }
            for name in try Libbpf.names(in: pins.links) {
                try Libbpf.openPin("\(pins.links)/\(name)")?.use { held.append(try $0.duplicate()) }
            }
            #expect(held.count == (style == .tcx ? 4 : 0))
            let report = try node.apply(try Self.image(), links: links)
            #expect(report.endpoints.allSatisfy { $0.failure == nil })
            for hook in links.values.joined().flatMap(Hook.both(of:)) {
                let tcx = try Libbpf.chain(ifindex: hook.ifindex, hook.side).count
                let filters = try NetlinkSocket().filters(of: hook.ifindex, hook.side).count
                #expect(tcx + filters == 1)
            }
            try node.detach()
        }
    }

    @Test(
        "an interface without programs is closed where nothing can be applied, others stay as they are, and the next apply opens it",
        arguments: [AttachmentStyle.tcx, .clsact])
    func closing(style: AttachmentStyle) throws {
        try Self.withNetwork { pins, links, _ in
            let client = try #require(links[Self.clientKey]?.first)
            let web = try #require(links[NodeImages.webKey]?.first)
            let node = try Self.open(pins, style)
            _ = try node.apply(try Self.image(), links: links.filter { $0.key == Self.clientKey })
            let enforced = try Self.attached(node, client)
            #expect(try Self.attached(node, web) == [])
            // As many addresses as no map holds.
            var tooMany = try Self.image()
            tooMany.endpoints[1].addresses = [NodeImages.web, NodeImages.client, NodeImages.stranger]
            #expect(throws: BPFError.self) { try node.apply(tooMany, links: links) }
            try node.close([client, web, 4_000_000])
            let closing = try Self.attached(node, web)
            #expect(try closing.map(BPFProgram.kernelName) == [BPFProgram.closingName, BPFProgram.closingName])
            #expect(try Self.attached(node, client) == enforced)
            try node.close([client, web])
            #expect(try Self.attached(node, web) == closing)
            // Of a process that ends then, the next one knows it.
            let report = try node.apply(try Self.image(), links: links)
            #expect(report.endpoints.allSatisfy { $0.failure == nil } && report.hooksChanged == 2)
            #expect(try Self.attached(node, web).allSatisfy { try BPFProgram.kernelName($0) != BPFProgram.closingName })
            #expect(node.auditHooks() == [])
            try node.detach()
        }
    }

    @Test("pins that somebody removes are made again by the next apply: a process that ends leaves every hook")
    func lostPins() throws {
        try Self.withNetwork { pins, links, _ in
            let web = try #require(links[NodeImages.webKey]?.first)
            var maps: [UInt32] = []
            var programs: [UInt32] = []
            do {
                let node = try Self.open(pins, .tcx)
                _ = try node.apply(try Self.image(), links: links)
                maps = node.maps.all.map(\.id)
                programs = try Self.attached(node, web)
                try pins.removeAll()
                #expect(!Libbpf.isThere(pins.folder))
                let report = try node.apply(try Self.image(), links: links)
                #expect(report.endpoints.allSatisfy { $0.failure == nil } && report.hooksChanged == 4)
                // One of them alone.
                let hook = Hook.both(of: web)[0]
                #expect(try Libbpf.unpin("\(pins.links)/\(hook.pinName)"))
                #expect(try node.apply(try Self.image(), links: links).hooksChanged == 1)
                #expect(try node.apply(try Self.image(), links: links).changedAnything == false)
            }
            let node = try Self.open(pins, .tcx)
            #expect(try Self.attached(node, web) == programs && programs.count == 2)
            #expect(node.maps.all.map(\.id) == maps)
            try node.detach()
        }
    }

    @Test(
        "a process that starts gives no pod the slot that a program at an interface without a pod names",
        arguments: [AttachmentStyle.tcx, .clsact])
    func heldSlotAfterRestart(style: AttachmentStyle) throws {
        try Self.withNetwork { pins, links, _ in
            var former: UInt32 = 0
            do {
                let node = try Self.open(pins, style)
                _ = try node.apply(try Self.image(), links: links)
                former = try #require(node.endpoints[Self.clientKey]).slot
                var less = try Self.image()
                less.endpoints.removeAll { $0.name == "client" }
                _ = try node.apply(less, links: links)
            }
            let node = try Self.open(pins, style)
            var next = try Self.image()
            next.endpoints = [NodeImages.endpoint("next", NodeImages.stranger, identity: NodeImages.strangerID)]
            let key = EndpointKey(namespace: "shop", name: "next")
            let report = try node.apply(next, links: [key: try #require(links[NodeImages.webKey])])
            #expect(report.endpoints.map(\.key) == [key])
            #expect(report.endpoints.map(\.slot) != [former], "the client's interface would be the next pod's")
            try node.detach()
        }
    }

    @Test("what a start that failed has pinned goes, and what closes pods stays")
    func failedStart() throws {
        try Self.withNetwork { pins, links, _ in
            let web = try #require(links[NodeImages.webKey]?.first)
            do {
                _ = try Self.open(pins, .tcx)
                try InterfaceGate(pins, style: .tcx).close(web)
            }
            try pins.removeAllButHooks()
            for hook in Hook.both(of: web) {
                #expect(
                    try Libbpf.chain(ifindex: web, hook.side).map(BPFProgram.kernelName) == [BPFProgram.closingName])
            }
            #expect(try pins.pinned().sorted() == Hook.both(of: web).map { "\(pins.links)/\($0.pinName)" }.sorted())
            // The next start finds it.
            let node = try Self.open(pins, .tcx)
            _ = try node.apply(try Self.image(), links: links)
            #expect(node.auditHooks() == [])
            try node.detach()
            _ = try Self.open(pins, .tcx)
            try pins.removeAllButHooks()
            #expect(!Libbpf.isThere(pins.folder))
        }
    }

    @Test(
        "a program that cannot be put in place of the one before leaves that one attached",
        arguments: [AttachmentStyle.tcx, .clsact])
    func failingReplacement(style: AttachmentStyle) throws {
        try Self.withNetwork { pins, links, _ in
            let web = try #require(links[NodeImages.webKey]?.first)
            let node = try Self.open(pins, style)
            _ = try node.apply(try Self.image(), links: links)
            let before = try Self.attached(node, web)
            let hook = Hook.both(of: web)[0]
            // Another endpoint's stub: a program that is not equivalent.
            let other = try node.loadStub(4000, .ingress)
            let fault = InjectedFault(style == .tcx ? .updateAttachment : .attach, errno: .noMemory)
            let error = InjectedFault.$current.withValue(fault) { () -> BPFError? in
                do throws(BPFError) {
                    _ = try node.attachments.attach(other, at: hook)
                    return nil
                } catch {
                    return error
                }
            }
            #expect(fault.fired)
            #expect(error?.errno == .noMemory)
            #expect(try Self.attached(node, web) == before)
            #expect(try node.attachments.attach(other, at: hook))
            #expect(try Self.attached(node, web) != before)
        }
    }

    @Test(
        "packets on the wire meet the policy, also while no process is there",
        arguments: [AttachmentStyle.tcx, .clsact])
    func wire(style: AttachmentStyle) throws {
        try Self.withNetwork { pins, links, network in
            let client = try #require(network.pods["client"])
            let web = try #require(network.pods["web"])
            let loop = try EventLoop()
            let responder = try Responder(
                name: "web", in: web,
                ports: [80, 81].map { .init(address: NodeImages.web, protocol: .udp, port: $0) }, loop: loop)
            func reaches(_ port: UInt16) throws -> Bool {
                let probe = Probe(
                    namespace: client, source: NodeImages.client, destination: NodeImages.web, protocol: .udp,
                    port: port, retries: 0)
                return try Prober(loop: loop).run([probe]) == [.answered(by: "web")]
            }
            defer { withExtendedLifetime(responder) {} }
            do {
                let node = try Self.open(pins, style)
                _ = try node.apply(
                    try Self.udpImage(port: 80), links: links)
                #expect(try reaches(80))
                #expect(try !reaches(81))
            }
            #expect(try reaches(80))
            #expect(try !reaches(81))
            let node = try Self.open(pins, style)
            #expect(try reaches(80))
            _ = try node.apply(try Self.udpImage(port: 81), links: links)
            #expect(try !reaches(80))
            #expect(try reaches(81))
            try node.detach()
            #expect(try reaches(80))
        }
    }
}
