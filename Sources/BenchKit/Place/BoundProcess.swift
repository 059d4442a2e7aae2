import Foundation
import Glibc
import Support

/// Programs that the kernel ends with the thread that starts them, so with this process, however that ends.
enum BoundProcess {
    /// What starts them, in its own place.
    static let starter = "/usr/bin/setpriv"

    /// The starter's arguments for a program by its path, and that one's arguments.
    static func arguments(_ program: String, _ arguments: [String]) -> [String] {
        ["--pdeathsig", "SIGKILL", program] + arguments
    }

    /// A process that has not been started.
    ///
    /// - Throws: when there is no such program.
    static func make(_ program: String, _ arguments: [String]) throws(SystemError) -> Process {
        let path = URL(fileURLWithPath: program).path
        try SystemError.check("start", path) { access(path, X_OK) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: starter)
        process.arguments = BoundProcess.arguments(path, arguments)
        return process
    }
}
