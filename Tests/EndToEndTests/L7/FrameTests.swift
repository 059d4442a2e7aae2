import BPFEmit
import CNetpoldABI
import Foundation
import Glibc
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

/// Packets that are not what they look like where policy reads them: several datagrams in one, and ones that are written to on their way out.
@Suite(
    "frames that change behind policy",
    .enabled(if: L7World.canRun, "needs root, containernetworking-plugins, python3"), .serialized)
struct FrameTests {
    private static let policy = """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: names, namespace: edge}
        spec:
          endpointSelector: {matchLabels: {app: a}}
          egress:
          - toEntities: [all]
            toPorts: [{ports: [{port: "53", protocol: UDP}], rules: {dns: [{matchName: aa.example.com}]}}]
          - toEntities: [all]
            toPorts: [{ports: [{port: "7000", protocol: UDP}]}]
          - toEntities: [all]
            toPorts: [{ports: [{port: "443", protocol: TCP}], serverNames: [aa.example.com]}]
        """

    /// A query for a name of example.com, with an option of four bytes at its end that nobody reads.
    private static func query(_ label: String) -> [UInt8] {
        let name: [UInt8] = [label, "example", "com"].flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
        let head: [UInt8] = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]
        let options: [UInt8] = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 8, 0xff, 0xfe, 0, 4, 0, 0, 0, 0]
        return head + name + [0, 1, 0, 1] + options
    }

    private let world: FrameWorld

    init() throws {
        world = try FrameWorld()
        try world.edge.apply(Self.policy)
    }

    @Test(
        "two queries in one packet that is cut on its way: neither leaves, though one by itself would",
        arguments: [false, true])
    func together(v6: Bool) throws {
        let resolver = try world.sink(53)
        let allowed = Self.query("aa")
        let refused = Self.query("bb")
        func send(_ queries: [[UInt8]], together: Bool) throws {
            _ = try world.ask([
                "datagrams": queries.map(\.hex), "together": together, "to": world.outside(v6), "port": 53,
            ])
        }
        try send([allowed], together: false)
        #expect(try world.received(resolver) == [allowed])
        let before = try world.drops(NP_DROP_DNS_QUERY)
        for queries in [[allowed, refused], [allowed, allowed], [refused, allowed]] {
            try send(queries, together: true)
            #expect(try world.received(resolver) == [])
        }
        #expect(try world.drops(NP_DROP_DNS_QUERY) - before == 3)
        // The same two, one after the other: the refused one is answered.
        try send([allowed, refused], together: false)
        #expect(try world.received(resolver) == [allowed])
    }

    @Test(
        "a frame whose checksum is to be written over its port: it does not leave; over its checksum: it does",
        arguments: [false, true])
    func overThePort(v6: Bool) throws {
        let (open, closed) = (try world.sink(7000), try world.sink(7001))
        let payload = [UInt8]("hello, world".utf8)
        var frame: [String: Any] = [
            "from": world.pod(v6), "to": world.outside(v6), "from_port": 4000, "port": 7000, "payload": payload.hex,
        ]
        _ = try world.ask(["datagrams": [payload.hex], "to": world.outside(v6), "port": 7000])
        _ = try world.ask(frame)
        #expect(try world.received(open) == [payload, payload])
        let before = try world.drops(NP_DROP_CHECKSUM_PLACE)
        frame.merge(["wanted": 7001, "place": 2, "free": 10]) { $1 }
        _ = try world.ask(frame)
        #expect(try world.received(closed) == [])
        #expect(try world.received(open) == [])
        #expect(try world.drops(NP_DROP_CHECKSUM_PLACE) - before == 1)
    }

    @Test(
        "a socket's packet that the pod changes behind the socket, so that its checksum would be written over its port, does not leave"
    )
    func behindTheSocket() throws {
        let (open, closed) = (try world.sink(7000), try world.sink(7001))
        let payload = [UInt8](repeating: 0, count: 12)
        func send(_ port: UInt16) throws {
            _ = try world.ask(["datagrams": [payload.hex], "to": world.outside(false), "port": port])
        }
        try send(7000)
        #expect(try world.received(open) == [payload])
        // Four bytes of options, and behind them another UDP header, with the port where the socket's checksum will be.
        try world.edge.run(
            try world.edge.pod("a"), ["nft", "-f", "-"],
            input: """
                add table inet changes
                add chain inet changes out { type filter hook output priority 0; }
                add rule inet changes out udp dport 7000 @nh,0,8 set 0x46 @nh,160,32 set 0x01010101 @nh,192,32 set \
                0x0fa01b58 @nh,224,32 set 0x00100000
                """)
        let before = try world.drops(NP_DROP_CHECKSUM_PLACE)
        try send(7000)
        #expect(try world.received(closed) == [])
        #expect(try world.received(open) == [])
        #expect(try world.drops(NP_DROP_CHECKSUM_PLACE) - before == 1)
    }

    @Test(
        "a query whose checksum is to be written over its name: it does not leave; over its checksum: it does, whole",
        arguments: [false, true])
    func overTheName(v6: Bool) throws {
        let resolver = try world.sink(53)
        let query = Self.query("aa")
        var frame: [String: Any] = [
            "from": world.pod(v6), "to": world.outside(v6), "from_port": 4001, "port": 53, "payload": query.hex,
        ]
        _ = try world.ask(["datagrams": [query.hex], "to": world.outside(v6), "port": 53])
        _ = try world.ask(frame)
        #expect(try world.received(resolver) == [query, query])
        let before = try world.drops(NP_DROP_DNS_QUERY)
        // Behind the UDP header, the message's and the length of the label.
        frame.merge(["wanted": 0x6262, "place": 8 + 12 + 1, "free": query.count - 4]) { $1 }
        _ = try world.ask(frame)
        #expect(try world.received(resolver) == [])
        #expect(try world.drops(NP_DROP_DNS_QUERY) - before == 1)
    }

    @Test(
        "a ClientHello whose checksum is to be written over its name: it does not leave; over its checksum: it does, whole",
        arguments: [false, true])
    func overTheServerName(v6: Bool) throws {
        // The client's own socket knows nothing of a frame that went past it, so what it sends at its end is old to the server.
        let server = try world.script("rests", 443)
        let hello = HelloBytes.hello("aa.example.com")
        let place = try #require(hello.firstRange(of: Array("aa.example.com".utf8))?.lowerBound)
        var command: [String: Any] = [
            "to": world.outside(v6), "port": 443, "parts": [hello.hex], "as_frame": true, "seconds": 0.5,
        ]
        _ = try world.ask(command)
        #expect(try world.ended(server).body == hello.hex)
        let before = try world.drops(NP_DROP_HELLO_ORDER)
        // The random bytes, which nobody knows.
        command.merge(["wanted": 0x6262, "place": 20 + place, "free": 20]) { $1 }
        _ = try world.ask(command)
        #expect(try world.ended(server).body == "")
        #expect(try world.drops(NP_DROP_HELLO_ORDER) - before == 1)
    }
}

extension [UInt8] {
    fileprivate var hex: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
