import Glibc
import Support
import SystemPackage

/// The process of a `ClusterServer`.
final class ClusterServerProcess {
    private let process: pid_t
    private let input: FileDescriptor
    private let output: FileDescriptor
    private var rest: [UInt8] = []

    /// Starts one; returns when it serves.
    ///
    /// - Throws: when it cannot be started, or says something else.
    init(kubeconfig: String, podsPerNamespace: Int) throws {
        let requests = try FileDescriptor.pipe()
        let answers = try FileDescriptor.pipe()
        for end in [requests.writeEnd, answers.readEnd] { _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, requests.readEnd.rawValue, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, answers.writeEnd.rawValue, STDOUT_FILENO)
        let path = "/proc/self/exe"
        let arguments = [path, "bench-cluster-server", kubeconfig, "\(podsPerNamespace)"]
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let status = posix_spawn(&process, path, &actions, nil, &words, environ)
        guard status == 0 else { throw SystemError("start", path, Errno(rawValue: status)) }
        self.process = process
        (input, output) = (requests.writeEnd, answers.readEnd)
        try requests.readEnd.close()
        try answers.writeEnd.close()
        guard try line() == ClusterServer.ready else { throw SystemError("start", "the API server", nil) }
    }

    /// Asks for a change; returns when the server began to make it, CLOCK_MONOTONIC nanoseconds.
    func ask(_ request: ClusterServer.Request) throws -> UInt64 {
        _ = try input.writeAll("\(request.text)\n".utf8)
        guard let time = UInt64(try line()) else { throw SystemError("ask", "the API server", nil) }
        return time
    }

    /// Ends it.
    func stop() {
        try? input.close()
        try? output.close()
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    private func line() throws -> String {
        while true {
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                defer { rest.removeSubrange(...end) }
                return String(decoding: rest[..<end], as: UTF8.self)
            }
            var chunk = [UInt8](repeating: 0, count: 256)
            let count = try chunk.withUnsafeMutableBytes { try output.read(into: $0) }
            guard count > 0 else { throw SystemError("ask", "the API server: it has ended", nil) }
            rest += chunk[..<count]
        }
    }
}
