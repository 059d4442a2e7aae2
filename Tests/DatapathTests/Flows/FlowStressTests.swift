import BPFEmit
import CNetpoldABI
import Foundation
import NetTypes
import NetpoldTestSupport
import Synchronization
import Testing

@testable import Datapath

/// Many threads on one region: nobody sees half of a flow, and nothing is lost that nobody forgot.
@Suite("the flow table under load", .needsRoot, .serialized)
struct FlowStressTests {
    private static let time = Duration.seconds(2)
    private static let answered: UInt16 = 24
    private static let others: UInt16 = 400

    /// What went wrong.
    private struct Faults: Hashable {
        var torn = 0
        var lost = 0
        var finds = 0
        var inserts = 0
        var removals = 0
    }

    /// A record every word of which follows from its port.
    private static func record(_ port: UInt16, _ thread: UInt16, answered: Bool) -> np_flow_record {
        var record = np_flow_record.test(port, answered: answered, lastSeen: UInt32(port) &* 7)
        record.remote_port = thread.bigEndian
        record.revision = UInt32(port) << 16 | UInt32(thread)
        record.arrival = ~record.revision
        record.other = np_address(IPAddress(high: UInt64(record.revision), low: UInt64(record.arrival)))
        return record
    }

    private static func isWhole(_ record: np_flow_record) -> Bool {
        let port = UInt16(bigEndian: record.own_port)
        let own = Self.record(port, UInt16(bigEndian: record.remote_port), answered: record.isAnswered)
        return record.revision == own.revision && record.arrival == own.arrival && record.last_seen == own.last_seen
            && record.other.word == own.other.word && record.remote.word == own.remote.word
    }

    @Test("threads insert, find, forget and collect at the same time: none torn, none lost")
    func threads() throws {
        let fixture = try FlowTableFixture(sets: 64)
        let table = fixture.table
        let region = fixture.region
        let total = Mutex(Faults())
        let end = ContinuousClock.now + Self.time
        DispatchQueue.concurrentPerform(iterations: 4) { number in
            var random = SplitMix64(seed: UInt64(number))
            var faults = Faults()
            let thread = UInt16(number)
            for port in 0..<Self.answered {
                if table.insert(Self.record(port, thread, answered: true), endpoint: 1, in: region) != .inserted {
                    faults.lost += 1
                }
            }
            while ContinuousClock.now < end {
                for _ in 0..<50 {
                    // An answered one of its own is always there.
                    let own = Self.record(UInt16(random.below(Int(Self.answered))), thread, answered: true)
                    faults.finds += 1
                    if let entry = table.find(own, endpoint: 1, in: region) {
                        if !Self.isWhole(entry.record) { faults.torn += 1 }
                    } else {
                        faults.lost += 1
                    }
                    let port = Self.answered + UInt16(random.below(Int(Self.others)))
                    let other = Self.record(port, UInt16(random.below(4)), answered: false)
                    if random.once(in: 2) {
                        if table.insert(other, endpoint: 1, in: region) == .inserted { faults.inserts += 1 }
                    } else if let entry = table.find(other, endpoint: 1, in: region) {
                        if !Self.isWhole(entry.record) { faults.torn += 1 }
                        if table.remove(entry) { faults.removals += 1 }
                    }
                }
                // The walk of the collector, over a part.
                for entry in table.entries(in: 0..<8) where !Self.isWhole(entry.record) { faults.torn += 1 }
            }
            total.withLock {
                $0.torn += faults.torn
                $0.lost += faults.lost
                $0.finds += faults.finds
                $0.inserts += faults.inserts
                $0.removals += faults.removals
            }
        }
        let faults = total.withLock(\.self)
        #expect(faults.torn == 0 && faults.lost == 0, "\(faults)")
        #expect(faults.inserts > 1000 && faults.removals > 500, "\(faults)")
        for thread in 0..<4 as Range<UInt16> {
            for port in 0..<Self.answered {
                #expect(table.find(Self.record(port, thread, answered: true), endpoint: 1, in: region) != nil)
            }
        }
        #expect(table.busySlots(in: region).isEmpty)
    }

