import Foundation
import Glibc
import Support

/// A proxy in a process of its own, on one core.
final class MeasuredProxy {
    /// Which one.
    enum Kind: String, CaseIterable {
        case netpold, envoy, haproxy
    }

    let kind: Kind
    let port: UInt16
    private let process: Process
    private let log: String

    /// Starts a proxy on the first CPU, before the server at `server`, with its files in a folder.
    init(_ kind: Kind, program: String, server: UInt16, folder: String, allocations: L7Bench.Allocations?) throws {
        self.kind = kind
        port = try MeasuredProxy.freePort()
        log = "\(folder)/\(kind.rawValue).err"
        let configuration = ProxyConfiguration(folder: folder, port: port, server: server)
        let arguments = try configuration.arguments(kind, program: program)
        process = try BoundProcess.make("/usr/bin/taskset", ["-c", "0"] + arguments)
        var environment = ProcessInfo.processInfo.environment
        if kind == .netpold, let allocations {
            environment["LD_PRELOAD"] = allocations.library
            environment["NETPOLD_ALLOCATIONS"] = allocations.counter
        }
        process.environment = environment
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let output = FileHandle(forWritingAtPath: kind == .haproxy ? configuration.accessLog(kind) : log)
        process.standardOutput = output
        process.standardError = FileHandle(forWritingAtPath: log)
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit { stop() }

    /// Ends the process and waits for it.
    func stop() {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Waits until it accepts connections, or `check` throws.
    func waitUntilReady(check: () throws -> Void) throws {
        for _ in 0..<400 {
            try check()
            guard process.isRunning else { break }
            if MeasuredProxy.accepts(port) { return }
            usleep(25_000)
        }
        let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        throw SystemError("start", kind.rawValue, nil, detail: "it does not listen; it said: \(said.suffix(2_000))")
    }

    /// Nanoseconds of CPU that its threads have had: user, system, and the softirqs of what they send.
    func cpuTime() -> UInt64 {
        let folder = "/proc/\(process.processIdentifier)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return threads.reduce(0) { sum, thread in
            let text = (try? String(contentsOfFile: "\(folder)/\(thread)/schedstat", encoding: .utf8)) ?? ""
            return sum + (text.split(separator: " ").first.flatMap { UInt64($0) } ?? 0)
        }
    }

    /// Nanoseconds of the kernel's work for its threads, in clock ticks of 10 ms.
    func kernelTime() -> UInt64 {
        let folder = "/proc/\(process.processIdentifier)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return threads.reduce(0) { sum, thread in
            let text = (try? String(contentsOfFile: "\(folder)/\(thread)/stat", encoding: .utf8)) ?? ""
            // The 15th field; the second, a name in brackets, may have spaces.
            let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
            return sum + (fields.count > 12 ? UInt64(fields[12]) ?? 0 : 0) * 10_000_000
        }
    }

    /// Bytes of memory that it has.
    func residentBytes() -> Int {
        ResidentMemory.bytes(of: process.processIdentifier)
    }

    private static func freePort() throws -> UInt16 {
        let peer = try HTTPPeer(body: 0)
        return peer.port
    }

    private static func accepts(_ port: UInt16) -> Bool {
        guard let peer = try? HTTPPeer(body: 0) else { return false }
        return (try? peer.connect(1, to: port)) != nil
    }
}
