import BPFEmit
import Glibc
import NetTypes
import NetpoldTestSupport
import Synchronization
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
        arguments: ["", "\n", "(null)\n", "3-1\n", "0-\n", "-1\n", "0-1-2\n", "8192\n", "0-99999999999\n", "a\n"])
    func noLists(_ text: String) { #expect(CPUList.parse(Array(text.utf8)) == nil) }

    @Test("a visit leaves the thread where it may run as before")
    func affinity() {
        let before = allowedCPUs()
        #expect(RunningPrograms.visitEveryCPU())
        #expect(allowedCPUs() == before)
        #expect(!before.isEmpty)
    }

    /// Where the calling thread may run, as the kernel says.
    private func allowedCPUs() -> String {
        guard let file = fopen("/proc/thread-self/status", "r") else { return "" }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 1024)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix("Cpus_allowed:") { return text }
        }
        return ""
    }

    @Test("programs at a hook that had begun before the wait have ended after it", .needsRoot)
    func waits() throws {
        let path = "/run/netpold-test-\(getpid())-running"
        let namespace = try NetworkNamespace.create(at: path)
        defer { try? NetworkNamespace.remove(at: path) }
        let map = try BPFMap(array: "np_slow", valueSize: 16, capacity: 1)
        let program = try BPFProgram(AssembledProgram.slow, name: "np_slow", hitBase: 0, maps: [.peers: map])
        func runs() throws -> SlowRuns { try #require(try map.value(of: UInt32(0), initial: SlowRuns())) }
        let (inTheMiddle, stillRunning) = try namespace.run {
            let netlink = try NetlinkSocket()
            let loopback = try netlink.link(named: "lo").index
            try netlink.setUp(loopback)
            let link = try Libbpf.createLink(program: program.fd, ifindex: UInt32(loopback), .egress)
            defer { withExtendedLifetime(link) {} }
            let socket = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            defer { close(socket) }
            let sender = Sender(socket)
            let thread = try BackgroundThread { sender.run() }
            defer {
                sender.isOver.store(true, ordering: .relaxed)
                thread.join()
            }
            var inTheMiddle = 0
            var stillRunning = 0
            let limit = ContinuousClock.now + .seconds(150)
            // Other tests run beside this one: the sender may be without a CPU for a while.
            while inTheMiddle < 50, ContinuousClock.now < limit {
                let before = try runs()
                if before.begun > before.ended { inTheMiddle += 1 }
                guard RunningPrograms.visitEveryCPU() else { break }
                if try runs().ended < before.begun { stillRunning += 1 }
            }
            return (inTheMiddle, stillRunning)
        }
        #expect(stillRunning == 0)
        #expect(inTheMiddle >= 50, "no program was running when the wait began: this shows nothing")
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

/// How often the slow program has begun and ended.
private struct SlowRuns: BitwiseCopyable {
    var begun: UInt64 = 0
    var ended: UInt64 = 0
}

/// Sends datagrams to nobody, one after the other.
private final class Sender: Sendable {
    let isOver = Atomic(false)
    private let socket: Int32

    init(_ socket: Int32) { self.socket = socket }

    func run() {
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = UInt16(9).bigEndian
        target.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        while !isOver.load(ordering: .relaxed) {
            withUnsafePointer(to: &target) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = sendto(socket, "x", 1, Int32(MSG_NOSIGNAL), $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
    }
}
