import BPFEmit
import CNetpoldABI
import DNSScan
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

/// The kernel's reading of DNS messages beside `DNSScan`'s.
@Suite("DNS messages, kernel and reference", .needsRoot)
struct DNSDifferentialTests {
    typealias World = NameWorld

    private static let owners = [
        DNSText.pointer(12), DNSText.pointer(45), DNSText.pointer(16), DNSText.name("www.example.com"),
        DNSText.name("WWW.EXAMPLE.com"), DNSText.name("edge.example.com"),
        [4, 101, 100, 103, 101] + DNSText.pointer(16),
    ]

    private static func record(_ random: inout SplitMix64) -> [UInt8] {
        let owner = random.once(in: 3) ? random.pick(owners) : DNSText.pointer(12)
        let ttl = random.pick([0, 1, 300, 0x8000_0001] as [UInt32])
        switch random.below(8) {
        case 0:
            return DNSText.record(DNSText.cname, [4, 101, 100, 103, 101] + DNSText.pointer(16), ttl: ttl, owner: owner)
        case 1: return DNSText.record(DNSText.cname, random.pick(owners), ttl: ttl, owner: owner)
        case 2: return DNSText.address(World.outside(UInt32(random.below(50)), v6: true), ttl: ttl, owner: owner)
        case 3: return DNSText.record(46, [1, 2, 3], ttl: ttl, owner: owner)
        default: return DNSText.address(World.outside(UInt32(random.below(50))), ttl: ttl, owner: owner)
        }
    }

    private static func mutate(_ message: inout [UInt8], _ random: inout SplitMix64) {
        for _ in 0..<random.below(4) where !message.isEmpty {
            switch random.below(5) {
            case 0: message[random.below(message.count)] = UInt8(truncatingIfNeeded: random.next())
            case 1: message[random.below(message.count)] ^= 1 << UInt8(random.below(8))
            case 2: message = Array(message.prefix(random.below(message.count + 1)))
            case 3: message.insert(UInt8(truncatingIfNeeded: random.next()), at: random.below(message.count + 1))
            default: message[random.below(min(12, message.count))] = UInt8(random.below(4))
            }
        }
    }

    @Test("queries: the same pass, of names that rules allow or not")
    func queries() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictNames()
            var random = SplitMix64(seed: 11)
            for number in 0..<DifferentialSize.flows(otherwise: 4000) {
                let name = random.pick(["www.example.com", "evil.org", "", "A.example.com", "x.y.example.com"])
                var message = DNSText.query(
                    name, random.pick([1, 28, 65]), id: UInt16(number & 0xffff),
                    edns: random.once(in: 2) ? DNSText.edns([UInt8](repeating: 3, count: random.below(20))) : nil)
                Self.mutate(&message, &random)
                let packet = World.query(message, port: UInt16(20000 + number % 1000))
                let reason = try harness.send(packet, .egress)
                let expected: Set<UInt32>
                if let query = DNSQuery(message: message) {
                    let labels = query.question.labels.map { String(decoding: $0, as: UTF8.self) }
                    let isAllowed =
                        labels.count == 3 && labels.suffix(2) == ["example", "com"]
                        && query.question.labels[0].allSatisfy {
                            NameClass(labelByte: $0).number != NP_NAME_CLASS_OTHER
                        }
                    expected =
                        isAllowed
                        ? [NP_REASON_ALLOWED.rawValue, NP_REASON_ESTABLISHED.rawValue] : [NP_DROP_NAME_DENIED.rawValue]
                } else {
                    expected = [NP_DROP_DNS_QUERY.rawValue]
                }
                #expect(expected.contains(reason.rawValue), "case \(number): \(message) is \(reason)")
            }
        }
    }

    @Test("answers: the same addresses are learnt, for the same time")
    func answers() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            var random = SplitMix64(seed: 12)
            for number in 0..<DifferentialSize.flows(otherwise: 4000) {
                let type = random.pick([DNSText.a, DNSText.a, DNSText.aaaa, 255])
                let query = DNSText.query("www.example.com", type, id: UInt16(number & 0xffff))
                let records = (0..<random.below(5)).map { _ in Self.record(&random) }
                var message = DNSText.answer("www.example.com", type, id: UInt16(number & 0xffff), records: records)
                if random.once(in: 3) {
                    message += DNSText.edns()
                    message[11] = 1
                }
                if random.once(in: 2) { Self.mutate(&message, &random) }
                _ = try harness.send(World.query(query), .egress)
                _ = try harness.nameEvents()
                let passed = try harness.send(World.answer(message), .ingress)
                #expect(passed == NP_REASON_REPLY)
                var expected: [[UInt8]] = []
                if let asked = DNSQuery(message: query), let answer = DNSAnswer(message: message),
                    answer.question.id == asked.question.id, answer.question.name == asked.question.name,
                    answer.question.type == asked.question.type,
                    answer.question.queryClass == asked.question.queryClass,
                    case .addresses(let addresses, _) = answer.lesson
                {
                    expected = addresses.filter(Self.isLearnt)
                }
                let told = try harness.nameEvents().filter { $0.kind == UInt8(NP_NAME_LEARNT.rawValue) }
                let learnt = told.flatMap { event in
                    withUnsafeBytes(of: event.address) { bytes in
                        (0..<Int(event.count)).map { Array(bytes[16 * $0..<16 * $0 + 16]) }
                    }
                }
                let wanted = expected.map { $0.count == 4 ? [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + $0 : $0 }
                #expect(learnt == wanted, "case \(number): \(message)")
                try harness.clearPending()
            }
        }
    }

    /// What never is is tested elsewhere; mutations make few of them.
    private static func isLearnt(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == 4 else {
            return bytes[0] != 0xff && !(bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80)
                && bytes.prefix(12).contains { $0 != 0 }
                && !(bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff)
        }
        return ![0, 127].contains(bytes[0]) && bytes[0] < 224 && !(bytes[0] == 169 && bytes[1] == 254)
            && !PacketWorld.exact.contains { $0.address.isIPv4 && Array($0.address.bytes.suffix(4)) == bytes }
    }
}