    // MARK: with packets

    /// Web isolated both ways; clients may reach its port 80.
    private static func image(withSecondPod: Bool = false) throws -> NodeImage {
        let ingress = try NodeImages.policy(.ingress, [NodeImages.bit(0, port: 80)], peers: [NodeImages.clientID: 1])
        return try NodeImages.node(
            subjects: [NodeImages.subject(ingress: ingress, egress: NodeImages.policy(.egress, [], peers: [:]))],
            endpoints: [NodeImages.endpoint("web", NodeImages.web)]
                + (withSecondPod ? [NodeImages.endpoint("late", NodeImages.stranger)] : []))
    }

    /// A packet from the client's port, or web's answer to it.
    private static func frame(_ port: UInt16, flags: UInt8, isAnswer: Bool = false) -> [UInt8] {
        var packet = FlowPacket(
            source: isAnswer ? NodeImages.web : NodeImages.client,
            destination: isAnswer ? NodeImages.client : NodeImages.web, protocol: .tcp,
            sourcePort: isAnswer ? 80 : port, destinationPort: isAnswer ? port : 80)
        packet.tcpFlags = flags
        return packet.frame
    }

    /// Whether a program let a packet pass.
    private static func passes(_ frame: [UInt8], _ program: BPFProgram) throws -> Bool {
        try TestRun(frame: frame).run(program).returned != Int32(NP_ACTION_SHOT.rawValue)
    }

    private struct Programs: @unchecked Sendable {
        // Sendable: only their descriptors are used, by system calls.
        let ingress: BPFProgram
        let egress: BPFProgram
    }

    @Test(
        "while a region grows, again and again, packets go on inserting and every answer of a known flow passes; a flood costs none of them"
    )
    func growth() throws {
        let node = try NodeDatapath(DatapathOptions(pins: nil, attachment: .none, flowSets: 4096))
        _ = try node.apply(try Self.image(), links: [:])
        let endpoint = try #require(node.endpoints[NodeImages.webKey])
        let programs = Programs(ingress: endpoint.ingressStub, egress: endpoint.egressStub)
        let slot = endpoint.slot
        let known = 1000..<1100 as Range<UInt16>
        for port in known {
            #expect(try Self.passes(Self.frame(port, flags: 0x02), programs.ingress))
            #expect(try Self.passes(Self.frame(port, flags: 0x12, isAnswer: true), programs.egress), "\(port)")
            #expect(try Self.passes(Self.frame(port, flags: 0x10), programs.ingress))
        }
        let reasons = try node.packetsByReason()
        let flows = try node.rememberedFlows()
        #expect(
            flows.count { $0.isAnswered } == known.count,
            "\(reasons) \(endpoint.value) \(flows.count) \(flows.prefix(1))")
        let isOver = Atomic(false)
        let lost = Atomic(0)
        let sent = Atomic(0)
        let done = DispatchGroup()
        for number in 0..<2 {
            DispatchQueue.global().async(group: done) {
                var random = SplitMix64(seed: UInt64(number))
                var flood: UInt16 = 20000
                while !isOver.load(ordering: .relaxed) {
                    let port = known.lowerBound + UInt16(random.below(known.count))
                    let answer = Self.frame(port, flags: 0x10, isAnswer: true)
                    if (try? Self.passes(answer, programs.egress)) != true { lost.add(1, ordering: .relaxed) }
                    sent.add(1, ordering: .relaxed)
                    // A flow that nobody answers.
                    flood = flood == .max ? 20000 : flood + 1
                    _ = try? Self.passes(Self.frame(flood, flags: 0x02), programs.ingress)
                }
            }
        }
        var sizes: [Int] = []
        var moves = 0
        let end = ContinuousClock.now + Self.time
        do {
            defer {
                isOver.store(true, ordering: .relaxed)
                done.wait()
            }
            while ContinuousClock.now < end {
                let region = try #require(node.regions.current[slot])
                if sizes.last != region.range.count { sizes.append(region.range.count) }
                // Grows at once, whatever the collector says; and when it cannot any more, everything begins anew in a small one.
                let use = FlowCollection.Use(region: region, used: region.room, answered: region.room)
                _ = try node.growRegions([slot: use])
                moves += 1
                if node.regions.current[slot] == region { break }
            }
            while ContinuousClock.now < end, sent.load(ordering: .relaxed) < 5000 { usleep(10_000) }
        }
        #expect(lost.load(ordering: .relaxed) == 0, "of \(sent.load(ordering: .relaxed))")
        #expect(sent.load(ordering: .relaxed) > 1000)
        #expect(sizes.count >= 3, "\(sizes)")
        #expect(node.regions.left.isEmpty)
        #expect(try #require(node.endpoints[NodeImages.webKey]).value.isMoving == false)
        #expect(Set(try node.rememberedFlows().filter(\.isAnswered).map(\.remote.port)).isSuperset(of: known))
        for port in known { #expect(try Self.passes(Self.frame(port, flags: 0x10, isAnswer: true), programs.egress)) }
        let share = try #require(try node.shares([:])[NodeImages.webKey])
        #expect(share.inserted > 100 && share.refused == 0, "\(share)")
    }

