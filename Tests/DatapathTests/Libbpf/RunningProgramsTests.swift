import Glibc
import Testing

@testable import Datapath

@Suite("The wait for running programs")
struct RunningProgramsTests {
    @Test(
        "lists of CPUs as the kernel writes them",
        arguments: [
            ("0\n", [0]), ("0-3\n", [0, 1, 2, 3]), ("0-1,4,6-7\n", [0, 1, 4, 6, 7]), ("0-3", [0, 1, 2, 3]),
        ] as [(String, [Int32])])
    func lists(_ text: String, _ cpus: [Int32]) { #expect(CPUList.parse(Array(text.utf8)) == cpus) }

    @Test(
        "anything else is no list",
        arguments: ["", "\n", "(null)\n", "3-1\n", "0-\n", "-1\n", "0,,1\n", "0-1-2\n", "8192\n", "0-99999999999\n", "a\n"])
    func noLists(_ text: String) { #expect(CPUList.parse(Array(text.utf8)) == nil) }

    @Test("a visit leaves the thread where it may run as before")
    func affinity() {
        // On a thread of its own: others share theirs.
        var before = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        #expect(RunningPrograms.visitEveryCPU())
        before -= sysconf(Int32(_SC_NPROCESSORS_ONLN))
        #expect(before == 0)
    }

    #if DEBUG
        @Test("where threads may not go everywhere the kernel's own waits do", arguments: 0...1)
        func fallback(_ failures: Int) throws {
            let fault = InjectedFault(.waitForReaders, call: failures, errno: .notPermitted)
            try InjectedFault.$current.withValue(fault) { try RunningPrograms.wait() }
            #expect(fault.fired == (failures == 0))
        }
    #endif
}
