import BPFEmit
import CNetpoldABI
import Foundation
import NetTypes
import NetpoldTestSupport
import Synchronization
import Testing

@testable import Datapath

@Suite("DNS answers that the proxy teaches", .needsRoot)
struct LessonTests {
    typealias World = NameWorld

    private static func teach(
        _ harness: PacketHarness, _ message: [UInt8], slot: UInt32 = PacketWorld.Pod.a.rawValue,
        client: IPAddress = World.pod(.a, v6: false), columns: (UInt32, UInt32) = (0, 0)
    ) throws -> np_lesson_answer {
        let head = [UInt8](repeating: 0, count: 14) + World.resolver(v6: false).bytes + client.bytes
        var run = TestRun(frame: head + message)
        run.cb = (slot | UInt32(NP_CB_LESSON), columns.0, columns.1, 0, 0)
        return np_lesson_answer(
            rawValue: UInt32(bitPattern: try run.run(try harness.program("np_dns_lesson")).returned))
    }

    @Test("an answer that cannot be read, or is nobody's, is withheld where the node drops such answers")
    func withheld() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            let good = DNSText.answer("www.example.com", records: [DNSText.address(World.outside(9))])
            let cases: [(String, [UInt8], UInt32, IPAddress)] = [
                ("cut", Array(good.dropLast()), PacketWorld.Pod.a.rawValue, World.pod(.a, v6: false)),
                ("another pod's address", good, PacketWorld.Pod.a.rawValue, World.pod(.b, v6: false)),
                ("nobody's slot", good, 4000, World.pod(.a, v6: false)),
            ]
            for (drops, expected) in [(UInt32(0), NP_LESSON_REFUSED), (1, NP_LESSON_WITHHELD)] {
                try harness.map("np_name_options").set(
                    UInt32(0), NameWorld.options(refusal: 5, leastTTL: 0, dropsInexact: drops))
                for (what, message, slot, client) in cases {
                    #expect(try Self.teach(harness, message, slot: slot, client: client) == expected, "\(what)")
                }
                #expect(try harness.learnt(World.outside(9)) == nil)
            }
            #expect(try Self.teach(harness, good) == NP_LESSON_TAKEN)
            #expect(try harness.learnt(World.outside(9))?.columns == 1)
        }
    }

    @Test("columns that the proxy says hold besides those of the automaton, if they are of the numbering in force")
    func columns() throws {
        try PacketHarness.with { harness throws in
            try harness.restrictByColumns()
            let record = DNSText.address(World.outside(9))
            let unknown = DNSText.answer("far.example.org", records: [record])
            #expect(try Self.teach(harness, unknown) == NP_LESSON_TAKEN)
            #expect(try harness.learnt(World.outside(9)) == nil)
            #expect(try Self.teach(harness, unknown, columns: (World.number + 1, 4)) == NP_LESSON_TAKEN)
            #expect(try harness.learnt(World.outside(9)) == nil)
            #expect(try Self.teach(harness, unknown, columns: (World.number, 4)) == NP_LESSON_TAKEN)
            #expect(try harness.learnt(World.outside(9))?.columns == 4)
            let known = DNSText.answer("www.example.com", records: [record])
            #expect(try Self.teach(harness, known, columns: (World.number, 8)) == NP_LESSON_TAKEN)
            #expect(try harness.learnt(World.outside(9))?.columns == 13)
        }
    }

    @Test("whoever waits for running programs waits for lessons that were under way, and for no later ones")
    func waited() throws {
        let node = try NodeDatapath(DatapathOptions(pins: nil, attachment: .none, flowSets: 1 << 10))
        let scratch = try #require(node.maps.all.first { $0.name == "np_lesson_scratch" })
        func set(_ busy: [UInt32]) throws {
            var values = try scratch.perCPUValues(of: 0, value: np_lesson())
            for (cpu, number) in busy.enumerated() { values[cpu].busy = number }
            try scratch.setPerCPU(0, values)
        }
        let cpus = try scratch.perCPUValues(of: 0, value: np_lesson()).count
        try node.waitForPrograms()
        try set((0..<cpus).map { $0 == cpus - 1 ? 1 : 0 })
        let lessons = try #require(node.maps.proxy?.lessons)
        #expect(throws: BPFError.self) { try lessons.wait(.milliseconds(50)) }

        let isOver = Mutex(false)
        let waiting = Thread {
            try? lessons.wait(.seconds(60))
            isOver.withLock { $0 = true }
        }
        waiting.start()
        Thread.sleep(forTimeInterval: 0.1)
        #expect(!isOver.withLock { $0 })
        try set([UInt32](repeating: 0, count: cpus))
        // Others that begin do not count.
        for _ in 0..<6000 where !isOver.withLock({ $0 }) { Thread.sleep(forTimeInterval: 0.01) }
        #expect(isOver.withLock { $0 })
    }
}
