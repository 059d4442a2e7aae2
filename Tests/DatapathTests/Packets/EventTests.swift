import CNetpoldABI
import Glibc
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

@Suite("event records", .needsRoot)
struct EventTests {
    private let packet = SamplePacket.tcp.packet(v6: false)

    private func suppressed(_ reason: np_reason, _ harness: PacketHarness) throws -> UInt64 {
        try harness.map("np_event_budget").perCPUValues(of: reason.rawValue, value: np_event_budget())
            .reduce(0) { $0 + $1.suppressed }
    }

    private func written(_ reason: np_reason, _ harness: PacketHarness) throws -> UInt64 {
        try harness.map("np_event_budget").perCPUValues(of: reason.rawValue, value: np_event_budget())
            .reduce(0) { $0 + UInt64($1.written) }
    }

    @Test("nobody listens: nothing is written, nothing is suppressed")
    func silent() throws {
        try PacketHarness.with { harness throws in
            let before = try (written(NP_DROP_SPOOFED_SOURCE, harness), suppressed(NP_DROP_SPOOFED_SOURCE, harness))
            let spoofed = packet.with { $0.source = PacketWorld.ipv4(9) }
            for _ in 0..<10 { #expect(try harness.send(spoofed, .egress) == NP_DROP_SPOOFED_SOURCE) }
            #expect(
                try (written(NP_DROP_SPOOFED_SOURCE, harness), suppressed(NP_DROP_SPOOFED_SOURCE, harness)) == before)
        }
    }

    @Test("above the rate of its reason a record is left out and counted; the packet counters lose nothing")
    func rate() throws {
        try PacketHarness.with { harness throws in
            try harness.map("np_control").set(UInt32(0), np_control(listeners: 1, wakeup_bytes: 1 << 20))
            let spoofed = packet.with { $0.source = PacketWorld.ipv4(9) }
            let before = try harness.count(of: NP_DROP_SPOOFED_SOURCE)
            let packets = 1_000_000
            _ = try harness.run(spoofed.frame, .egress, of: .a, repetitions: packets)
            #expect(try harness.count(of: NP_DROP_SPOOFED_SOURCE) - before == UInt64(packets))
            #expect(try suppressed(NP_DROP_SPOOFED_SOURCE, harness) > UInt64(packets / 2))
        }
    }

    private func suppressedDrops(_ slot: UInt32, _ harness: PacketHarness) throws -> UInt64 {
        try harness.map("np_drop_budget").perCPUValues(of: slot, value: np_event_budget())
            .reduce(0) { $0 + $1.suppressed }
    }

    @Test("a noisy endpoint's drops take no other endpoint's records away")
    func noisyNeighbour() throws {
        try PacketHarness.with { harness throws in
            try harness.map("np_control").set(UInt32(0), np_control(listeners: 1, wakeup_bytes: 1 << 20))
            let spoofed = packet.with { $0.source = PacketWorld.ipv4(9) }
            let noisy = try suppressedDrops(PacketHarness.Pod.a.rawValue, harness)
            let quiet = try suppressedDrops(PacketHarness.Pod.b.rawValue, harness)
            _ = try harness.run(spoofed.frame, .egress, of: .a, repetitions: 200_000)
            #expect(try suppressedDrops(PacketHarness.Pod.a.rawValue, harness) > noisy)
            for _ in 0..<5 { _ = try harness.run(spoofed.frame, .egress, of: .b, repetitions: 1) }
            #expect(try suppressedDrops(PacketHarness.Pod.b.rawValue, harness) == quiet)
        }
    }

    @Test("whoever floods one endpoint takes no record away from another one whose packets are dropped there")
    func noisyRemote() throws {
        try PacketHarness.with { harness throws in
            try harness.map("np_control").set(UInt32(0), np_control(listeners: 1, wakeup_bytes: 1 << 20))
            let noisy = packet.with { $0.source = PacketWorld.ipv4(9) }
            let slot = PacketHarness.Pod.a.rawValue
            for number in 0..<20 {
                // Its own one a jiffy: no round is in the jiffy of the one before.
                usleep(12_000)
                // In the same jiffy as the flood before it, or in a fresh one: it gets its record.
                _ = try harness.run(noisy.frame, .egress, of: .a, repetitions: 5000)
                let before = try suppressedDrops(slot, harness)
                let quiet = noisy.with { $0.destination = PacketWorld.ipv4(200) }
                _ = try harness.run(quiet.frame, .egress, of: .a, repetitions: 1)
                #expect(try suppressedDrops(slot, harness) == before, "round \(number)")
            }
        }
    }

    /// How many records of passed packets something makes.
    private func records(_ harness: PacketHarness, of body: () throws -> Void) throws -> Int {
        let reasons = [NP_REASON_ALLOWED, NP_REASON_ESTABLISHED, NP_REASON_REPLY, NP_REASON_REVALIDATED]
        let none = [np_event_budget](repeating: np_event_budget(), count: try Libbpf.possibleCPUs())
        // A budget begins anew with a jiffy: so it is emptied before each packet and read after it.
        for reason in reasons { try harness.map("np_event_budget").setPerCPU(reason.rawValue, none) }
        try body()
        return Int(try reasons.reduce(0) { try $0 + written($1, harness) + suppressed($1, harness) })
    }

    @Test("a flow is reported once, whether an entry remembers it or not", arguments: [false, true])
    func onceAFlow(isStateful: Bool) throws {
        try PacketHarness.with { harness throws in
            if isStateful {
                for direction in Direction.allCases { try harness.set(.everything, direction) }
            }
            try harness.map("np_control").set(UInt32(0), np_control(listeners: 1, wakeup_bytes: 1 << 20))
            typealias Flags = Transport.TCPFlags
            let port = UInt16.random(in: 1024...60000)
            func udp(_ port: UInt16) -> IPPacket {
                IPPacket(PacketWorld.ipv4(1), PacketWorld.ipv4(3), .udp, Transport.udp(port, 53))
            }
            func news(_ packet: IPPacket) throws -> Int {
                try records(harness) { _ = try harness.send(packet, .egress) }
            }
            #expect(try news(FlowTests.tcp(1, 40000, 2, 80, Flags.syn, v6: false)) == 1)
            for _ in 0..<3 { #expect(try news(FlowTests.tcp(1, 40000, 2, 80, Flags.ack, v6: false)) == 0) }
            #expect(try news(udp(port)) == 1)
            for _ in 0..<3 { #expect(try news(udp(port)) == 0) }
            #expect(try news(udp(port + 1)) == 1)
        }
    }

    @Test("when only drops are listened to, what passes costs no record and is not counted as left out")
    func dropsOnly() throws {
        try PacketHarness.with { harness throws in
            try harness.map("np_control").set(
                UInt32(0), np_control(listeners: NP_LISTEN_DROPS.rawValue, wakeup_bytes: 1 << 20))
            let before = try (written(NP_REASON_ALLOWED, harness), suppressed(NP_REASON_ALLOWED, harness))
            #expect(try harness.send(packet, .egress) == NP_REASON_ALLOWED)
            #expect(try (written(NP_REASON_ALLOWED, harness), suppressed(NP_REASON_ALLOWED, harness)) == before)
        }
    }
}
