import Foundation
import Glibc
import L7Proxy

/// An access log whose lines a test reads.
final class LoggedLines {
    let log: AccessLog
    /// A file: a pipe has room for 64 KB, and thousands of lines may come before they are read.
    private let descriptor: CInt
    private var position: off_t = 0

    struct Broken: Error {}

    init(format: AccessLog.Format = .json) throws {
        var path = Array(NSTemporaryDirectory().utf8CString.dropLast()) + Array("/netpold-log-XXXXXX".utf8CString)
        descriptor = mkstemp(&path)
        guard descriptor >= 0 else { throw Broken() }
        unlink(path)
        log = AccessLog(descriptor: descriptor, format: format)
    }

    deinit { close(descriptor) }

    /// What was written since the last call, without what one run and the next may differ in.
    func take() -> [Line] {
        log.flush()
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while case let count = pread(descriptor, &piece, piece.count, position), count > 0 {
            bytes += piece[..<count]
            position += off_t(count)
        }
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
