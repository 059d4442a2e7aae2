import NetpoldTestSupport
import Testing

@testable import BPFEmit

@Suite("Ranges of np_maglev")
struct ServiceRangesTests {
    @Test("the first free run is taken, as looking at every entry finds it", arguments: 0..<30 as Range<UInt64>)
    func firstFree(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let capacity = 60
        var ranges = ServiceRanges(capacity: capacity)
        var isTaken = Array(repeating: false, count: capacity)
        var held: [ServiceRanges.Run] = []
        var leaving: [ServiceRanges.Run] = []
        func mark(_ run: ServiceRanges.Run, _ taken: Bool) {
            for entry in Int(run.first)..<Int(run.end) { isTaken[entry] = taken }
        }
        for _ in 0..<200 {
            switch random.below(6) {
            case 0, 1, 2:
                let count = 1 + random.below(9)
                let first = (0...(capacity - count)).first { start in !isTaken[start..<start + count].contains(true) }
                let run = ranges.allocate(count)
                #expect(run.map { Int($0.first) } == first && (run == nil || run?.count == UInt32(count)))
                if let run {
                    mark(run, true)
                    held.append(run)
                }
            case 3:
                let run = ServiceRanges.Run(first: UInt32(random.below(capacity)), count: UInt32(1 + random.below(5)))
                let isFree =
                    Int(run.end) <= capacity && !isTaken[Int(run.first)..<min(Int(run.end), capacity)].contains(true)
                #expect(ranges.adopt(run) == isFree)
                if isFree {
                    mark(run, true)
                    held.append(run)
                }
            case 4:
                if held.isEmpty { continue }
                let run = held.remove(at: random.below(held.count))
                ranges.retire(run)
                leaving.append(run)
            default:
                ranges.releaseLeaving()
                for run in leaving { mark(run, false) }
                leaving = []
            }
            #expect(ranges.used == isTaken.count { $0 })
        }
    }
}
