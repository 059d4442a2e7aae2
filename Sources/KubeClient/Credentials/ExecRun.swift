import Foundation
import Glibc

/// Runs a credential plugin to its end. Blocks: for a thread of its own.
///
/// Not with Foundation's `Process`, which takes a child for alive as long as any other process has inherited its sockets.
struct ExecRun {
    /// How long it may take: less than a request waits for its answer (`WatchSettings.answerLimit`), so that this is told.
    var limit: Duration = .seconds(25)
    /// Bytes that it may print.
    var outputLimit = 1 << 20
    /// Where others find it.
    var running = RunningPlugin()
    /// How often it is looked whether whoever wants the output has given up.
    private static let look: Duration = .milliseconds(50)

    /// What the plugin prints to standard output; what it says to standard error goes into the agent's own.
    ///
    /// - Throws: `RequestFailure.credentials` when it is not there, fails, takes too long or prints too much,
    ///   `RequestFailure.connection` when the task is cancelled: it is ended then.
    func output(of plugin: ExecPlugin) throws(RequestFailure) -> [UInt8] {
        let hint = plugin.installHint.isEmpty ? "" : " (\(plugin.installHint))"
        guard let program = ExecRun.find(plugin.command) else {
            throw .credentials("\(plugin.origin): \(plugin.command) is not there, or not executable\(hint)")
        }
        var ends: [Int32] = [-1, -1]
        // A socket, not a pipe: it can be made so that no other child inherits it.
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw ExecRun.cannotRun(plugin, program, errno, hint) }
        defer { close(ends[0]) }
        let (child, failure) = ExecRun.start(program, plugin, output: ends[1])
        close(ends[1])
        guard let child else { throw ExecRun.cannotRun(plugin, program, failure, hint) }
        running.began(child)
        let end = ContinuousClock.now + limit
        guard let output = read(ends[0], until: end) else {
            throw stopped(
                "\(plugin.origin): \(program) took more than \(limit), or printed more than \(outputLimit) bytes")
        }
        // Who has closed its output has not ended yet.
        guard let status = finish(until: end) else {
            throw stopped("\(plugin.origin): \(program) took more than \(limit)")
        }
        guard status == 0 else {
            let how = status & 0x7f == 0 ? "status \(status >> 8 & 0xff)" : "signal \(status & 0x7f)"
            throw .credentials("\(plugin.origin): \(program) ended with \(how)\(hint)")
        }
        return output
    }

    private static func cannotRun(
        _ plugin: ExecPlugin, _ program: String, _ number: Int32, _ hint: String
    ) -> RequestFailure {
        .credentials("\(plugin.origin): \(program) cannot be run: \(String(cString: strerror(number)))\(hint)")
    }

    /// Starts the program in a process group of its own. It inherits the three standard files: all others of the agent close
    /// themselves.
    ///
    /// - Returns: its number; `nil` with `errno` when it cannot be started.
    private static func start(_ program: String, _ plugin: ExecPlugin, output: Int32) -> (pid_t?, Int32) {
        var environment = ProcessInfo.processInfo.environment
        environment.merge(plugin.environment) { _, new in new }
        environment["KUBERNETES_EXEC_INFO"] = info(plugin)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        // The agent ignores some signals; that is nothing for others to inherit.
        for number in [SIGPIPE, SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments: [UnsafeMutablePointer<CChar>?] = ([plugin.command] + plugin.arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var child: pid_t = 0
        let failure = posix_spawn(&child, program, &actions, &attributes, &arguments, &variables)
        return failure == 0 ? (child, 0) : (nil, failure)
    }

    /// Ends it, and what it has started; answers why.
    private func stopped(_ why: String) -> RequestFailure {
        let isGivenUp = Task.isCancelled
        running.end()
        while running.ended() == nil { usleep(5_000) }
        return isGivenUp ? .connection("given up") : .credentials(why)
    }

    /// Waits for the end, which is to come soon; `nil` when it does not, or nobody waits for it any more.
    private func finish(until end: ContinuousClock.Instant) -> Int32? {
        while true {
            if let status = running.ended() { return status }
            guard .now < end, !Task.isCancelled else { return nil }
            usleep(5_000)
        }
    }

    /// Everything up to the end of the stream; `nil` when it is too much, takes too long or nobody wants it any more.
    private func read(_ descriptor: Int32, until end: ContinuousClock.Instant) -> [UInt8]? {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let left: Double = min(end - ContinuousClock.now, ExecRun.look) / .milliseconds(1)
            guard left > 0, !Task.isCancelled else { return nil }
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = Glibc.poll(&poll, 1, Int32(left.rounded(.up)))
            if ready == 0 || (ready < 0 && errno == EINTR) { continue }
            guard ready > 0 else { return nil }
            let count = Glibc.read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 ? bytes : nil }
            bytes += block[..<count]
            guard bytes.count <= outputLimit else { return nil }
        }
    }

    /// The program's path: as it is with a slash in it, else the first in PATH.
    private static func find(_ command: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        let paths = command.contains("/") ? [command] : folders.map { "\($0)/\(command)" }
        return paths.first { access($0, X_OK) == 0 }
    }

    /// `KUBERNETES_EXEC_INFO`.
    private static func info(_ plugin: ExecPlugin) -> String {
        var spec: [String: Any] = ["interactive": false]
        if let cluster = plugin.cluster {
            var told: [String: Any] = ["server": cluster.server]
            told["tls-server-name"] = cluster.serverName
            told["certificate-authority-data"] = cluster.authorities
            told["proxy-url"] = cluster.proxy
            spec["cluster"] = told
        }
        let info: [String: Any] = ["apiVersion": plugin.apiVersion, "kind": "ExecCredential", "spec": spec]
        let data = try? JSONSerialization.data(withJSONObject: info, options: .sortedKeys)
        return data.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
