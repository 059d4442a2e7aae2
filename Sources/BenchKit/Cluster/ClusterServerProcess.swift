import Glibc
import Support
import SystemPackage

/// The process of a `ClusterServer`. It ends when its input does, so with this process too, however that ends.
final class ClusterServerProcess {
    /// Its number.
    let process: pid_t
    private let check: () throws -> Void
    private var isReaped = false
    private let input: FileDescriptor
    private let output: FileDescriptor
    private var rest: [UInt8] = []

    /// Starts one, in a process group of its own: Ctrl-C is for this process, which needs the server until it has ended its own
    /// work. Returns when it serves.
    ///
    /// - Parameters:
    ///   - kubeconfig: the file that it writes.
    ///   - podsPerNamespace: of each of its namespaces.
    ///   - program: what is started.
    ///   - check: called while its answers are waited for.
    /// - Throws: when it cannot be started, or says something else; what `check` throws.
    init(
        kubeconfig: String, podsPerNamespace: Int, program: String = "/proc/self/exe",
        check: @escaping () throws -> Void
    ) throws {
        self.check = check
        let requests = try FileDescriptor.pipe()
        let answers = try FileDescriptor.pipe()
        for end in [requests.readEnd, requests.writeEnd, answers.readEnd, answers.writeEnd] {
            _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, requests.readEnd.rawValue, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, answers.writeEnd.rawValue, STDOUT_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        let arguments = [program, "bench-cluster-server", kubeconfig, "\(podsPerNamespace)"]
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let status = posix_spawn(&process, program, &actions, &attributes, &words, environ)
        guard status == 0 else { throw SystemError("start", program, Errno(rawValue: status)) }
        // A request to a server that has ended is an error here, not the end of this process.
        signal(SIGPIPE, SIG_IGN)
        self.process = process
        (input, output) = (requests.writeEnd, answers.readEnd)
        try requests.readEnd.close()
        try answers.writeEnd.close()
        do {
            guard try line() == ClusterServer.ready else { throw SystemError("start", "the API server", nil) }
        } catch {
            stop()
            throw error
        }
    }

    /// Whether it has ended.
    var hasEnded: Bool {
        var status: Int32 = 0
        if !isReaped { isReaped = waitpid(process, &status, WNOHANG) == process }
        return isReaped
    }

    /// Asks for a change; returns when the server began to make it, CLOCK_MONOTONIC nanoseconds.
    func ask(_ request: ClusterServer.Request) throws -> UInt64 {
        _ = try input.writeAll("\(request.text)\n".utf8)
        guard let time = UInt64(try line()) else { throw SystemError("ask", "the API server", nil) }
        return time
    }

    /// Ends it: by its input, and by force where that is not enough within two seconds.
    func stop() {
        try? input.close()
        try? output.close()
        for _ in 0..<100 where !hasEnded { usleep(20_000) }
        guard !hasEnded else { return }
        kill(process, SIGKILL)
        var status: Int32 = 0
        isReaped = waitpid(process, &status, 0) == process
    }

    private func line() throws -> String {
        while true {
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                defer { rest.removeSubrange(...end) }
                return String(decoding: rest[..<end], as: UTF8.self)
            }
            guard try waitForAnswer() else { throw ClusterServerProcess.ended }
            var chunk = [UInt8](repeating: 0, count: 256)
            let count = try chunk.withUnsafeMutableBytes { try output.read(into: $0) }
            guard count > 0 else { throw ClusterServerProcess.ended }
            rest += chunk[..<count]
        }
    }

    /// Waits until there is something to read; `false` when the server has ended, and said nothing more.
    private func waitForAnswer() throws -> Bool {
        var answer = pollfd(fd: output.rawValue, events: Int16(POLLIN), revents: 0)
        while true {
            let hasEnded = self.hasEnded
            let count = try SystemError.check("ask", "the API server") { poll(&answer, 1, hasEnded ? 0 : 200) }
            if count > 0 { return true }
            if hasEnded { return false }
            try check()
        }
    }

    /// What is said where it should go on.
    static let ended = SystemError("ask", "the API server", nil, detail: "it has ended")
}
