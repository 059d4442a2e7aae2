import BPFEmit
import CNetpoldABI
import Glibc
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

@Suite("addresses in event records", .needsRoot)
struct EventAddressTests {
    /// A packet and the reason it is dropped for.
    private struct Case {
        var name: String
        var packet: IPPacket
        var reason: np_reason
        var direction = Direction.egress
    }

    private static let tcp = Transport.tcp(40000, 80, flags: Transport.TCPFlags.syn)

    private static func packet(_ v6: Bool, from source: UInt32 = 1, to destination: UInt32 = 3) -> IPPacket {
        IPPacket(
            PacketWorld.address(source, ipv6: v6), PacketWorld.address(destination, ipv6: v6), .tcp, tcp)
    }

    private static let ofBothFamilies: [Case] = [false, true].flatMap { v6 in
        let whole = packet(v6)
        return [
            Case(name: "spoofed", packet: packet(v6, from: 9), reason: NP_DROP_SPOOFED_SOURCE),
            Case(
                name: "of another pod, from elsewhere", packet: packet(v6, from: 2, to: 1),
                reason: NP_DROP_FOREIGN_SOURCE, direction: .ingress),
            Case(
                name: "longer than the frame", packet: whole.with { $0.claimedLength = 500 }, reason: NP_DROP_TRUNCATED),
            Case(
                name: "without a whole transport header", packet: whole.with { $0.payload = [1, 2, 3] },
                reason: NP_DROP_TRUNCATED),
            Case(
                name: "a TCP header of no words", packet: whole.with { $0.payload[12] = 0 },
                reason: NP_DROP_BAD_HEADER),
            Case(
                name: "a later fragment of nothing",
                packet: whole.with { $0.fragment = .init(7, offset: 64, more: false) }, reason: NP_DROP_FRAGMENT_UNKNOWN
            ),
            Case(
                name: "a tiny first fragment",
                packet: whole.with {
                    $0.payload = [1, 2, 3]
                    $0.fragment = .init(8, offset: 0, more: true)
                }, reason: NP_DROP_FRAGMENT_TINY),
        ]
    }

    private static let ofOneFamily: [Case] = [
        Case(
            name: "loose source route",
            packet: packet(false).with { $0.options = [131, 7, 4, 10, 0, 0, 3, 0] }, reason: NP_DROP_SOURCE_ROUTE),
        Case(
            name: "strict source route",
            packet: packet(false).with { $0.options = [137, 7, 4, 10, 0, 0, 3, 0] }, reason: NP_DROP_SOURCE_ROUTE),
        Case(
            name: "an option longer than the options", packet: packet(false).with { $0.options = [7, 99, 0, 0] },
            reason: NP_DROP_BAD_HEADER),
        Case(
            name: "shorter than its own header", packet: packet(false).with { $0.claimedLength = 19 },
            reason: NP_DROP_BAD_HEADER),
        Case(
            name: "an IPv4 header of four words", packet: packet(false).with { $0.claimedHeaderWords = 4 },
            reason: NP_DROP_BAD_HEADER),
        Case(
            name: "a routing header with segments left",
            packet: packet(true).with { $0.extensions = [(43, [0, 4, 1, 0, 0, 0, 0])] }, reason: NP_DROP_SOURCE_ROUTE),
        Case(
            name: "too many extension headers",
            packet: packet(true).with {
                $0.extensions = Array(
                    repeating: (60, [0, 1, 4, 0, 0, 0, 0]), count: Int(NP_MAX_EXTENSION_HEADERS) + 1)
            }, reason: NP_DROP_EXTENSION_HEADERS),
    ]

    @Test("a drop tells the addresses of the packet's header, whatever is wrong with the rest of it")
    func addresses() throws {
        try PacketHarness.with { harness throws in
            let events = try harness.map("np_events")
            let ring = try RingBuffer(map: events.fd, name: events.name)
            try harness.map("np_control").set(UInt32(0), np_control(listeners: 1, wakeup_bytes: 1 << 20))
            try ring.take(limit: 1 << 20) { _ in }
            for row in Self.ofBothFamilies + Self.ofOneFamily {
                // An endpoint has few records a jiffy.
                usleep(12_000)
                let name = "\(row.name), \(row.packet.source.isIPv4 ? "IPv4" : "IPv6")"
                #expect(
                    try harness.send(
                        row.packet, row.direction, by: row.direction == .ingress ? PacketWorld.uplink : nil)
                        == row.reason, "\(name)")
                var records: [VerdictRecord?] = []
                try ring.take(limit: 100) { records.append(VerdictRecord($0)) }
                #expect(records.map { $0?.source } == [row.packet.source], "\(name)")
                #expect(records.map { $0?.destination } == [row.packet.destination], "\(name)")
            }
            withExtendedLifetime(events) {}
        }
    }
}
