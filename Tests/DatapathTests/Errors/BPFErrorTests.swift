import SystemPackage
import Testing

@testable import Datapath

@Suite("errors of the datapath")
struct BPFErrorTests {
    @Test("an error names operation, object, reason and errno, and says what to do where that is known")
    func description() {
        #expect(
            "\(BPFError(.createMap, "np_flows", errno: .notPermitted))"
                == "cannot create map np_flows: Operation not permitted (EPERM); "
                + "needs root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON")
        #expect(
            "\(BPFError(.openPin, "/x/np_flows", errno: .fileExists, detail: "made by another version"))"
                == "cannot open pin /x/np_flows: made by another version (EEXIST)")
    }

    @Test("the verifier's decisive lines follow, indented")
    func verifier() {
        let error = BPFError(
            .loadProgram, "np_ingress", errno: .permissionDenied,
            verifierLog: VerifierLog("0: (bf) r0 = r7\nR7 !read_ok\nprocessed 1 insns"))
        #expect(
            "\(error)" == """
                cannot load program np_ingress: Permission denied (EACCES)
                    0: (bf) r0 = r7
                    R7 !read_ok
                """)
    }

    @Test("an interrupted call is made again, another failure is not")
    func retries() throws {
        var calls = 0
        let answer = try Libbpf.call(.readMap, "x") {
            calls += 1
            return calls < 4 ? -4 : 7
        }
        #expect(answer == 7)
        #expect(calls == 4)
        #expect(throws: BPFError(.readMap, "x", errno: .resourceTemporarilyUnavailable)) {
            try Libbpf.call(.readMap, "x") {
                calls += 1
                return -11
            }
        }
        #expect(calls == 5)
    }
}
