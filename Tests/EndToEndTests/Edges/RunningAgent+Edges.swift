import Foundation
import Glibc

extension RunningAgent {
    /// Whether everything seen is in force within half a minute, whatever conditions there are.
    func settles() -> Bool { (try? settle()) != nil }

    /// Sends the agent a signal that does not end it.
    func signal(_ number: Int32) throws {
        struct Report: Decodable {
            var processID: Int32
        }
        let report = try JSONDecoder().decode(Report.self, from: Data(ask("status", ["--json"]).output.utf8))
        kill(report.processID, number)
    }
}
