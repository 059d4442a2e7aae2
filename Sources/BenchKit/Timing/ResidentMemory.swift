import Foundation
import Glibc

/// Memory that processes have.
enum ResidentMemory {
    /// Of this process, in bytes.
    static var bytes: Int { bytes(of: getpid()) }

    /// Of a process, in bytes; 0 when it is gone.
    static func bytes(of process: pid_t) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }
}