    @Test(
        "where the table is used up, an idle pod's region shrinks without losing a flow, and a pod that found none gets one"
    )
    func scarce() throws {
        let node = try NodeDatapath(DatapathOptions(pins: nil, attachment: .none, flowSets: 4096))
        _ = try node.apply(try Self.image(), links: [:])
        let endpoint = try #require(node.endpoints[NodeImages.webKey])
        let slot = endpoint.slot
        let known = 1000..<1020 as Range<UInt16>
        for port in known {
            #expect(try Self.passes(Self.frame(port, flags: 0x02), endpoint.ingressStub))
            #expect(try Self.passes(Self.frame(port, flags: 0x12, isAnswer: true), endpoint.egressStub))
            #expect(try Self.passes(Self.frame(port, flags: 0x10), endpoint.ingressStub))
        }
        func grow(_ slot: UInt32) throws {
            while let region = node.regions.current[slot], node.regions.canGrow(slot) {
                _ = try node.growRegions([slot: .init(region: region, used: region.room, answered: region.room)])
            }
        }
        try grow(slot)
        let large = try #require(node.regions.current[slot])
        // Somebody else has the rest, until the next apply says that there is nobody.
        var taken: UInt32 = 3000
        while node.regions.freeSets > 0 {
            _ = node.regions.region(of: taken, pods: 1)
            taken += 1
        }
        _ = try node.apply(try Self.image(withSecondPod: true), links: [:])
        let late = try #require(node.endpoints.first { $0.key != NodeImages.webKey })
        let lateSlot = late.value.slot
        #expect(late.value.value.region == 0)
        #expect(try node.shares([:])[late.key]?.isCrowded == true, "the condition names it")
        _ = try node.growRegions([:])
        #expect(node.endpoints[late.key]?.value.region != 0)
        try grow(lateSlot)
        #expect(node.regions.isScarce)
        let grown = try #require(node.regions.current[lateSlot])

        _ = try node.growRegions([
            slot: .init(region: large, used: known.count, answered: known.count),
            lateSlot: .init(region: grown, used: grown.room, answered: grown.room),
        ])
        #expect(try #require(node.regions.current[slot]).sets * 4 <= large.sets)
        #expect(try #require(node.regions.current[lateSlot]).sets > grown.sets)
        for port in known {
            #expect(try Self.passes(Self.frame(port, flags: 0x10, isAnswer: true), endpoint.egressStub))
        }
        #expect(Set(try node.rememberedFlows().filter(\.isAnswered).map(\.remote.port)).isSuperset(of: known))
    }
}
