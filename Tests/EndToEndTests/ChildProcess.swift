import Foundation
import Glibc
import Synchronization

/// A process that a test starts. It has none of the test's files and signal settings, and dies with the test, however that ends.
///
/// Foundation's `Process` takes a child for one that ends when it closes a socket that it was given, and waits for it on the one thread
/// that all of them share. Servers that close all they inherit, as dnsmasq does, stop that thread; nobody else's end is seen then.
final class ChildProcess {
    let processIdentifier: pid_t
    /// The exit code, negative for a signal's number; `nil` while it runs.
    private var ended: Int32?

    /// Starts a program by its path. What it prints goes to a file, which is emptied.
    init(_ program: String, _ arguments: [String], output: String) throws {
        let words = ["/usr/bin/setpriv", "--pdeathsig", "SIGKILL", program] + arguments
        processIdentifier = try Spawner.shared.run { try ChildProcess.spawn(words, output: output) }
    }

    deinit {
        guard isRunning else { return }
        kill(processIdentifier, SIGKILL)
        waitUntilExit()
    }

    var isRunning: Bool {
        note(WNOHANG)
        return ended == nil
    }

    /// Waits for its end: the exit code, negative for a signal's number.
    @discardableResult
    func waitUntilExit() -> Int32 {
        while ended == nil { note(0) }
        return ended ?? 0
    }

    /// Sends a signal, if it has not ended: its number is not another's until its end is seen.
    func signal(_ number: Int32) {
        if isRunning { kill(processIdentifier, number) }
    }

    func terminate() { signal(SIGTERM) }

    private func note(_ options: Int32) {
        guard ended == nil else { return }
        var status: Int32 = 0
        guard waitpid(processIdentifier, &status, options) == processIdentifier else { return }
        ended = status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
    }

    private static func spawn(_ words: [String], output: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        // Glibc hides posix_spawn_file_actions_addclosefrom_np from Swift. Some more, as others may open files meanwhile.
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
        for descriptor in STDERR_FILENO + 1...max(open.max() ?? 0, 3) + 64 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var arguments = words.map { strdup($0) } + [nil]
        defer { for word in arguments { free(word) } }
        var process: pid_t = 0
        let status = posix_spawn(&process, words[0], &actions, &attributes, &arguments, environ)
        guard status == 0 else { throw PodNetworkError("\(words[0]): \(String(cString: strerror(status)))") }
        return process
    }
}

/// The thread that starts processes. They die with it, as the kernel sees it, so it never ends; the threads of Swift's pool do.
private final class Spawner: Sendable {
    static let shared = Spawner()

    private struct Job: Sendable {
        let body: @Sendable () -> Void
    }

    private let jobs = Mutex<[Job]>([])
    private let waiting = DispatchSemaphore(value: 0)

    private init() {
        let thread = Thread { [self] in
            while true {
                waiting.wait()
                jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }?.body()
            }
        }
        thread.name = "test-spawner"
        thread.start()
    }

    /// What `body` returns on the thread.
    func run(_ body: @escaping @Sendable () throws -> pid_t) throws -> pid_t {
        let answer = Answer()
        jobs.withLock { $0.append(Job { answer.give(Result(catching: body)) }) }
        waiting.signal()
        return try answer.wait().get()
    }

    private final class Answer: Sendable {
        private let result = Mutex<Result<pid_t, any Error>>(.failure(PodNetworkError("nothing was started")))
        private let done = DispatchSemaphore(value: 0)

        func give(_ value: Result<pid_t, any Error>) {
            result.withLock { $0 = value }
            done.signal()
        }

        func wait() -> Result<pid_t, any Error> {
            done.wait()
            return result.withLock { $0 }
        }
    }
}
