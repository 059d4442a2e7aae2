import Foundation
import Testing

@Suite("Processes of tests")
struct ChildProcessTests {
    private let output = FileManager.default.temporaryDirectory.appending(path: "child-\(UUID().uuidString)").path()

    /// Some servers close everything they inherit: that is not their end, and keeps nobody else's from being seen.
    @Test("a child that closes all it inherits has not ended; the end of another one is seen meanwhile")
    func closing() throws {
        defer { unlink(output) }
        let server = try ChildProcess(
            "/bin/bash", ["-c", "for f in /proc/$$/fd/*; do eval \"exec ${f##*/}>&-\"; done; exec sleep 60"],
            output: output)
        usleep(200_000)
        let other = try ChildProcess("/bin/sh", ["-c", "exit 7"], output: output)
        #expect(other.waitUntilExit() == 7)
        #expect(server.isRunning)
        server.signal(SIGKILL)
        #expect(server.waitUntilExit() == -SIGKILL)
    }

    @Test("no signal is blocked or ignored, no file is inherited, and the kernel ends it with whoever has started it")
    func inheritance() throws {
        defer { unlink(output) }
        let script =
            "import ctypes, os; sign = ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(sign)); "
            + "print(sign.value, sorted(os.listdir('/proc/self/fd'))[:3], len(os.listdir('/proc/self/fd'))); "
            + "print(*[line for line in open('/proc/self/status') if line.startswith('SigBlk')])"
        let child = try ChildProcess("/usr/bin/python3", ["-c", script], output: output)
        #expect(child.waitUntilExit() == 0)
        let text = try String(contentsOfFile: output, encoding: .utf8)
        // SIGKILL at its starter's end; the fourth file is the folder that is listed.
        #expect(text.hasPrefix("9 ['0', '1', '2'] 4\n"), "\(text)")
        #expect(text.contains("SigBlk:\t0000000000000000"), "\(text)")
    }
}
