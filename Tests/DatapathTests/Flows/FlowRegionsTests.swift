import NetpoldTestSupport
import Testing

@testable import Datapath

@Suite("regions of the flow table")
struct FlowRegionsTests {
    @Test("a region and its word say the same; a word that is none is not one")
    func word() throws {
        for sets: UInt32 in [1, 2, 64, 4096, 131072] {
            for place: UInt32 in [0, 1, 5] {
                let region = try #require(FlowRegion(first: place * sets, sets: sets))
                #expect(region.word & (~region.word + 1) == sets, "the lowest bit is the size")
                #expect(FlowRegion(word: region.word) == region)
            }
        }
        #expect(FlowRegion(word: 0) == nil)
        #expect(FlowRegion(first: 3, sets: 2) == nil)
        #expect(FlowRegion(first: 0, sets: 0) == nil)
        #expect(FlowRegion(first: 0, sets: 3) == nil)
        #expect(FlowRegion(first: 1 << 31, sets: 1) == nil)
        #expect(FlowRegion(word: 1 << 31) == nil)
        #expect(FlowRegion(word: .max)?.sets == nil || FlowRegion(word: .max)?.word == .max)
    }

    /// Nothing overlaps, nothing lies outside, and what is free and what is taken is the whole table.
    private static func check(_ regions: FlowRegions, _ comment: Comment) {
        let sorted = regions.taken.sorted { $0.first < $1.first }
        for (left, right) in zip(sorted, sorted.dropFirst()) {
            #expect(left.range.upperBound <= right.range.lowerBound, comment)
        }
        #expect((sorted.last?.range.upperBound ?? 0) <= regions.sets, comment)
        #expect(sorted.reduce(0) { $0 + $1.range.count } + regions.freeSets == regions.sets, comment)
    }

