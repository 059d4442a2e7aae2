import BPFEmit
import NetTypes
import PolicyAPI
import PolicyIR
import Synchronization
import Testing

@testable import Agent

/// What pods write about names: bounded, each in its own room, and kept.
@Suite("History of names")
struct NameHistoryTests {
    private static let web = EndpointKey(namespace: "shop", name: "web", uid: "1")
    private static let api = EndpointKey(namespace: "shop", name: "api", uid: "2")

    private static func address(_ number: Int) -> IPAddress { IPAddress(ipv4: 0xc000_0000 + UInt32(number)) }

    private static func record(
        _ name: String, _ addresses: [Int] = [1], slot: UInt32 = 0, expires: UInt32 = 100, time: UInt64 = 10,
        kind: NameRecord.Kind = .learnt
    ) -> NameRecord {
        NameRecord(
            time: time, slot: slot, kind: kind, name: name, type: 1, remote: address(53),
            addresses: addresses.map(address), expires: expires, base: 0, rules: 0)
    }

    private static func history(limits: NameHistory.Limits = .init(), isShared: Bool = false) -> NameHistory {
        let history = NameHistory(limits: limits, isShared: isShared)
        history.setPods([0: web, 1: api], at: 1)
        return history
    }

    @Test("a pod knows what it has learnt itself; with the scope of the node what all have")
    func scope() {
        for isShared in [false, true] {
            let history = Self.history(isShared: isShared)
            #expect(history.take([Self.record("a.example", [1, 2])]) == [Self.web])
            #expect(history.known(to: Self.web).map(\.name) == ["a.example"])
            #expect(history.known(to: Self.api).isEmpty == !isShared)
        }
    }

    @Test("names, addresses of a name and all of a pod are bounded; what ends first makes way, another pod's never")
    func bounds() throws {
        var limits = NameHistory.Limits()
        limits.names = 3
        limits.addresses = 4
        limits.total = 6
        let history = Self.history(limits: limits)
        history.take([Self.record("other.example", slot: 1, expires: 1)])
        for number in 0..<50 {
            history.take([Self.record("n\(number).example", [number], expires: 100 + UInt32(number))])
        }
        #expect(history.known(to: Self.web).map(\.name) == ["n47.example", "n48.example", "n49.example"])
        #expect(history.known(to: Self.api).map(\.name) == ["other.example"])
        // What would end before all the others finds no room.
        #expect(history.take([Self.record("old.example", expires: 5)]) == [])
        history.take([Self.record("n49.example", Array(200..<300), expires: 500)])
        let known = try #require(history.known(to: Self.web).first { $0.name == "n49.example" })
        #expect(known.addresses.count == 4)
        #expect(history.known(to: Self.web).reduce(0) { $0 + $1.addresses.count } <= 6)
        history.take([Self.record(String(repeating: "a", count: 5000))])
        #expect(history.known(to: Self.web).allSatisfy { $0.name.utf8.count < 100 })
    }

    @Test("a name that was learnt again stays for as long as its latest answer says")
    func renewed() {
        var limits = NameHistory.Limits()
        limits.names = 3
        let history = Self.history(limits: limits)
        for number in 0..<3 {
            history.take([Self.record("n\(number).example", [number], expires: 100 + UInt32(number))])
        }
        history.take([Self.record("n0.example", [7], expires: 500)])
        history.take([Self.record("n3.example", [3], expires: 200)])
        #expect(history.known(to: Self.web).map(\.name) == ["n0.example", "n2.example", "n3.example"])
        history.forget(before: 150)
        #expect(history.known(to: Self.web).map(\.name) == ["n0.example", "n3.example"])
        for (number, end) in [(4, 300), (5, 250), (6, 400)] as [(Int, UInt32)] {
            history.take([Self.record("n\(number).example", [number], expires: end)])
        }
        #expect(history.known(to: Self.web).map(\.name) == ["n0.example", "n4.example", "n6.example"])
    }

    @Test("records of a pod that has all the names it may have are taken at once, each for little")
    func flood() {
        let history = Self.history()
        func records(_ numbers: Range<Int>) -> [NameRecord] {
            numbers.map { number in
                Self.record("n\(number).example", Array((8 * number)..<(8 * number + 8)), expires: 100 + UInt32(number))
            }
        }
        history.take(records(0..<1024))
        let flood = records(1024..<(1024 + 16_384))
        let begin = ContinuousClock.now
        for first in stride(from: 0, to: flood.count, by: 1024) {
            history.take(Array(flood[first..<min(first + 1024, flood.count)]))
        }
        // A debug build takes 0.2 s, and a busy machine several times that; each name looked at for each record takes 20 s and more.
        #expect(ContinuousClock.now - begin < .seconds(4))
        #expect(history.known(to: Self.web).count == 1024)
    }

    @Test("an apply waits for a pod that goes on telling no longer than it has patience")
    func endless() throws {
        let history = Self.history()
        let reader = EndlessReader()
        let feed = NameFeed(history: history, reader: reader)
        try feed.drain(for: .zero)
        #expect(reader.taken == 1)
    }

    /// Has always more to tell.
    private final class EndlessReader: NameReading {
        private let count = Mutex(0)
        var taken: Int { count.withLock(\.self) }

        func wait() {}
        func take() -> [NameRecord] {
            let number = count.withLock { count in
                count += 1
                return count
            }
            return [NameHistoryTests.record("n\(number).example", [number])]
        }
    }

