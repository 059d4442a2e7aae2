import BPFEmit
import CNetpoldABI
import LabKit
import NetTypes
import Testing

@testable import Datapath

/// An entry program that cannot be put in the place of the pod's before: the hook goes on naming that pod's slot.
extension AttachmentTests {
    private static func key(_ name: String) -> EndpointKey { EndpointKey(namespace: "shop", name: name) }

    /// Pods by name, that are clients.
    private static func image(of names: [String]) throws -> NodeImage {
        let addresses = [NodeImages.client, NodeImages.stranger]
        return try NodeImages.node(
            subjects: [NodeImages.subject("client", ingress: NodeImages.open(.ingress))],
            endpoints: names.sorted().enumerated().map { number, name in
                NodeImages.endpoint(name, addresses[number], subject: "client", identity: NodeImages.clientID)
            })
    }

    /// A datapath and two pods' interfaces; what is attached is taken off at the end.
    private static func withInterfaces(
        _ style: AttachmentStyle, _ body: @escaping (NodeDatapath, _ first: [UInt32], _ second: [UInt32]) throws -> Void
    ) throws {
        try withNetwork { pins, links, _ in
            let node = try open(pins, style)
            try body(node, try #require(links[clientKey]), try #require(links[NodeImages.webKey]))
            try node.detach()
        }
    }

    /// An apply in which one call that moves a hook fails.
    private static func apply(
        _ image: NodeImage, _ links: [EndpointKey: [UInt32]], to node: NodeDatapath, failing call: Int
    ) throws -> ApplyReport {
        let fault = InjectedFault(node.attachment == .tcx ? .updateAttachment : .attach, call: call, errno: .noMemory)
        let report = try InjectedFault.$current.withValue(fault) { try node.apply(image, links: links) }
        #expect(fault.fired)
        return report
    }

    @Test(
        "a slot that a hook which could not be moved names is no other pod's until it has moved",
        arguments: [AttachmentStyle.tcx, .clsact])
    func slotOfUnmovedHook(style: AttachmentStyle) throws {
        try Self.withInterfaces(style) { node, first, second in
            _ = try node.apply(try Self.image(of: ["a"]), links: [Self.key("a"): first])
            let former = try #require(node.endpoints[Self.key("a")]).slot
            // The interface becomes another pod's, and one of its hooks stays as it is.
            let pods = [Self.key("b"): first]
            let report = try Self.apply(try Self.image(of: ["b"]), pods, to: node, failing: 0)
            #expect(report.endpoints.map { $0.failure != nil } == [true])
            let others = pods.merging([Self.key("c"): second]) { first, _ in first }
            let next = try Self.apply(try Self.image(of: ["b", "c"]), others, to: node, failing: 0)
            #expect(next.endpoints.map(\.key) == others.keys.sorted())
            #expect(next.endpoints.map { $0.failure != nil } == [true, false])
            #expect(!next.endpoints.map(\.slot).contains(former), "b's packets would be judged as c's")
            // When it has moved, the slot is free again.
            #expect(
                try node.apply(try Self.image(of: ["b", "c"]), links: others).endpoints.allSatisfy { $0.failure == nil }
            )
            let last = [Self.key("b"): first, Self.key("d"): second]
            #expect(try node.apply(try Self.image(of: ["b", "d"]), links: last).endpoints.map(\.slot).contains(former))
        }
    }

    @Test(
        "a pod whose slot a hook of another pod still names is closed until that hook has moved",
        arguments: [AttachmentStyle.tcx, .clsact])
    func podOfUnmovedHook(style: AttachmentStyle) throws {
        try Self.withInterfaces(style) { node, first, second in
            func isReady() throws -> Bool {
                let slot = try #require(node.endpoints[Self.key("a")]).slot
                return try #require(try node.maps.endpoints.value(of: slot, initial: np_endpoint())).isReady
            }
            let before = [Self.key("a"): first, Self.key("x"): second]
            _ = try node.apply(try Self.image(of: ["a", "x"]), links: before)
            #expect(try isReady())
            // a goes on at x's interface, its own becomes b's; the third hook to move is b's (a filter takes two calls).
            let after = [Self.key("a"): second, Self.key("b"): first]
            let image = try Self.image(of: ["a", "b"])
            let report = try Self.apply(image, after, to: node, failing: style == .tcx ? 2 : 4)
            #expect(report.endpoints.map(\.key.name) == ["a", "b"])
            #expect(report.endpoints.allSatisfy { $0.failure != nil })
            #expect(try !isReady(), "what comes from b would be a's")
            #expect(report.endpoints[0].failure?.contains("interface \(first[0])") == true)
            // It stays so while the hook does not move.
            let again = try Self.apply(image, after, to: node, failing: 0)
            #expect(again.endpoints.allSatisfy { $0.failure != nil })
            #expect(try !isReady())
            let last = try node.apply(image, links: after)
            #expect(last.endpoints.allSatisfy { $0.failure == nil } && last.hooksChanged == 1)
            #expect(try isReady())
            #expect(try node.apply(image, links: after).changedAnything == false)
        }
    }
}
