import BPFEmit
import Foundation
import Glibc
import LabKit
import NetTypes
import Testing

@testable import Datapath

@Suite("others at the same clsact hook", .needsRoot, .serialized)
struct HookChainTests {
    private static let web = EndpointKey(namespace: "shop", name: "web")

    /// Runs a test in a namespace with a veth `np0`, whose number is given.
    private static func withVeth(_ body: @escaping (PrivateBPFFilesystem, UInt32) throws -> Void) throws {
        let folder = "/tmp/netpold-chain-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try RoutedNetwork.remove(folder: folder) } }
        let layout = NetworkLayout(
            nodeAddresses: [],
            attachments: [.init(name: "web", nodeInterface: "np0", addresses: [NodeImages.web])])
        let network = try RoutedNetwork.build(layout, in: folder)
        try PrivateBPFFilesystem.with { files in
            try network.node.run { try body(files, if_nametoindex("np0")) }
        }
    }

    private static func node(_ files: PrivateBPFFilesystem, _ style: AttachmentStyle) throws -> NodeDatapath {
        try NodeDatapath(DatapathOptions(pins: files.pins, attachment: style, flowSets: 1024))
    }

    /// A filter of a program that returns `value`, at the hook to the pod.
    private static func addFilter(_ files: PrivateBPFFilesystem, returning value: Int32, place: String) throws {
        let program = try BPFProgram(AssembledProgram.returning(value), name: "other", hitBase: 0, maps: [:])
        let pin = "\(files.pins.root)/other-\(UUID().uuidString)"
        try Libbpf.pin(program.fd, "other", at: pin)
        #expect(
            system(
                "tc qdisc add dev np0 clsact 2>/dev/null; tc filter add dev np0 egress \(place) bpf da pinned \(pin)")
                == 0)
    }

    @Test(
        "a filter of lower priority number runs before netpold's and is found; one of a higher runs behind and is not")
    func filters() throws {
        try Self.withVeth { files, ifindex in
            let node = try Self.node(files, .clsact)
            let image = try NodeImages.shop()
            _ = try node.apply(image, links: [Self.web: [ifindex]])
            #expect(node.auditHooks() == [])
            try Self.addFilter(files, returning: 0, place: "prio 2")
            #expect(node.auditHooks() == [])
            try Self.addFilter(files, returning: 0, place: "prio 1 handle 1")
            let found = node.auditHooks()
            #expect(found.map(\.direction) == [.ingress])
            #expect(found.map(\.isOpen) == [true])
            #expect(found.first?.key == Self.web)
            #expect("\(found[0])".contains("bpf filter of priority 1"))
            try node.detach()
        }
    }

    @Test("a TCX program runs before every filter, and is found")
    func tcxBeforeFilters() throws {
        try Self.withVeth { files, ifindex in
            let node = try Self.node(files, .clsact)
            _ = try node.apply(try NodeImages.shop(), links: [Self.web: [ifindex]])
            let other = try BPFProgram(AssembledProgram.returning(0), name: "other", hitBase: 0, maps: [:])
            let link = try Libbpf.createLink(program: other.fd, ifindex: ifindex, .ingress)
            let found = node.auditHooks()
            #expect(found.map(\.direction) == [.egress])
            #expect(found.map(\.problem) == [.preceded(by: ["program \(other.id) (other)"])])
            withExtendedLifetime(link) {}
            try node.detach()
        }
    }

    @Test(
        "a program that somebody took off is found, and put back by the next apply",
        arguments: [AttachmentStyle.tcx, .clsact])
    func takenOff(style: AttachmentStyle) throws {
        try Self.withVeth { files, ifindex in
            let node = try Self.node(files, style)
            let image = try NodeImages.shop()
            _ = try node.apply(image, links: [Self.web: [ifindex]])
            let hook = Hook.both(of: ifindex)[0]
            if style == .tcx {
                let pin = "\(files.pins.links)/\(hook.pinName)"
                let link = try Libbpf.openPin(pin)
                try link?.use { try Libbpf.detachLink($0.rawValue, "test") }
            } else {
                try Libbpf.detachFilter(hook)
            }
            let found = node.auditHooks()
            #expect(found.map(\.problem) == [.missing])
            #expect(found.map(\.isOpen) == [true])
            #expect(try node.apply(image, links: [Self.web: [ifindex]]).hooksChanged == 1)
            #expect(node.auditHooks() == [])
            try node.detach()
        }
    }
}
