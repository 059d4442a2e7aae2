import Foundation
import Glibc
import L7Proxy

/// An access log whose lines a test reads.
final class LoggedLines {
    let log: AccessLog
    private let ends: [CInt]

    struct Broken: Error {}

    init(format: AccessLog.Format = .json) throws {
        var ends: [CInt] = [0, 0]
        guard pipe(&ends) == 0 else { throw Broken() }
        self.ends = ends
        log = AccessLog(descriptor: ends[1], format: format)
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    }

    deinit { for end in ends { close(end) } }

    /// What was written since the last call, without what one run and the next may differ in.
    func take() -> [Line] {
        log.flush()
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(ends[0], &piece, piece.count), count > 0 { bytes += piece[..<count] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            try? JSONDecoder().decode(Line.self, from: Data(line.utf8))
        }
    }

    /// What a line says.
    struct Line: Decodable, Hashable {
        var decision: String
        var status: Int
        var path: String?
        var reason: String?
        var clientPod: String?
        var serverPod: String?

        init(_ decision: String, _ status: Int, path: String? = nil, reason: String? = nil) {
            self.decision = decision
            self.status = status
            self.path = path
            self.reason = reason
        }
    }
}
