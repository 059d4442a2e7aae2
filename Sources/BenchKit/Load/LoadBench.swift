import Foundation
import Glibc
public import Support
import SystemPackage

/// Measures commands on manifests end to end: processes from their start to their end, on files that were written before.
public struct LoadBench: Sendable {
    /// What a command took.
    public struct Finding: Sendable {
        /// The command and what it was about.
        public var name: String
        /// From its start to its end, the median of the runs.
        public var wall: Duration
        /// CPU time of all of its threads, the median of the runs.
        public var cpu: Duration
        /// The most that `wall` should be.
        public var goal: Duration
    }

    private let runs: Int

    /// A bench; the medians of so many runs count.
    public init(runs: Int) { self.runs = max(runs, 1) }

    /// Measures everything.
    ///
    /// - Parameters:
    ///   - interrupt: checked after each command; a signal ends the measurement.
    ///   - found: called with each finding as it comes.
    /// - Throws: `Interrupt.Signalled`; when a file cannot be written or a command cannot be started.
    public func run(_ interrupt: Interrupt, _ found: (Finding) -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("netpold-bench-load-\(getpid())")
            .path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let usual = try write(CompileWorkload(.deployments), to: folder + "/1000-policies.yaml")
        found(try measure("compile -f", usual, goal: .milliseconds(400), interrupt))
        found(try measure("lint", usual, goal: .seconds(1), interrupt))
        let many = try write(CompileWorkload(.deployments, .manyPolicies), to: folder + "/10000-policies.yaml")
        found(try measure("compile -f", many, goal: .seconds(2), interrupt))
        found(try measure("lint", many, goal: .seconds(2), interrupt))
    }

    private struct Input {
        var file: String
        var description: String
    }

    private func write(_ workload: CompileWorkload, to file: String) throws -> Input {
        let text = workload.manifests
        try text.write(toFile: file, atomically: false, encoding: .utf8)
        let objects = workload.objects
        let count = objects.namespaces.count + objects.pods.count + objects.networkPolicies.count
        let size = Quantity.fixed(Double(text.utf8.count) / 1e6, places: 1)
        return Input(
            file: file, description: "\(objects.networkPolicies.count) policies, \(count) objects, \(size) MB")
    }

    private func measure(
        _ command: String, _ input: Input, goal: Duration, _ interrupt: Interrupt
    ) throws -> Finding {
        let words = command.split(separator: " ").map(String.init) + [input.file]
        _ = try Self.time(of: words, interrupt)
        var times: (wall: [UInt64], cpu: [UInt64]) = ([], [])
        for _ in 0..<runs {
            let time = try Self.time(of: words, interrupt)
            times.wall.append(time.wall)
            times.cpu.append(time.cpu)
        }
        return Finding(
            name: "\(command): \(input.description)", wall: .nanoseconds(Int64(times.wall.quantile(0.5) ?? 0)),
            cpu: .nanoseconds(Int64(times.cpu.quantile(0.5) ?? 0)), goal: goal)
    }

    /// Nanoseconds that this program takes with these arguments; what it prints goes nowhere.
    private static func time(of arguments: [String], _ interrupt: Interrupt) throws -> (wall: UInt64, cpu: UInt64) {
        let path = "/proc/self/exe"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
        }
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        let begin = MonotonicClock.nanoseconds
        var process: pid_t = 0
        let status = posix_spawn(&process, path, &actions, nil, &words, environ)
        guard status == 0 else { throw SystemError("start", path, Errno(rawValue: status)) }
        var usage = rusage()
        var code: Int32 = 0
        try SystemError.check("wait for", path) { wait4(process, &code, 0, &usage) }
        let wall = MonotonicClock.nanoseconds - begin
        // What a terminal sends ends the command as well.
        try interrupt.check()
        // Warnings are no failure, bad input is: nothing would have been measured.
        guard code & 0x7f == 0, (code >> 8) & 0xff <= 1 else {
            throw SystemError("run", arguments.joined(separator: " "), nil, detail: "it ended with status \(code)")
        }
        return (wall, nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime))
    }

    private static func nanoseconds(_ time: timeval) -> UInt64 {
        UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_usec) * 1_000
    }
}