    @Test("refused names are counted, the latest ones kept")
    func denials() throws {
        var limits = NameHistory.Limits()
        limits.denied = 2
        let history = Self.history(limits: limits)
        history.take((0..<5).map { Self.record("d\($0).example", kind: .denied) })
        history.take([Self.record("d3.example", kind: .denied), Self.record("", kind: .serverDenied)])
        let denied = try #require(history.pods[Self.web]).denied
        #expect(denied.map(\.name) == ["d3.example", ""])
        #expect(denied.map(\.count) == [2, 1])
        #expect(denied.map(\.isServerName) == [false, true])
        #expect(try #require(history.pods[Self.web]).learnt.isEmpty)
    }

    @Test("a slot's records are those of the pod that had it then")
    func slots() {
        let history = Self.history()
        history.take([Self.record("a.example")])
        history.setPods([1: Self.api], at: 50)
        #expect(history.pods[Self.web] == nil)
        // Nobody's: kept for a moment, as a new pod is told of a little later.
        history.take([Self.record("late.example", time: 40), Self.record("new.example", time: 60)])
        history.setPods([0: EndpointKey(namespace: "shop", name: "new", uid: "3"), 1: Self.api], at: 70)
        history.take([])
        let new = EndpointKey(namespace: "shop", name: "new", uid: "3")
        #expect(history.known(to: new).map(\.name) == ["new.example"])
        // At once another pod's: what came before is not its own.
        history.setPods([0: Self.web, 1: Self.api], at: 90)
        history.take([Self.record("b.example", time: 80), Self.record("c.example", time: 95)])
        #expect(history.known(to: Self.web).map(\.name) == ["c.example"])
    }

    @Test("what has ended is forgotten; a file gives back what was written, within the bounds")
    func file() throws {
        let scratch = try ScratchFolder()
        let file = RecordFile<[NameRecords.Pod]>(path: scratch.file("names.json"))
        #expect(try file.load() == nil)
        let history = Self.history()
        history.take([Self.record("a.example", [1], expires: 100), Self.record("b.example", [2], expires: 200)])
        try file.save(try #require(history.takeUnsaved()))
        #expect(history.takeUnsaved() == nil)
        let next = NameHistory()
        next.restore(try #require(try file.load()))
        next.setPods([7: Self.web], at: 1)
        #expect(next.known(to: Self.web) == history.known(to: Self.web))
        next.forget(before: 100)
        #expect(next.known(to: Self.web).map(\.name) == ["b.example"])
        var limits = NameHistory.Limits()
        limits.names = 1
        let small = NameHistory(limits: limits)
        small.restore(try #require(try file.load()))
        #expect(small.known(to: Self.web).count == 1)
    }

    @Test("columns go on from the file that the kernel goes by, and from no older one")
    func columns() {
        var columns = NameColumns()
        _ = columns.numbering(of: "web", [NameList([.name("a.example"), .pattern("*.b.example")])])
        let file = ColumnRecords(columns, record: 4)
        #expect(file.columns == columns)
        let same = ColumnRecords.adopt(file, record: 4, next: 2)
        #expect(same.columns == columns)
        #expect(same.record == 4)
        // Written down, and the agent ended before the kernel went by it.
        #expect(ColumnRecords.adopt(file, record: 3, next: 1).columns.numberings == columns.numberings)
        for found in [nil, file] as [ColumnRecords?] {
            let anew = ColumnRecords.adopt(found, record: 5, next: 9)
            #expect(anew.columns.numberings.isEmpty)
            #expect(anew.columns.next == 9)
            #expect(anew.record == 5)
        }
    }

    @Test("what columns stand for is written down before it is put in force, and what cannot be is not")
    func keeping() throws {
        struct Failure: Error {}
        struct Fixed: PolicyCompiler {
            var columns: NameColumns
            mutating func compile(_ desired: DesiredChanges) throws -> CompiledNode {
                CompiledNode(
                    image: NodeImage(identities: [], addresses: [], prefixes: [], subjects: [], endpoints: []),
                    objects: ObjectTable(), node: "n", columns: columns)
            }
        }
        var columns = NameColumns()
        _ = columns.numbering(of: "web", [NameList([.name("a.example")])])
        var saved: [ColumnRecords] = []
        var fails = true
        let compiler = ColumnKeepingCompiler(Fixed(columns: columns), columns: NameColumns(), record: 6) {
            if fails { throw Failure() }
            saved.append($0)
        }
        let desired = DesiredChanges(generation: 1, node: "n", changes: [], links: [:])
        #expect(throws: Failure.self) { try compiler.compile(desired) }
        fails = false
        let record = try compiler.compile(desired).image.columnRecord
        #expect(saved.map(\.record) == [record])
        #expect(record > 6)
        #expect(try compiler.compile(desired).image.columnRecord == record)
        #expect(saved.count == 1)
    }

    @Test("conditions name what did not fit")
    func conditions() throws {
        #expect(Condition.namesLeftOut([], denied: [], entries: 0) == nil)
        let all = (0..<20).map { "p\($0).example." }
        let proxied = try #require(Condition.namesLeftOut(all, denied: [], entries: 0))
        #expect(proxied.message.contains("12 more") && proxied.message.contains("over TCP"))
        #expect(!proxied.message.contains("denied"))
        let mixed = try #require(Condition.namesLeftOut(all, denied: ["p7.example."], entries: 0))
        #expect(mixed.message.contains("19 patterns") && mixed.message.contains("1 pattern of names (p7.example.)"))
        let patterns = try #require(Condition.namesLeftOut(all, denied: all, entries: 3))
        #expect(!patterns.message.contains("over TCP"))
        #expect(patterns.message.contains("p0.example.") && patterns.message.contains("12 more"))
        #expect(patterns.message.contains("3 sets"))
        let full = Condition.learntFull([
            Self.web: LearntUse(entries: 8192, refused: 5, unlearnt: 0),
            Self.api: LearntUse(entries: 1, refused: 0, unlearnt: 9),
        ])
        #expect(full.map(\.subject) == ["\(Self.web)"])
    }
}
