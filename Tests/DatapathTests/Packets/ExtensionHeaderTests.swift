import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

@Suite("IPv6 extension headers", .needsRoot)
struct ExtensionHeaderTests {
    typealias Extension = (type: UInt8, rest: [UInt8])

    static let hopByHop: Extension = (0, [0, 1, 4, 0, 0, 0, 0])
    static let destination: Extension = (60, [1] + [UInt8](repeating: 0, count: 14))
    static let routing: Extension = (43, [0, 4, 0, 0, 0, 0, 0])
    static let authentication: Extension = (51, [4] + [UInt8](repeating: 0, count: 22))

    static func packet(_ extensions: [Extension], port: UInt16 = 80) -> IPPacket {
        SamplePacket.tcp.packet(v6: true).with {
            $0.extensions = extensions
            $0.payload = Transport.tcp(40000, port, flags: Transport.TCPFlags.syn)
        }
    }

    static func isolate(_ harness: PacketHarness) throws {
        try harness.set(.only(.init(protocol: .tcp, ports: PortRange(80))), .egress)
        try harness.set(.closed, .ingress)
    }

    @Test("the port behind a chain decides, up to the limit of headers")
    func chains() throws {
        let chains: [[Extension]] =
            [
                [Self.hopByHop], [Self.destination], [Self.routing], [Self.authentication],
                [Self.hopByHop, Self.destination, Self.routing, Self.authentication, Self.destination],
            ] + (1...Int(NP_MAX_EXTENSION_HEADERS)).map { [Extension](repeating: Self.destination, count: $0) }
        for chain in chains {
            try PacketHarness.with { harness throws in
                try Self.isolate(harness)
                let types = chain.map(\.type)
                #expect(try harness.send(Self.packet(chain, port: 81), .egress) == NP_DROP_POLICY_DEFAULT, "\(types)")
                #expect(try harness.send(Self.packet(chain), .egress) == NP_REASON_ALLOWED, "\(types)")
                let answer = Self.packet(chain).with {
                    ($0.source, $0.destination) = ($0.destination, $0.source)
                    $0.payload = Transport.tcp(80, 40000, flags: Transport.TCPFlags.ack)
                }
                #expect(try harness.send(answer, .ingress) == NP_REASON_REPLY, "\(types)")
            }
        }
    }

    @Test("too many headers, or headers out of place, are dropped")
    func refused() throws {
        let live: Extension = (43, [0, 4, 1, 0, 0, 0, 0])
        let fragment: Extension = (44, [0, 0, 0, 0, 0, 0, 9])
        let cases: [([Extension], np_reason)] = [
            (
                [Extension](repeating: Self.destination, count: Int(NP_MAX_EXTENSION_HEADERS) + 1),
                NP_DROP_EXTENSION_HEADERS
            ),
            ([Extension](repeating: Self.destination, count: 40), NP_DROP_EXTENSION_HEADERS),
            ([Self.destination, Self.hopByHop], NP_DROP_EXTENSION_HEADERS),
            ([Self.hopByHop, Self.hopByHop], NP_DROP_EXTENSION_HEADERS),
            ([fragment, fragment], NP_DROP_EXTENSION_HEADERS),
            ([live], NP_DROP_SOURCE_ROUTE),
            ([Self.hopByHop, Self.destination, live], NP_DROP_SOURCE_ROUTE),
        ]
        try PacketHarness.with { harness throws in
            for (chain, reason) in cases {
                #expect(try harness.send(Self.packet(chain), .egress) == reason, "\(chain.map(\.type))")
            }
        }
    }

    @Test("a chain cut anywhere is truncated, also when padding follows")
    func cut() throws {
        try PacketHarness.with { harness throws in
            let whole = Self.packet([Self.hopByHop, Self.destination, Self.routing, Self.authentication])
            let frame = whole.frame
            for length in Frame.shortest(ofType: frame)..<frame.count {
                #expect(try harness.send(Array(frame.prefix(length)), .egress) == NP_DROP_TRUNCATED, "\(length) bytes")
            }
            for length in 0..<frame.count - Frame.headerBytes - 40 {
                let padded = whole.with { $0.claimedLength = UInt16(length) }
                #expect(try harness.send(padded, .egress) == NP_DROP_TRUNCATED, "payload length \(length)")
            }
        }
    }

    @Test(
        "a header that is nobody's is a protocol, which only rules for every protocol match",
        arguments: [50, 59, 135, 253])
    func unknown(number: UInt8) throws {
        try PacketHarness.with { harness throws in
            let packet = Self.packet([Self.hopByHop]).with { $0.protocol = number }
            try Self.isolate(harness)
            #expect(try harness.send(packet, .egress) == NP_DROP_POLICY_DEFAULT)
            try harness.set(.only(.init()), .egress)
            #expect(try harness.send(packet, .egress) == NP_REASON_ALLOWED)
        }
    }

    @Test(
        "protocols without ports are matched by rules for every protocol only",
        arguments: [2, 4, 41, 47, 50, 51, 89, 253])
    func ipv4Protocols(number: UInt8) throws {
        try PacketHarness.with { harness throws in
            let packet = SamplePacket.tcp.packet(v6: false).with { $0.protocol = number }
            try Self.isolate(harness)
            #expect(try harness.send(packet, .egress) == NP_DROP_POLICY_DEFAULT)
            try harness.set(.only(.init()), .egress)
            #expect(try harness.send(packet, .egress) == NP_REASON_ALLOWED)
        }
    }

    @Test("an atomic fragment is a whole packet")
    func atomic() throws {
        try PacketHarness.with { harness throws in
            try Self.isolate(harness)
            let packet = Self.packet([]).with { $0.fragment = .init(77, offset: 0, more: false) }
            #expect(try harness.send(packet, .egress) == NP_REASON_ALLOWED)
            let later = packet.with { $0.fragment = .init(77, offset: 64, more: false) }
            #expect(try harness.send(later, .egress) == NP_DROP_FRAGMENT_UNKNOWN)
        }
    }
}
