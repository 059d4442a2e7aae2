import NetpoldTestSupport
import Testing

@testable import BPFEmit

@Suite("Pass: partition traffic")
struct TrafficPartitionTests {
    private struct Interval: Equatable {
        var start: UInt32
        var active: [UInt64]
    }

    private static func intervals(_ policy: PolicyBits) -> [Interval] {
        var found: [Interval] = []
        TrafficPartition(policy).forEachInterval { found.append(Interval(start: $0, active: $1)) }
        return found
    }

    private static func policy(_ traffic: [[PolicyBits.ResolvedTraffic]?], hostBit: Int? = nil) -> PolicyBits {
        PolicyExamples.policy(
            traffic.enumerated().map { PolicyExamples.bit($0.offset, traffic: $0.element) }, hostBit: hostBit)
    }

    @Test("without ranges there is one interval, with the bits for everything and the host bit")
    func everything() {
        #expect(Self.intervals(Self.policy([nil, nil], hostBit: 2)) == [Interval(start: 0, active: [0b111])])
        #expect(Self.intervals(Self.policy([])) == [Interval(start: 0, active: [0])])
        #expect(Self.intervals(Self.policy([[]])) == [Interval(start: 0, active: [0])])
    }

    @Test("overlapping ranges are cut where one begins or ends")
    func overlap() {
        let intervals = Self.intervals(
            Self.policy([[.init(.tcp, .init(80, 90))], [.init(.tcp, .init(85, 100))], nil]))
        #expect(
            intervals == [
                Interval(start: 0, active: [0b100]), Interval(start: 6 << 16 | 80, active: [0b101]),
                Interval(start: 6 << 16 | 85, active: [0b111]), Interval(start: 6 << 16 | 91, active: [0b110]),
                Interval(start: 6 << 16 | 101, active: [0b100]),
            ])
    }

    @Test("ranges of one bit that touch or overlap are left at the end of the last")
    func touching() {
        let intervals = Self.intervals(
            Self.policy([[.init(.udp, .init(1, 2)), .init(.udp, .init(3, 9)), .init(.udp, .init(5))]]))
        #expect(intervals.dropFirst().first == Interval(start: 17 << 16 | 1, active: [1]))
        #expect(intervals.last == Interval(start: 17 << 16 | 10, active: [0]))
        #expect(intervals.dropFirst().dropLast().allSatisfy { $0.active == [1] })
    }

    @Test("a range may begin with the first key and end with the last")
    func ends() {
        let all = (0...255).map { PolicyBits.ResolvedTraffic(.init(rawValue: UInt8($0)), .all) }
        let intervals = Self.intervals(Self.policy([all]))
        #expect(intervals.first == Interval(start: 0, active: [1]))
        #expect(intervals.last == Interval(start: 0x100_0000, active: [0]))
        #expect(intervals.dropLast().allSatisfy { $0.active == [1] })
    }

    @Test("bits beyond the first word are in theirs")
    func words() {
        let traffic = (0..<70).map { [PolicyBits.ResolvedTraffic(.tcp, .init(UInt16($0)))] }
        let intervals = Self.intervals(Self.policy(traffic))
        #expect(intervals.count == 72)
        #expect(intervals[66] == Interval(start: 6 << 16 | 65, active: [0, 0b10]))
    }

    @Test(
        "random policies: starts ascend from 0, and each interval's bits are those whose traffic holds its keys",
        arguments: 0..<40)
    func random(seed: Int) {
        var policies = RandomPolicyBits(seed: UInt64(seed))
        let policy = policies.next(maximum: 100)
        let intervals = Self.intervals(policy)
        #expect(intervals.first?.start == 0)
        #expect(zip(intervals, intervals.dropFirst()).allSatisfy { $0.start < $1.start })
        for (index, interval) in intervals.enumerated() where interval.start <= 0xff_ffff {
            let end = index + 1 < intervals.count ? intervals[index + 1].start - 1 : 0xff_ffff
            for key in Set([interval.start, min(end, 0xff_ffff)]) {
                let holding = policy.bits.indices.filter { number in
                    policy.bits[number].traffic?.contains {
                        UInt32($0.protocol.rawValue) == key >> 16
                            && $0.ports.contains(UInt16(truncatingIfNeeded: key))
                    } ?? true
                }
                let active = (0..<interval.active.count * 64).filter {
                    interval.active[$0 / 64] >> UInt64($0 % 64) & 1 == 1
                }
                #expect(active == holding + (policy.hostBit.map { [$0] } ?? []), "key \(key)")
            }
        }
    }
}
