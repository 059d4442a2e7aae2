import SystemPackage
import Testing

@testable import Datapath

@Suite("the embedded object")
struct BPFObjectTests {
    @Test("it opens without privileges, and each of its programs has a step")
    func opens() throws {
        let object = try BPFObject()
        #expect(object.programNames.sorted() == DatapathMaps.steps.map(\.program).sorted())
    }

    @Test("its layouts are those Swift uses")
    func layouts() throws {
        #expect(BTFCheck.differences(in: try BPFObject()) == [])
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
