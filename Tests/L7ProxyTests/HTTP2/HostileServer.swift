import Foundation
import Glibc
import NIOCore

/// A server that answers the first request of a connection, or the first few together, with given bytes, whatever they are, and then reads on until it ends, or ends it
/// itself.
final class HostileServer: Sendable {
    /// What it does behind its answer.
    enum End {
        case readsOn, closes, resets
    }

    let address: SocketAddress
    private let listener: CInt

    init(_ bytes: [UInt8], to requests: Int = 1, then end: End = .readsOn) throws {
        let socket = try ListeningSocket(backlog: 8)
        address = socket.address
        let listener = socket.descriptor
        self.listener = listener
        Thread.detachNewThread {
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                HostileServer.serve(connection, bytes, requests, end)
                close(connection)
            }
        }
    }

    func stop() {
        shutdown(listener, CInt(SHUT_RDWR))
        close(listener)
    }

    private static func serve(_ connection: CInt, _ bytes: [UInt8], _ requests: Int, _ end: End) {
        var received: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while count(received) < requests {
            let count = recv(connection, &piece, piece.count, 0)
            guard count > 0 else { return }
            received += piece[..<count]
        }
        var from = 0
        while from < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                bytes.baseAddress.map { send(connection, $0 + from, bytes.count - from, CInt(MSG_NOSIGNAL)) } ?? -1
            }
            guard count > 0 else { return }
            from += count
        }
        switch end {
        case .readsOn: while recv(connection, &piece, piece.count, 0) > 0 {}
        case .closes: break
        case .resets:
            // Behind what was sent, which a reset may take away.
            usleep(200_000)
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(connection, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        }
    }

    /// How many heads have come, of HTTP/1 or, behind the preface, of HTTP/2.
    private static func count(_ bytes: [UInt8]) -> Int {
        guard bytes.starts(with: Array("PRI * HTTP/2.0".utf8)) else {
            return String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n\r\n").count - 1
        }
        return RawFrames.split(Array(bytes.dropFirst(24))).count { $0.type == 1 }
    }
}
