import BPFEmit
import CNetpoldABI
import Foundation
import NetTypes
import NetpoldTestSupport
import Synchronization
import Testing

@testable import Datapath

@Suite("np_ipv4_identities", .needsRoot)
struct IPv4IdentitiesTests {
    /// Addresses of one bucket, more than it has room for, and one of another.
    private static let crowd: [IPAddress] = {
        let wanted = np_ipv4_bucket_of(UInt32(0x0a00_0001).bigEndian)
        let alike = (0..<UInt32(1 << 22)).lazy.map { 0x0a00_0001 + $0 }
            .filter { np_ipv4_bucket_of($0.bigEndian) == wanted }.prefix(10)
        return alike.map { IPAddress(ipv4: $0) }
    }()

    @Test("an address that leaves for np_addresses and comes back is nobody's at no moment")
    func moving() throws {
        let node = try NodeDatapath.forTests()
        let ingress = try NodeImages.policy(
            .ingress, [NodeImages.bit(0, port: 80)], peers: [NodeImages.clientID: 1])
        _ = try node.apply(try NodeImages.node(subjects: [NodeImages.subject(ingress: ingress)]), links: [:])
        let stub = try #require(node.endpoints[NodeImages.webKey]).ingressStub
        let value = try #require(node.addresses[NodeImages.client])
        var packet = FlowPacket(
            source: NodeImages.client, destination: NodeImages.web, protocol: .tcp, sourcePort: 4000,
            destinationPort: 80)
        packet.tcpFlags = Transport.TCPFlags.ack
        var run = TestRun(frame: packet.frame)
        run.repetitions = 300_000
        let before = try node.packetsByReason()
        let isOver = Atomic(false)
        let moves = Atomic(0)
        // The map is the node's; only this thread changes it meanwhile.
        nonisolated(unsafe) let table = node.ipv4
        let mover = Thread {
            try? table.write([NodeImages.client]) {
                while !isOver.load(ordering: .relaxed) {
                    table.leave(NodeImages.client)
                    table.set(NodeImages.client, value)
                    moves.add(1, ordering: .relaxed)
                }
            }
        }
        mover.start()
        for _ in 0..<10 { _ = try run.run(stub) }
        isOver.store(true, ordering: .relaxed)
        let after = try node.packetsByReason()
        #expect(moves.load(ordering: .relaxed) > 1_000)
        for (reason, count) in after where reason >= UInt8(NP_REASON_FIRST_DROP.rawValue) {
            #expect(count == before[reason], "reason \(reason)")
        }
    }

    @Test("whatever comes and goes, a program finds the value of np_addresses, or is sent there")
    func random() throws {
        let maps = try NodeDatapath.forTests().maps
        let table = try IPv4Identities(maps.ipv4Identities, holding: [:])
        var truth: [IPAddress: UInt32] = [:]
        var random = SplitMix64(seed: 5)
        var asked = 0
        #expect(Self.crowd.count == 10)
        try table.write(Self.crowd) {
            for _ in 0..<20_000 {
                let address = random.pick(Self.crowd)
                if random.once(in: 3) {
                    table.leave(address)
                    truth[address] = nil
                    table.remove(address)
                } else {
                    let value = UInt32(random.pick([0, 1, 256, 0x1000_0100]))
                    truth[address] = value
                    table.set(address, value)
                }
                for one in Self.crowd {
                    guard let found = table.value(of: one) else {
                        asked += 1
                        continue
                    }
                    #expect(found == truth[one, default: 0], "\(one)")
                }
            }
        }
        // Ten addresses do not fit into seven places; few enough do.
        #expect(asked > 1_000 && asked < 190_000, "\(asked)")
        // A process that begins with what this one has left.
        let next = try IPv4Identities(maps.ipv4Identities, holding: [Self.crowd[0]: 7, Self.crowd[1]: 0])
        try next.write(Self.crowd) {
            for one in Self.crowd.dropFirst(2) { #expect([0, nil].contains(next.value(of: one))) }
            #expect(next.value(of: Self.crowd[0]) == 7)
            #expect(next.value(of: Self.crowd[1]) == nil)
        }
    }
}
