import BPFEmit
import CNetpoldABI
import NetTypes
import Testing

@testable import Datapath

@Suite("the need for flow state of an endpoint", .needsRoot, .serialized)
struct StateNeedFlagTests {
    private static func image(isolating directions: Set<Direction>) throws -> NodeImage {
        func policy(_ direction: Direction) throws -> PolicyImage {
            guard directions.contains(direction) else { return try NodeImages.open(direction) }
            return try NodeImages.policy(direction, [NodeImages.bit(0, port: 80)], peers: [NodeImages.clientID: 1])
        }
        return try NodeImages.node(subjects: [
            NodeImages.subject(ingress: policy(.ingress), egress: policy(.egress))
        ])
    }

    /// The endpoint as the kernel has it.
    private static func endpoint(_ node: NodeDatapath) throws -> np_endpoint {
        let slot = try #require(node.endpoints[NodeImages.webKey]).slot
        return try #require(try node.maps.endpoints.value(of: slot, initial: np_endpoint()))
    }

    /// Whether the egress program refuses somebody: what the isolating one does, and the open one does not.
    private static func refusesEgress(_ node: NodeDatapath, source: UInt16) throws -> Bool {
        let stub = try #require(node.endpoints[NodeImages.webKey]).egressStub
        let packet = FlowPacket(
            source: NodeImages.web, destination: NodeImages.stranger, protocol: .tcp, sourcePort: source,
            destinationPort: 99)
        return try HookProbe(node: node).run(packet, stub) == NP_DROP_POLICY_DEFAULT
    }

    @Test(
        "np_endpoints has the need of the image, ingress in the lower bits, READY beside it, and which directions are open"
    )
    func flags() throws {
        let node = try NodeDatapath.forTests()
        let rows: [(Set<Direction>, UInt32)] = [
            ([], 0x3001), ([.ingress], 0x2401), ([.ingress, .egress], 0xa01), ([.egress], 0x1101), ([], 0x3001),
        ]
        for (directions, flags) in rows {
            _ = try node.apply(try Self.image(isolating: directions), links: [:])
            #expect(try Self.endpoint(node).flags == flags, "\(directions)")
            #expect(try node.apply(try Self.image(isolating: directions), links: [:]).changedAnything == false)
        }
    }

    @Test("it is the larger of old and new before any program is swapped, and the new one only with the new revision")
    func order() throws {
        let node = try NodeDatapath.forTests()
        let small = try Self.image(isolating: [.ingress])
        let large = try Self.image(isolating: [.ingress, .egress])
        let needsOfSmall = StateNeeds(ingress: .never, egress: .mirror)
        let needsOfLarge = StateNeeds(ingress: .always, egress: .always)
        var swapped = 0
        var kept = 0
        for operation in [.loadProgram, .writeMap, .waitForReaders] as [BPFOperation] {
            for call in 0..<40 {
                let source = UInt16(1000 + call)
                // Up: no packet meets the new program while the endpoint still has the small need.
                _ = try node.apply(small, links: [:])
                #expect(try Self.endpoint(node).stateNeeds == needsOfSmall)
                let up = InjectedFault(operation, call: call, errno: .noMemory)
                try Self.applying(up) { _ = try node.apply(large, links: [:]) }
                let between = try Self.endpoint(node).stateNeeds
                if try Self.refusesEgress(node, source: source) {
                    swapped += 1
                    #expect(between == needsOfLarge, "\(operation) \(call)")
                }
                try Self.expectOpenPrograms(node, "up, \(operation) \(call)")
                // Down: as long as flows are those of the old revision, their state is still used.
                _ = try node.apply(large, links: [:])
                let before = try Self.endpoint(node)
                #expect(before.stateNeeds == needsOfLarge)
                let down = InjectedFault(operation, call: call, errno: .noMemory)
                try Self.applying(down) { _ = try node.apply(small, links: [:]) }
                try Self.expectOpenPrograms(node, "down, \(operation) \(call)")
                let after = try Self.endpoint(node)
                if after.revision == before.revision {
                    kept += 1
                    #expect(after.stateNeeds == needsOfLarge, "\(operation) \(call)")
                }
                if !up.fired && !down.fired { break }
            }
        }
        #expect(swapped > 3 && kept > 1, "the faults do not reach the middle: \(swapped), \(kept)")
    }

    /// Where the endpoint says that a program need not be asked, the one in place allows everything.
    private static func expectOpenPrograms(_ node: NodeDatapath, _ moment: Comment) throws {
        let subject = try #require(node.subjects.values.first)
        for direction in try endpoint(node).openDirections.hits.keys {
            #expect(subject[direction].image.isOpen, "\(direction), \(moment)")
        }
    }

    /// Runs with a fault that may or may not fire; nothing else may fail.
    private static func applying(_ fault: InjectedFault, _ body: () throws -> Void) throws {
        try InjectedFault.$current.withValue(fault) {
            do { try body() } catch let error as BPFError where fault.fired && error.errno == .noMemory { return }
        }
    }
}
