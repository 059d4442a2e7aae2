import BPFEmit
import CNetpoldABI
import Glibc
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

@Suite("DNS answers", .needsRoot)
struct DNSAnswerTests {
    typealias World = NameWorld

    /// Asks, and gets an answer.
    private static func exchange(
        _ harness: PacketHarness, _ answer: [UInt8], for query: [UInt8] = DNSText.query("www.example.com"),
        v6: Bool = false
    ) throws {
        let asked = try harness.send(World.query(query, v6: v6), .egress)
        #expect(asked == NP_REASON_ALLOWED || asked == NP_REASON_ESTABLISHED)
        #expect(try harness.send(World.answer(answer, v6: v6), .ingress) == NP_REASON_REPLY)
    }

    private static func answer(_ records: [[UInt8]], flags: UInt16 = 0x8180) -> [UInt8] {
        DNSText.answer("www.example.com", flags: flags, records: records)
    }

    @Test(
        "an address is open once its answer has passed, to the pod that asked and nobody else",
        arguments: [false, true])
    func inForce(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            let address = World.outside(7, v6: v6)
            #expect(try harness.send(World.syn(to: address), .egress) == NP_DROP_POLICY_DEFAULT)
            let type = v6 ? DNSText.aaaa : DNSText.a
            try Self.exchange(
                harness, DNSText.answer("www.example.com", type, records: [DNSText.address(address, ttl: 60)]),
                for: DNSText.query("WWW.example.com", type), v6: v6)
            #expect(try harness.send(World.syn(to: address), .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(World.syn(to: World.outside(8, v6: v6)), .egress) == NP_DROP_POLICY_DEFAULT)
            let learnt = try #require(try harness.learnt(address))
            #expect(learnt.columns == 1 && learnt.expires >= harness.nameClock() + 60)
            #expect(learnt.expires <= harness.nameClock() + 62)
            #expect(try harness.learnt(address, by: .b) == nil)
            let event = try #require(try harness.nameEvents().last)
            #expect(event.kind == UInt8(NP_NAME_LEARNT.rawValue) && event.count == 1 && event.expires == learnt.expires)
            #expect(withUnsafeBytes(of: event.name) { Array($0.prefix(17)) } == DNSText.name("www.example.com"))
        }
    }

    @Test("an answer to a neighbour opens nothing, even with the same ids and names")
    func neighbour() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            _ = try harness.send(World.query(DNSText.query("www.example.com"), from: .b), .egress, of: .b)
            let answer = World.answer(Self.answer([DNSText.address(World.outside(1))]), to: .b)
            _ = try harness.send(answer, .ingress, of: .b)
            #expect(try harness.learnt(World.outside(1)) == nil)
            #expect(try harness.learnt(World.outside(1), by: .b) == nil)
            #expect(try harness.send(World.syn(to: World.outside(1)), .egress) == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test("addresses behind aliases are those of the name that was asked for, however owners are written")
    func aliases() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            // 12: question of 21 bytes; 33: the alias, its data at 45.
            let alias = DNSText.record(DNSText.cname, [4, 101, 100, 103, 101] + DNSText.pointer(16), ttl: 20)
            let owners: [[UInt8]] = [
                DNSText.pointer(45), DNSText.name("edge.example.com"), DNSText.name("EDGE.Example.com"),
                [4, 69, 100, 103, 101] + DNSText.pointer(16),
            ]
            for (number, owner) in owners.enumerated() {
                let address = World.outside(UInt32(10 + number))
                try Self.exchange(harness, Self.answer([alias, DNSText.address(address, ttl: 300, owner: owner)]))
                let learnt = try #require(try harness.learnt(address), "owner \(number)")
                #expect(learnt.columns == 1 && learnt.expires <= harness.nameClock() + 22)
                #expect(
                    try harness.send(World.syn(to: address, port: UInt16(50000 + number)), .egress) == NP_REASON_ALLOWED
                )
            }
        }
    }

    @Test("hostile and inexact answers pass and teach nothing")
    func hostile() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            let address = World.outside(66)
            let record = DNSText.address(address)
            let alias = DNSText.record(DNSText.cname, [4, 101, 100, 103, 101] + DNSText.pointer(16))
            let good = Self.answer([record])
            func changed(_ offset: Int, _ bytes: [UInt8]) -> [UInt8] {
                var copy = good
                copy.replaceSubrange(offset..<offset + bytes.count, with: bytes)
                return copy
            }
            let cases: [(String, [UInt8])] = [
                ("id", changed(0, [9, 9])), ("query", changed(2, [0x01])), ("opcode", changed(2, [0xa9])),
                ("truncated", changed(2, [0x83])), ("no such name", changed(3, [0x83])),
                ("servfail", changed(3, [0x82])),
                ("no question", changed(4, [0, 0])), ("two questions", changed(4, [0, 2])),
                ("more records than there are", changed(6, [0, 2])), ("65535 records", changed(6, [0xff, 0xff])),
                ("authorities that are not there", changed(8, [0, 1])), ("another name", changed(13, [120])),
                ("another type", changed(30, [28])), ("another class", changed(32, [3])), ("trailing", good + [0]),
                ("owner is somebody else", Self.answer([DNSText.address(address, owner: DNSText.name("evil.org"))])),
                ("owner is a part", Self.answer([DNSText.address(address, owner: DNSText.pointer(16))])),
                ("owner points at itself", Self.answer([DNSText.address(address, owner: DNSText.pointer(33))])),
                ("owner points ahead", Self.answer([DNSText.address(address, owner: DNSText.pointer(40))])),
                ("owner points into the header", Self.answer([DNSText.address(address, owner: DNSText.pointer(4))])),
                (
                    "loop of pointers",
                    Self.answer([DNSText.address(address, owner: [3, 119, 119, 119] + DNSText.pointer(33))])
                ),
                ("rotated", Self.answer([DNSText.address(address, owner: DNSText.name("edge.example.com")), alias])),
                ("alias beside an address", Self.answer([record, alias])),
                ("alias of nobody", Self.answer([alias, record])),
                ("five bytes of address", Self.answer([DNSText.record(1, [1, 2, 3, 4, 5])])),
                ("no address", Self.answer([DNSText.record(1, [])])),
                ("sixteen bytes for four", Self.answer([DNSText.record(28, [UInt8](repeating: 7, count: 16))])),
                (
                    "data beyond the end",
                    Self.answer([DNSText.pointer(12) + [0, 1, 0, 1, 0, 0, 0, 9, 0, 9, 1, 2, 3, 4]])
                ),
            ]
            for (name, message) in cases {
                try Self.exchange(harness, message)
                #expect(try harness.learnt(address) == nil, "\(name)")
                // What has been answered once is not waited for any more, whatever the answer was worth.
                try harness.clearPending()
            }
            // Answers that nobody has asked for: not there, from elsewhere, to another port.
            #expect(try harness.send(World.answer(good), .ingress) == NP_REASON_REPLY)
            #expect(try harness.send(World.query(DNSText.query("www.example.com")), .egress) == NP_REASON_ESTABLISHED)
            #expect(try harness.send(World.answer(good, port: 40001), .ingress) == NP_REASON_ALLOWED)
            let fragment = World.answer(good).with { $0.fragment = .init(77, offset: 0, more: true) }
            #expect(try harness.send(fragment, .ingress) == NP_REASON_REPLY)
            #expect(try harness.learnt(address) == nil)
            #expect(try harness.send(World.answer(good), .ingress) == NP_REASON_REPLY)
            #expect(try harness.learnt(address)?.columns == 1)
            #expect(try harness.learntShare().unlearnt > 15)
        }
    }

    @Test("an answer that is cut off anywhere teaches nothing", arguments: [false, true])
    func cutOff(v6: Bool) throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            let message = Self.answer([
                DNSText.record(DNSText.cname, DNSText.name("edge.example.com")),
                DNSText.address(World.outside(1), owner: DNSText.pointer(45)),
            ])
            for length in 0..<message.count {
                try Self.exchange(harness, Array(message.prefix(length)), v6: v6)
                #expect(try harness.learnt(World.outside(1)) == nil, "\(length)")
            }
            try Self.exchange(harness, message, v6: v6)
            #expect(try harness.learnt(World.outside(1)) != nil)
        }
    }

    @Test("an answer is used once")
    func once() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            try Self.exchange(harness, Self.answer([DNSText.address(World.outside(1))]))
            #expect(
                try harness.send(World.answer(Self.answer([DNSText.address(World.outside(2))])), .ingress)
                    == NP_REASON_REPLY)
            #expect(try harness.learnt(World.outside(2)) == nil)
        }
    }

    @Test("inexact answers are dropped by option")
    func dropped() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            try harness.map("np_name_options").set(
                UInt32(0), NameWorld.options(refusal: 5, leastTTL: 0, dropsInexact: 1))
            _ = try harness.send(World.query(DNSText.query("www.example.com")), .egress)
            #expect(try harness.send(World.answer([1, 2, 3]), .ingress) == NP_DROP_DNS_ANSWER)
            try Self.exchange(harness, Self.answer([], flags: 0x8183))
        }
    }

    @Test("what the node, the cluster or nobody has is never learnt")
    func neverLearnt() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            let ipv4: [UInt32] = [
                0, 0x0000_0001, 0x7f00_0001, 0xa9fe_a9fe, 0xe000_00fb, 0xf000_0001, 0xffff_ffff, 0x0a00_0002,
                0x0a00_00fe,
            ]
            let good = World.outside(1)
            try Self.exchange(
                harness, Self.answer(ipv4.map { DNSText.address(IPAddress(ipv4: $0)) } + [DNSText.address(good)]))
            for number in ipv4 { #expect(try harness.learnt(IPAddress(ipv4: number)) == nil, "\(number)") }
            #expect(try harness.learnt(good) != nil)
            let ipv6 = [
                IPAddress(high: 0, low: 0), IPAddress(high: 0, low: 1), PacketWorld.linkLocal, PacketWorld.allNodes,
                PacketWorld.ipv6(2), PacketWorld.ipv6(254), World.outside(50),
            ]
            // An IPv4 address as an IPv6 one is no way around.
            let mapped = ipv6.map { DNSText.record(DNSText.aaaa, Array($0.bytes)) }
            try Self.exchange(
                harness, DNSText.answer("www.example.com", DNSText.aaaa, records: mapped),
                for: DNSText.query("www.example.com", DNSText.aaaa))
            for address in ipv6 { #expect(try harness.learnt(address) == nil, "\(address)") }
            let learnt = try #require(try harness.nameEvents().first { $0.count > 0 })
            #expect(learnt.count == 1)
        }
    }

    @Test(
        "link-local addresses are learnt where the node wants them, but none of the cluster's, the node's or netpold's own"
    )
    func wantedLinkLocal() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            func range(_ address: IPAddress, _ length: Int) throws -> IPPrefix {
                try #require(IPPrefix(address, length: length))
            }
            let ranges = [
                try range(IPAddress(ipv4: 0xa9fe_0000), 16), try range(IPAddress(high: 0xfe80 << 48, low: 0x100), 120),
            ]
            try harness.map("np_name_options").set(UInt32(0), NameWorld.options(ranges: ranges))
            let nodes = IPAddress(ipv4: 0xa9fe_140a)
            try harness.map("np_addresses").set(np_address(nodes), UInt32(NP_IDENTITY_HOST))
            defer { _ = try? harness.map("np_addresses").remove(np_address(nodes)) }
            let never = [
                nodes, IPAddress(ipv4: 0x7f00_0001), IPAddress(ipv4: UInt32(NP_HAIRPIN_IPV4)),
                IPAddress(ipv4: 0xa9fe_4d01), IPAddress(ipv4: 0x0a00_0002),
            ]
            let wanted = IPAddress(ipv4: 0xa9fe_a9fe)
            try Self.exchange(harness, Self.answer((never + [wanted]).map { DNSText.address($0) }))
            for address in never { #expect(try harness.learnt(address) == nil, "\(address)") }
            #expect(try harness.learnt(wanted)?.columns == 1)
            let (inside, outside) = (
                IPAddress(high: 0xfe80 << 48, low: 0x1ff), IPAddress(high: 0xfe80 << 48, low: 0x200)
            )
            try Self.exchange(
                harness,
                DNSText.answer(
                    "www.example.com", DNSText.aaaa, records: [inside, outside].map { DNSText.address($0) }),
                for: DNSText.query("www.example.com", DNSText.aaaa))
            #expect(try harness.learnt(inside)?.columns == 1)
            #expect(try harness.learnt(outside) == nil)
        }
    }

    @Test("an address that something in the cluster gets is that, whatever was learnt of it")
    func exactWins() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            try Self.exchange(harness, Self.answer([DNSText.address(World.outside(1))]))
            #expect(try harness.send(World.syn(to: World.outside(1)), .egress) == NP_REASON_ALLOWED)
            try harness.map("np_addresses").set(np_address(World.outside(1)), PacketWorld.identityC)
            #expect(try harness.send(World.syn(to: World.outside(1), port: 50001), .egress) == NP_DROP_POLICY_DEFAULT)
            try harness.map("np_addresses").remove(np_address(World.outside(1)))
        }
    }

    @Test("times: 0 and 1 are enough to connect; the highest bit is 0; the least is kept; the shortest of all counts")
    func times() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            for (number, ttl) in [UInt32(0), 1, 0x8000_0000, 0xffff_ffff].enumerated() {
                let address = World.outside(UInt32(number))
                try Self.exchange(harness, Self.answer([DNSText.address(address, ttl: ttl)]))
                #expect(try harness.send(World.syn(to: address), .egress) == NP_REASON_ALLOWED, "\(ttl)")
                #expect(try #require(try harness.learnt(address)).expires <= harness.nameClock() + 2)
            }
            let longest = World.outside(7)
            try Self.exchange(harness, Self.answer([DNSText.address(longest, ttl: 0x7fff_ffff)]))
            let week = harness.nameClock() + UInt32(NP_LEARNT_LONGEST)
            let end = try #require(try harness.learnt(longest)).expires
            #expect(end >= week && end <= week + 2)
            try harness.map("np_name_options").set(
                UInt32(0), NameWorld.options(refusal: 5, leastTTL: 100, dropsInexact: 0))
            try Self.exchange(
                harness,
                Self.answer([DNSText.address(World.outside(9), ttl: 500), DNSText.address(World.outside(8), ttl: 7)]))
            let expires = try #require(try harness.learnt(World.outside(9))).expires
            #expect(expires >= harness.nameClock() + 100 && expires <= harness.nameClock() + 102)
        }
    }

    @Test("an expired entry opens nothing, and connections that it let in go on over changes of policy")
    func expiry() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            let address = World.outside(1)
            try Self.exchange(harness, Self.answer([DNSText.address(address)]))
            #expect(try harness.send(World.syn(to: address), .egress) == NP_REASON_ALLOWED)
            let key = np_learnt_key(address: np_address(address), endpoint: 1)
            let entry = try #require(try harness.map("np_learnt").value(of: key, initial: np_learnt()))
            var old = entry
            old.earliest = harness.nameClock()
            old.expires.0 = harness.nameClock()
            try harness.map("np_learnt").set(key, old)
            try harness.bump(.a)
            #expect(try harness.send(World.syn(to: address, port: 50001), .egress) == NP_DROP_POLICY_DEFAULT)
            let ack = FlowTests.tcp(1, 50000, 1, 443, Transport.TCPFlags.ack, v6: false).with {
                $0.destination = address
            }
            #expect(try harness.send(ack, .egress) == NP_REASON_REVALIDATED)
            // By an answer of the server too.
            try harness.bump(.a)
            let answer = IPPacket(
                address, PacketWorld.ipv4(1), .tcp, Transport.tcp(443, 50000, flags: Transport.TCPFlags.ack))
            #expect(try harness.send(answer, .ingress) == NP_REASON_REVALIDATED)
            // Under other columns nothing is kept, and nothing counts that was learnt under these.
            try harness.map("np_learnt").set(key, entry)
            harness.names[.a] = NameWorld.number + 1
            try harness.bump(.a)
            #expect(try harness.send(ack, .egress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(World.syn(to: address, port: 50002), .egress) == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test("a SYN that nobody has answered may be repeated when its name has expired, and does not keep it so")
    func repeatedSYN() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            let address = World.outside(1)
            try Self.exchange(harness, Self.answer([DNSText.address(address)]))
            #expect(try harness.send(World.syn(to: address), .egress) == NP_REASON_ALLOWED)
            #expect(try harness.send(World.syn(to: address, port: 50001), .egress) == NP_REASON_ALLOWED)
            let answer = IPPacket(
                address, PacketWorld.ipv4(1), .tcp,
                Transport.tcp(443, 50001, flags: Transport.TCPFlags.syn | Transport.TCPFlags.ack))
            #expect(try harness.send(answer, .ingress) == NP_REASON_REPLY)
            let key = np_learnt_key(address: np_address(address), endpoint: 1)
            try harness.map("np_learnt").remove(key)
            func seen(_ port: UInt16) throws -> UInt32? {
                try harness.flows(of: .a).first { $0.own_port == port.bigEndian }?.last_seen
            }
            let before = try seen(50000)
            usleep(400_000)
            #expect(try harness.send(World.syn(to: address), .egress) == NP_REASON_ALLOWED)
            // So it ends as if there had been no other one.
            #expect(try before != nil && seen(50000) == before)
            // Another connection is none that the name let begin, nor is one anew in the place of one that was answered.
            #expect(try harness.send(World.syn(to: address, port: 50002), .egress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(World.syn(to: address, port: 50001), .egress) == NP_DROP_POLICY_DEFAULT)
            // Under another policy's columns nothing is kept.
            harness.names[.a] = NameWorld.number + 1
            try harness.bump(.a)
            #expect(try harness.send(World.syn(to: address), .egress) == NP_DROP_POLICY_DEFAULT)
        }
    }

    @Test("names that are written out in each record are read as those by pointers, as long as the message is")
    func writtenOut() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            let text = String(repeating: "a", count: 30) + ".example.com"
            // 2,640 bytes of names to compare, in 3,540.
            let records = (0..<60).map { DNSText.address(World.outside($0), owner: DNSText.name(text)) }
            try Self.exchange(harness, DNSText.answer(text, records: records), for: DNSText.query(text))
            let events = try harness.nameEvents().filter { $0.kind == UInt8(NP_NAME_LEARNT.rawValue) }
            #expect(events.map(\.count) == [16, 16, 16, 12])
            #expect(try harness.learntShare().unlearnt == 0)
        }
    }

    @Test("an address that somebody in the cluster has by now is not reached by its name, in known flows neither")
    func taken() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            let address = World.outside(1)
            try Self.exchange(harness, Self.answer([DNSText.address(address)]))
            #expect(try harness.send(World.syn(to: address), .egress) == NP_REASON_ALLOWED)
            try harness.map("np_addresses").set(np_address(address), PacketWorld.identityC)
            try harness.bump(.a)
            let ack = FlowTests.tcp(1, 50000, 1, 443, Transport.TCPFlags.ack, v6: false).with {
                $0.destination = address
            }
            #expect(try harness.send(ack, .egress) == NP_DROP_POLICY_DEFAULT)
            #expect(try harness.send(World.syn(to: address, port: 50001), .egress) == NP_DROP_POLICY_DEFAULT)
            try harness.map("np_addresses").remove(np_address(address))
            #expect(try harness.send(ack, .egress) == NP_REASON_REVALIDATED)
        }
    }

    @Test("a later answer adds columns and never shortens")
    func refresh() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            let address = World.outside(1)
            try Self.exchange(harness, Self.answer([DNSText.address(address, ttl: 1000)]))
            let before = try #require(try harness.learnt(address)).expires
            try Self.exchange(harness, Self.answer([DNSText.address(address, ttl: 5)]))
            #expect(try #require(try harness.learnt(address)).expires == before)
            try harness.put(
                [World.asked, World.first, World.second], rules: [0: 1], columns: [1: 0x8000_0000], revision: 4)
            try Self.exchange(harness, Self.answer([DNSText.address(address, ttl: 5)]))
            #expect(try harness.learnt(address)?.columns == 0x8000_0001)
            #expect(try #require(try harness.learnt(address)).expires == before)
            #expect(try harness.send(World.syn(to: address), .egress) == NP_REASON_ALLOWED)
        }
    }

    @Test("100 addresses in an answer, told in records of 16")
    func many() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            let addresses = (0..<100).map { World.outside($0) }
            try Self.exchange(harness, Self.answer(addresses.map { DNSText.address($0) }))
            for address in addresses { #expect(try harness.learnt(address) != nil) }
            let events = try harness.nameEvents().filter { $0.kind == UInt8(NP_NAME_LEARNT.rawValue) }
            #expect(events.map(\.count) == [16, 16, 16, 16, 16, 16, 4])
            #expect(try harness.learntShare().inserted == 100)
        }
    }

    @Test("what one pod tells leaves room for what others learn, while nobody reads")
    func crowded() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            let records = (0..<100).map { DNSText.address(World.outside($0)) }
            let room = Int(NP_NAME_RING_BYTES) / MemoryLayout<np_name_event>.size
            // Seven records each.
            for _ in 0..<(room / 4) { try Self.exchange(harness, Self.answer(records)) }
            let told = try harness.nameEvents().count
            #expect(told > room / 3 && told < room * 9 / 10, "\(told) of \(room)")
        }
    }

    @Test("a pod that has as much as it may have learns nothing more, but keeps what it has")
    func cap() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            try Self.exchange(harness, Self.answer([DNSText.address(World.outside(1), ttl: 5)]))
            var share = np_learnt_share()
            share.inserted = UInt64(NP_MAX_LEARNT_OF_POD) + 5
            share.removed = 5
            try harness.map("np_learnt_shares").set(UInt32(1), share)
            try Self.exchange(
                harness, Self.answer([DNSText.address(World.outside(1), ttl: 900), DNSText.address(World.outside(2))]))
            #expect(try harness.learnt(World.outside(2)) == nil)
            #expect(try #require(try harness.learnt(World.outside(1))).expires > harness.nameClock() + 200)
            #expect(try harness.learntShare().refused == 1)
            #expect(try harness.learntShare().inserted == share.inserted)
        }
    }

    @Test("while pods together have most of the table, one that has much learns nothing new, and others go on")
    func fairShare() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            func learns(_ number: UInt32, held: Int32, all: Int32) throws -> Bool {
                var share = np_learnt_share()
                share.inserted = UInt64(held)
                try harness.map("np_learnt_shares").set(UInt32(1), share)
                share.inserted = UInt64(all)
                try harness.map("np_learnt_shares").set(UInt32(NP_MAX_ENDPOINTS), share)
                try Self.exchange(harness, Self.answer([DNSText.address(World.outside(number))]))
                return try harness.learnt(World.outside(number)) != nil
            }
            let crowded = NP_MAX_LEARNT / 4 * 3
            #expect(try learns(1, held: NP_LEARNT_FAIR, all: crowded - 1))
            #expect(try !learns(2, held: NP_LEARNT_FAIR, all: crowded))
            #expect(try learns(3, held: NP_LEARNT_FAIR - 1, all: crowded))
            let all = try harness.map("np_learnt_shares").value(
                of: UInt32(NP_MAX_ENDPOINTS), initial: np_learnt_share())
            #expect(all?.inserted == UInt64(crowded) + 1)
        }
    }

    @Test("two questions on one socket at once, as resolvers of libc ask")
    func atOnce() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            for (id, type) in [(UInt16(5), DNSText.a), (6, DNSText.aaaa)] {
                _ = try harness.send(World.query(DNSText.query("www.example.com", type, id: id)), .egress)
            }
            for (id, type) in [(UInt16(6), DNSText.aaaa), (5, DNSText.a)] {
                let address = World.outside(3, v6: type == DNSText.aaaa)
                let answer = DNSText.answer("www.example.com", type, id: id, records: [DNSText.address(address)])
                #expect(try harness.send(World.answer(answer), .ingress) == NP_REASON_REPLY)
                #expect(try harness.learnt(address)?.columns == 1)
            }
        }
    }

    @Test("256 queries wait at once, at least; the newest always")
    func waiting() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            for id in 0..<UInt16(1000) {
                _ = try harness.run(World.query(DNSText.query("www.example.com", id: id)).summedFrame, .egress, of: .a)
            }
            try harness.recount()
            let answer = DNSText.answer("www.example.com", id: 999, records: [DNSText.address(World.outside(1))])
            #expect(try harness.send(World.answer(answer), .ingress) == NP_REASON_REPLY)
            #expect(try harness.learnt(World.outside(1)) != nil)
        }
    }

    @Test("DNS exchanges cost little")
    func cost() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            let query = World.query(DNSText.query("www.example.com", edns: DNSText.edns()))
            let answer = World.answer(
                Self.answer((1...4).map { DNSText.address(World.outside($0)) }))
            _ = try harness.send(query, .egress)
            let asked = try harness.time(query.summedFrame, .egress, repetitions: 20000)
            // Each is the first to answer its query: one run at a time, its query before; the better half counts, as the clock of one
            // run has the test's own system calls around it.
            var answered: [Int] = []
            for _ in 0..<2000 {
                _ = try harness.time(query.summedFrame, .egress, repetitions: 1)
                answered.append(try harness.time(answer.summedFrame, .ingress, repetitions: 1))
            }
            try harness.recount()
            answered.sort()
            print(
                "dns: query \(asked) ns, answer of four \(answered[answered.count / 2]) ns (tenth \(answered[200]) ns)")
            #expect(try harness.learntShare().unlearnt == 0)
        }
    }
}
