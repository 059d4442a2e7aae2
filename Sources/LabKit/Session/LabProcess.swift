import Foundation
import Glibc
import Support
import SystemPackage

/// Processes that belong to a lab.
package enum LabProcess {
    /// Ends every other netpold whose arguments end with, or hold in a row, one of these lists of words. Found by what they are, not
    /// by a number written down: a run may be killed between starting a process and noting it.
    package static func end(whoseArgumentsHold lists: [[String]]) {
        let found = processes(lists)
        for process in found { kill(process, SIGTERM) }
        for _ in 0..<100 where found.contains(where: { isAlive($0, lists) }) { usleep(50_000) }
        for process in found where isAlive(process, lists) { kill(process, SIGKILL) }
    }

    private static func processes(_ lists: [[String]]) -> [Int32] {
        let names = (try? FolderNames.read("/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { $0 != getpid() && isAlive($0, lists) }
    }

    /// Whether a process is such a netpold and has not ended; children that have are taken note of.
    private static func isAlive(_ process: Int32, _ lists: [[String]]) -> Bool {
        _ = isRunning(child: process)
        guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
        let arguments = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        let program = arguments.first?.split(separator: "/").last
        // Installed under another name, such as netpold-1.2, it starts its processes under that name.
        guard program == "netpold" || program == ownPath.split(separator: "/").last else { return false }
        return lists.contains { words in
            arguments.indices.contains { arguments[$0...].starts(with: words) }
        }
    }

    /// The path of this program.
    package static var ownPath: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    /// Starts this program, or another one, with other arguments, in a process group of its own (Ctrl-C is for this one), its output
    /// going to a file. Nothing that is open here is open there: a kept process must not hold the ends of its starter's
    /// pipes.
    package static func start(_ arguments: [String], log: String, program: String = ownPath) throws -> Int32 {
        closeOnExec()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))

        var words = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let status = posix_spawn(&process, program, &actions, &attributes, &words, environ)
        guard status == 0 else { throw SystemError("start", program, Errno(rawValue: status)) }
        return process
    }

    /// Whether a child of this process has not ended.
    package static func isRunning(child process: Int32) -> Bool {
        var status: Int32 = 0
        return waitpid(process, &status, WNOHANG) == 0
    }

    /// Whether a log has this line.
    static func log(_ path: String, says line: String) -> Bool {
        text(of: path).split(separator: "\n").contains { $0 == line }
    }

    /// What a log holds.
    static func text(of log: String) -> String {
        FileManager.default.contents(atPath: log).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private static func closeOnExec() {
        for name in (try? FolderNames.read("/proc/self/fd")) ?? [] {
            if let descriptor = Int32(name), descriptor > STDERR_FILENO { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
    }

    /// Lets this process have as many files open as it may.
    static func raiseFileLimit() {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(files, &limit)
    }
}