    @Test("whatever is taken, given back and adopted, no two regions overlap and nothing is lost")
    func random() {
        var random = SplitMix64(seed: 8)
        for round in 0..<200 {
            var regions = FlowRegions(sets: 1 << Int.random(in: 0...9, using: &random))
            for step in 0..<200 {
                let comment: Comment = "round \(round), step \(step)"
                let size = 1 << Int.random(in: 0...6, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    let largest = regions.largestFree
                    let region = regions.allocate(size)
                    #expect((region != nil) == (size <= largest), comment)
                case 1:
                    if let region = regions.allocate(upTo: size) { #expect(region.sets <= size, comment) }
                case 2:
                    let first = UInt32(Int.random(in: 0..<64, using: &random) * size)
                    guard let region = FlowRegion(first: first, sets: UInt32(size)) else { continue }
                    let isFree =
                        region.range.upperBound <= regions.sets
                        && regions.taken.allSatisfy { !$0.range.overlaps(region.range) }
                    let isAdopted = regions.adopt(region)
                    #expect(isAdopted == isFree, comment)
                default:
                    if let region = regions.taken.sorted(by: { $0.first < $1.first }).randomElement(using: &random) {
                        regions.release(region)
                    }
                }
                Self.check(regions, comment)
            }
            for region in regions.taken { regions.release(region) }
            #expect(regions.largestFree == regions.sets, "everything given back is one block again")
        }
    }

    @Test("a table whose size is no power of two is used up to one; an empty one has nothing")
    func odd() {
        #expect(FlowRegions(sets: 96).largestFree == 64)
        var none = FlowRegions(sets: 0)
        let nothing = none.allocate(upTo: 4)
        #expect(nothing == nil)
        #expect(none.freeSets == 0)
    }

    @Test("a new region that could not be emptied is nobody's again, and the next one to get it has to empty it")
    func takenBack() {
        var regions = EndpointRegions(sets: 256)
        let before = regions
        let first = regions.region(of: 3, pods: 4)
        #expect(first?.isNew == true)
        regions.takeBack(newRegionOf: 3)
        #expect(regions.current.isEmpty && regions.freeSets == before.freeSets)
        let again = regions.region(of: 3, pods: 4)
        #expect(again?.isNew == true && again?.region == first?.region)
    }

    @Test("first regions follow the number of pods; a table as small as a test's is not used up by the first few")
    func firstSize() {
        let sizes = [1, 8, 9, 16, 110, 500, 4096].map { EndpointRegions.firstSize(free: 131072, pods: $0) }
        #expect(sizes == [4096, 4096, 4096, 2048, 256, 64, 16])
        // Each of the first eight gets as much, whatever the ones before have taken.
        #expect((0..<8).allSatisfy { EndpointRegions.firstSize(free: 131072 - $0 * 4096, pods: 8) == 4096 })
        #expect(EndpointRegions.firstSize(free: 1024, pods: 2) == 64)
        #expect(EndpointRegions.firstSize(free: 256, pods: 2) == 16)
        #expect(EndpointRegions.firstSize(free: 0, pods: 2) == 1)
    }

    @Test(
        "as many pods as there are slots get a region each, whether they come at once or one by one",
        arguments: [true, false])
    func many(atOnce: Bool) throws {
        var regions = EndpointRegions(sets: 131072)
        for slot in 0..<4096 as Range<UInt32> {
            let given = regions.region(of: slot, pods: atOnce ? 4096 : Int(slot) + 1)
            let region = try #require(given).region
            #expect(region.sets >= (slot < 512 && !atOnce ? 32 : 2), "\(slot)")
        }
    }

    @Test("where there are more pods than sets the last find the table full, and get their share when others go")
    func full() {
        var regions = EndpointRegions(sets: 64)
        for slot in 0..<100 as Range<UInt32> { _ = regions.region(of: slot, pods: 100) }
        #expect(regions.current.count > 32)
        #expect(regions.freeSets == 0)
        let last = regions.region(of: 5000, pods: 101)
        #expect(last == nil)
        regions.release(except: [0])
        let first = regions.region(of: 5000, pods: 2)
        let second = regions.region(of: 5000, pods: 2)
        #expect(first?.isNew == true)
        #expect(second?.isNew == false && second?.region == first?.region)
    }

    @Test(
        "a region grows fourfold, then twofold, and never into the last eighth; a move that failed leaves everything as it was"
    )
    func growth() throws {
        var regions = EndpointRegions(sets: 1024)
        let given = regions.region(of: 7, pods: 1)
        let first = try #require(given).region
        let larger = regions.grow(7)
        let second = try #require(larger)
        #expect(second.sets == 4 * first.sets)
        #expect(regions.left[7] == first)
        let again = regions.grow(7)
        #expect(again == nil, "it is moving already")
        regions.cancelMove(of: 7)
        #expect(regions.current[7] == first && regions.left[7] == nil)
        var grown = 0
        while let region = regions.grow(7) {
            grown = region.range.count
            regions.finishMove(of: 7)
        }
        #expect(grown == 512)
        #expect(!regions.canGrow(7))
        #expect(regions.freeSets >= 128)
        let nobody = regions.grow(8)
        #expect(nobody == nil)
    }

    @Test(
        "however large the regions were that pods had in another version, there is one for each pod that comes after them"
    )
    func carried() throws {
        var regions = EndpointRegions(sets: 131072)
        for slot in 0..<8 as Range<UInt32> {
            let region = regions.region(of: slot, pods: 8, atLeast: 131072)?.region
            #expect(region != nil)
        }
        #expect(regions.freeSets >= 8192)
        for slot in 8..<4096 as Range<UInt32> {
            let region = regions.region(of: slot, pods: 4096, atLeast: 65536)?.region
            #expect(region != nil, "\(slot)")
        }
    }

    @Test("when everybody has grown, every pod up to the highest number of them finds a region")
    func late() throws {
        var regions = EndpointRegions(sets: 131072)
        for slot in 0..<100 as Range<UInt32> { _ = regions.region(of: slot, pods: 100) }
        var grows = true
        while grows {
            grows = false
            for slot in 0..<100 as Range<UInt32> where regions.grow(slot) != nil {
                grows = true
                regions.finishMove(of: slot)
            }
        }
        #expect(regions.isScarce)
        var smallest = Int.max
        for slot in 100..<4096 as Range<UInt32> {
            let region = try #require(regions.region(of: slot, pods: Int(slot) + 1)?.region, "\(slot)")
            smallest = min(smallest, region.range.count)
        }
        #expect(smallest >= 1)
        #expect(regions.freeSets > 0)
    }

    @Test("the smallest region that is left to a quiet pod is its share of a quarter of the table")
    func floor() {
        let floors = [1, 8, 9, 30, 110, 500, 4096].map { EndpointRegions.floor(sets: 131072, pods: $0) }
        #expect(floors == [4096, 4096, 2048, 1024, 256, 64, 64])
        #expect(EndpointRegions.floor(sets: 256, pods: 2) == 64 && EndpointRegions.floor(sets: 0, pods: 0) == 64)
    }

    @Test("where few pods have filled the table a quiet one keeps room for thousands of flows")
    func quiet() throws {
        var regions = EndpointRegions(sets: 131072)
        for slot in 1...9 as ClosedRange<UInt32> { _ = regions.region(of: slot, pods: 9) }
        for slot in 1...2 as ClosedRange<UInt32> {
            while regions.grow(slot) != nil { regions.finishMove(of: slot) }
        }
        #expect(regions.isScarce)
        for slot in 3...9 as ClosedRange<UInt32> {
            if regions.shrink(slot, used: 10, pods: 9) != nil { regions.finishMove(of: slot) }
            #expect(try #require(regions.current[slot]).room >= 8192, "\(slot)")
        }
    }

    @Test("a region shrinks to what its flows need eightfold, by three quarters at least, never below a first one")
    func shrinking() throws {
        var regions = EndpointRegions(sets: 16384)
        _ = regions.region(of: 1, pods: 1)
        while regions.grow(1) != nil { regions.finishMove(of: 1) }
        let large = try #require(regions.current[1])
        let tooFull = regions.shrink(1, used: large.room / 16, pods: 64)
        #expect(tooFull == nil)
        let shrunk = regions.shrink(1, used: large.room / 64, pods: 64)
        let small = try #require(shrunk)
        #expect(small.sets * 4 <= large.sets && small.room >= large.room / 8)
        #expect(regions.left[1] == large)
        regions.cancelMove(of: 1)
        #expect(regions.current[1] == large)
        _ = regions.shrink(1, used: 0, pods: 64)
        regions.finishMove(of: 1)
        #expect(regions.current[1]?.sets == UInt32(EndpointRegions.firstSizes.lowerBound))
        let again = regions.shrink(1, used: 0, pods: 64)
        #expect(again == nil)
        let grown = regions.grow(1)
        #expect(grown != nil, "and grows again")
    }

    @Test("after a restart nobody gets what pinned endpoints name, and of two that overlap only the first keeps it")
    func adoption() throws {
        var regions = EndpointRegions(sets: 256)
        let own = try #require(FlowRegion(first: 64, sets: 64))
        let inside = try #require(FlowRegion(first: 96, sets: 32))
        let beyond = try #require(FlowRegion(first: 256, sets: 64))
        let left = try #require(FlowRegion(first: 0, sets: 16))
        let adopted = [(own, 1), (inside, 2), (beyond, 3), (own, 1)].map { regions.adopt($0, slot: $1) }
        #expect(adopted == [true, false, false, false])
        let isLeftAdopted = regions.adoptLeft(left, slot: 1)
        #expect(isLeftAdopted)
        var seen: [FlowRegion] = [own, left]
        for slot in 10..<20 as Range<UInt32> {
            guard let region = regions.region(of: slot, pods: 10)?.region else { continue }
            #expect(seen.allSatisfy { !$0.range.overlaps(region.range) })
            seen.append(region)
        }
        regions.finishMove(of: 1)
        #expect(regions.left.isEmpty)
    }
}
