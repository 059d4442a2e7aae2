import BPFEmit
import NetTypes
import Testing

@testable import Datapath

@Suite("routes that say behind which interface an address is")
struct HostRouteTests {
    private static let ipv4: UInt8 = 2
    private static let ipv6: UInt8 = 10

    /// The payload of an `RTM_NEWROUTE`.
    private static func message(
        family: UInt8 = ipv4, length: UInt8 = 32, table: UInt8 = 254, protocol: UInt8 = 3, type: UInt8 = 1,
        flags: [UInt8] = [0, 0, 0, 0], _ attributes: [(UInt16, [UInt8])]
    ) -> [UInt8] {
        var bytes: [UInt8] = [family, length, 0, 0, table, `protocol`, 253, type] + flags
        for (type, payload) in attributes {
            let length = UInt16(4 + payload.count)
            bytes += [
                UInt8(truncatingIfNeeded: length), UInt8(length >> 8), UInt8(truncatingIfNeeded: type),
                UInt8(type >> 8),
            ]
            bytes += payload
            while bytes.count % 4 != 0 { bytes.append(0) }
        }
        return bytes
    }

    private static let destination: (UInt16, [UInt8]) = (1, [10, 0, 0, 7])
    private static let interface: (UInt16, [UInt8]) = (4, [9, 1, 0, 0])
    private static let route = HostRoute(address: IPAddress(ipv4: 0x0a00_0007), ifindex: 265)

    @Test("routes to one address out of an interface are found, of both families, in any table but the local one")
    func found() throws {
        #expect(HostRoute(message: Self.message([Self.destination, Self.interface])) == Self.route)
        #expect(
            HostRoute(message: Self.message(table: 252, [(15, [0, 1, 0, 0]), Self.destination, Self.interface]))
                == Self.route)
        let address = IPAddress(high: 0xfd00 << 48, low: 7)
        let ipv6 = Self.message(family: Self.ipv6, length: 128, [(1, address.bytes), Self.interface])
        #expect(HostRoute(message: ipv6) == HostRoute(address: address, ifindex: 265))
        // The flag for nested or network-order payloads is no part of the type.
        #expect(HostRoute(message: Self.message([(0x4001, [10, 0, 0, 7]), Self.interface])) == Self.route)
    }

    @Test("routes that somebody else may have made, or that lead elsewhere, are none")
    func refused() {
        let both = [Self.destination, Self.interface]
        let others: [[UInt8]] = [
            Self.message(length: 24, both), Self.message(length: 33, both),
            Self.message(family: Self.ipv6, length: 128, both),
            Self.message(type: 2, both), Self.message(type: 7, both), Self.message(table: 255, both),
            Self.message(table: 0, both + [(15, [255, 0, 0, 0])]),
            Self.message(protocol: 1, both), Self.message(protocol: 9, both), Self.message(flags: [0, 2, 0, 0], both),
            Self.message(both + [(5, [10, 0, 0, 1])]), Self.message(both + [(18, [2, 0, 10, 0, 0, 1])]),
            Self.message(both + [(9, [8, 0, 0, 0, 1, 0, 0, 0])]), Self.message(both + [(22, [0, 0, 0, 0])]),
            Self.message([Self.destination]), Self.message([Self.interface]), Self.message([]),
            Self.message([Self.destination, (4, [0, 0, 0, 0])]), Self.message([Self.destination, (4, [1])]),
            Self.message([(1, [10, 0, 0]), Self.interface]),
        ]
        for (number, bytes) in others.enumerated() { #expect(HostRoute(message: bytes) == nil, "\(number)") }
    }

    @Test("of the local table's routes those count by which the host takes addresses, of any length")
    func local() throws {
        func local(_ length: UInt8, table: UInt8 = 255, type: UInt8 = 2, _ attributes: [(UInt16, [UInt8])])
            -> LocalRoute?
        {
            LocalRoute(message: Self.message(length: length, table: table, type: type, attributes))
        }
        let both = [Self.destination, Self.interface]
        let single = try #require(local(32, both))
        #expect("\(single.prefix)" == "10.0.0.7/32" && single.isSingle && !single.isLoopback)
        #expect(local(32, table: 0, [(15, [255, 0, 0, 0])] + both) == single)
        #expect(local(24, both).map { "\($0.prefix)" } == "10.0.0.0/24")
        #expect(local(0, []).map { "\($0.prefix)" } == "0.0.0.0/0")
        #expect(local(8, [(1, [127, 0, 0, 0])])?.isLoopback == true)
        #expect(local(32, [(1, [127, 0, 0, 1])])?.isLoopback == true)
        let ipv6 = LocalRoute(
            message: Self.message(
                family: Self.ipv6, length: 128, table: 255, type: 2, [(1, IPAddress(high: 0xfd00 << 48, low: 7).bytes)])
        )
        #expect(ipv6.map { "\($0.prefix)" } == "fd00::7/128" && ipv6?.isSingle == true)
        // Broadcast, anycast, unicast; another table (a proxy's); cut off.
        for type: UInt8 in [1, 3, 4] { #expect(local(32, type: type, both) == nil) }
        #expect(local(32, table: 100, both) == nil && local(33, both) == nil && local(32, [(1, [10, 0, 0])]) == nil)
        #expect(LocalRoute(message: Self.message(flags: [0, 2, 0, 0], both)) == nil)
    }

    @Test("a monitor does not look again for routes that are not local")
    func counted() {
        func message(_ type: UInt8, _ payload: [UInt8]) -> [UInt8] {
            [UInt8(16 + payload.count), 0, 0, 0, type, 0, 0, 0] + [UInt8](repeating: 0, count: 8) + payload
        }
        let both = [Self.destination, Self.interface]
        let unicast = Self.message(both)
        let local = Self.message(table: 255, type: 2, both)
        for type: UInt8 in [24, 25] {
            #expect(!LinkMonitor.counts(message(type, unicast)[...]))
            #expect(LinkMonitor.counts(message(type, local)[...]))
            #expect(LinkMonitor.counts((message(type, unicast) + message(type, local))[...]))
        }
        // A link, an address, and what cannot be read.
        for type: UInt8 in [16, 17, 20, 21] { #expect(LinkMonitor.counts(message(type, unicast)[...])) }
        #expect(LinkMonitor.counts(message(24, unicast).dropLast(4)))
        #expect(!LinkMonitor.counts([]))
    }

    @Test("cut off after any byte, a message is the whole route or none")
    func truncated() {
        let whole = Self.message([Self.destination, (6, [1, 0, 0, 0]), Self.interface])
        for length in 0..<whole.count { #expect(HostRoute(message: whole.prefix(length)) == nil, "\(length)") }
        // A length that lies does not lead out of the message.
        var lying = whole
        lying[12] = 0xff
        #expect(HostRoute(message: lying) == nil)
        lying[12] = 0
        #expect(HostRoute(message: lying) == nil)
    }
}
