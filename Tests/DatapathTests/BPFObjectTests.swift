import BPFEmit
import CNetpoldABI
import Foundation
import SystemPackage
import Testing

@testable import BenchKit
@testable import Datapath

@Suite("the embedded object")
struct BPFObjectTests {
    @Test("it opens without privileges; each of its programs has a step, and each step a program")
    func opens() throws {
        let object = try BPFObject()
        // The two of the proxy's side are attached by themselves; the third is run by the proxy.
        let others: Set = ["np_from_proxy", "np_to_listener", "np_dns_lesson"]
        #expect(object.programNames.sorted() == Set(DatapathMaps.steps.map(\.program)).union(others).sorted())
        #expect(DatapathMaps.steps.map(\.step.rawValue).sorted() == Array(0..<NP_STEP_COUNT.rawValue))
    }

    @Test("its layouts are those Swift uses, and those of the bench")
    func layouts() throws {
        let veth = try BPFObject()
        let bench = try BPFObject(name: "np_bench", bytes: try EmbeddedObject.bytes(of: EmbeddedBenchObject.base64))
        #expect(BTFCheck.differences(in: veth) == [])
        #expect(BTFCheck.differences(in: bench) == [])
        #expect(BTFCheck.unchecked(in: veth) == ["np_bench_plan"])
        #expect(!BTFCheck.unchecked(in: bench).contains("np_bench_plan"))
    }

    @Test("every struct of netpold_abi.h is compared, and maps hold no other")
    func structs() throws {
        let header = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/CNetpoldABI/include/netpold_abi.h")
        let declared = try String(contentsOf: header, encoding: .utf8).matches(of: /\nstruct (np_\w+) \{/)
        #expect(Set(declared.map { String($0.1) }) == Set(BTFCheck.structures.map(\.name)))
        let held = try BPFObject().structsOfMaps.flatMap(\.structs)
        #expect(held.contains("np_question") && held.contains("np_fragment"))
        #expect(Set(held).isSubset(of: BTFCheck.structures.map(\.name)))
    }

    @Test("each kind of difference is named")
    func differences() throws {
        let other = [
            BTFCheck.Expected("np_counter", np_control.self, [("packets", \.wakeup_bytes), ("drops", \.listeners)])
        ]
        let found = BTFCheck.differences(in: try BPFObject(), against: other)
        #expect(
            found.prefix(4) == [
                "struct np_counter: 16 bytes in the object, 8 here",
                "struct np_counter.drops: missing in the object, at 0 here",
                "struct np_counter.packets: at 0 in the object, at 4 here",
                "struct np_counter.bytes: at 8 in the object, not compared here",
            ])
        #expect(found.contains("map np_scratch: struct np_question is not one of netpold_abi.h"))
        #expect(!found.contains { $0.hasPrefix("map np_reasons") })
    }

    @Test("its classes of name bytes are those the automata are made with")
    func nameClasses() throws {
        let classes = try #require(try BPFObject().constants(of: ".rodata.classes"))
        #expect(classes == (0...UInt8.max).map { UInt8(NameClass(labelByte: $0).number) })
        #expect(Int(NP_NAME_CLASSES) == NameClass.count)
        #expect(Int(NP_NAME_CLASS_END) == NameClass.end.number)
        #expect(Int(NP_NAME_DEAD) == NameAutomaton.dead && Int(NP_NAME_START) == NameAutomaton.start)
        #expect(Int(NP_MAX_NAME_STATES) == NameAutomaton.maximumStates)
    }

    @Test("bytes that are no object are refused")
    func garbage() {
        #expect(throws: BPFError.self) { try BPFObject(name: "garbage", bytes: [1, 2, 3]) }
    }

    @Test("it loads, its programs run, and what it does not have is named in the error", .needsRoot)
    func loads() throws {
        let object = try BPFObject()
        try object.load()
        let program = try object.program("np_from_pod")
        #expect(program.verifiedInstructions > 0)
        // No endpoint is ready: everything is dropped.
        #expect(try TestRun(frame: [UInt8](repeating: 0, count: 60)).run(program).returned == 2)
        #expect(
            throws: BPFError(
                .findMap, "np_nothing", errno: .noSuchFileOrDirectory, detail: "np_veth declares no such map")
        ) {
            try object.map("np_nothing")
        }
        #expect(throws: BPFError(.findProgram, "np_nothing", errno: .noSuchFileOrDirectory)) {
            try object.program("np_nothing")
        }
    }
}
