import BPFEmit
import SystemPackage
import Testing

@testable import Datapath

@Suite("loading and running programs", .needsRoot)
struct BPFProgramTests {
    private let frame = [UInt8](repeating: 0, count: 64)

    @Test("a loaded program runs on a frame and its return value comes back", arguments: [0, 2, -1] as [Int32])
    func runs(value: Int32) throws {
        let program = try BPFProgram(AssembledProgram.returning(value), name: "np_test", hitBase: 0, maps: [:])
        let result = try TestRun(frame: frame).run(program)
        #expect(result.returned == value)
        #expect(result.frame == frame)
    }

    @Test("cb goes in and comes out")
    func cb() throws {
        let program = try BPFProgram(AssembledProgram.counting, name: "np_test", hitBase: 0, maps: [:])
        var run = TestRun(frame: frame)
        run.cb = (41, 2, 3, 4, 5)
        let result = try run.run(program)
        #expect(result.cb == (42, 2, 3, 4, 5))
    }

    @Test("a refused program says which instruction and why, and names the errno")
    func verifierError() throws {
        let error = #expect(throws: BPFError.self) {
            try BPFProgram(AssembledProgram.readingUninitialised, name: "np_bad", hitBase: 0, maps: [:])
        }
        #expect(error?.operation == .loadProgram)
        #expect(error?.errnoName == "EACCES")
        #expect(error?.verifierLog?.decisiveLines.last == "R7 !read_ok")
        #expect(error?.description.contains("0: (bf) r0 = r7") == true)
    }

    @Test("a program whose map is not given is refused before the kernel is asked")
    func missingMap() {
        #expect(throws: BPFError(.loadProgram, "np_test", errno: .invalidArgument, detail: "no map for peers")) {
            try BPFProgram(AssembledProgram.askingPeers, name: "np_test", hitBase: 0, maps: [:])
        }
    }

    @Test("the peers map of a program is its own")
    func peers() throws {
        let map = try BPFMap(hash: "np_peers", keySize: 4, valueSize: 16, capacity: 8)
        try map.setWords(7, [1, 2])
        let program = try BPFProgram(AssembledProgram.askingPeers, name: "np_test", hitBase: 0, maps: [.peers: map])
        for (identity, expected) in [(7, 1), (8, 0)] as [(UInt32, Int32)] {
            var run = TestRun(frame: frame)
            run.cb.1 = identity
            #expect(try run.run(program).returned == expected)
        }
        #expect(try program.mapIDs() == [map.id])
    }

    @Test("a frame without an Ethernet header is refused by the kernel, with an error")
    func shortFrame() throws {
        let program = try BPFProgram(AssembledProgram.returning(0), name: "np_test", hitBase: 0, maps: [:])
        let error = #expect(throws: BPFError.self) { try TestRun(frame: [1, 2, 3]).run(program) }
        #expect(error?.operation == .runProgram)
        #expect(error?.errnoName == "EINVAL")
    }
}
