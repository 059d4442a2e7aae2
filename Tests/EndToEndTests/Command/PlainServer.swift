import Foundation
import Glibc
import Synchronization

/// A server on a thread a connection that keeps what it gets. It answers `ok` to what ends a request: an empty line, or "helloworld".
final class PlainServer: Sendable {
    struct Failed: Error {}

    let port: UInt16
    private let listener: Int32
    private let bytes = Mutex<[[UInt8]]>([])

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                bind(descriptor, target, size) + listen(descriptor, 64) + getsockname(descriptor, target, &size)
            }
        }
        guard code == 0 else { throw Failed() }
        listener = descriptor
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in
            while true {
                let accepted = accept(descriptor, nil, nil)
                guard accepted >= 0 else { return }
                let index = bytes.withLock { bytes in
                    bytes.append([])
                    return bytes.count - 1
                }
                Thread.detachNewThread { self.serve(accepted, index) }
            }
        }
    }

    /// What each connection got.
    func received() -> [[UInt8]] { bytes.withLock { $0 } }

    /// Waits until so many bytes came in all, the last of which are these; at most 10 s.
    func waitForBytes(_ count: Int, ending: String?) -> Bool {
        for _ in 0..<1_000 {
            let isThere = bytes.withLock { bytes in
                let isEnough = bytes.reduce(0) { $0 + $1.count } >= count
                guard let ending else { return isEnough }
                return isEnough && bytes.contains { $0.suffix(ending.utf8.count).elementsEqual(ending.utf8) }
            }
            if isThere { return true }
            usleep(10_000)
        }
        return false
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ descriptor: Int32, _ index: Int) {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8)
        while true {
            let count = recv(descriptor, &piece, piece.count, 0)
            guard count > 0 else { break }
            bytes.withLock { $0[index] += piece[..<count] }
            let end = String(decoding: piece[..<count].suffix(10), as: UTF8.self)
            let isRequest =
                end.hasSuffix("\r\n\r\n") && !String(decoding: piece[..<count], as: UTF8.self).hasPrefix("PUT")
            if isRequest || end.hasSuffix("world") {
                _ = send(descriptor, answer, answer.count, Int32(MSG_NOSIGNAL))
            }
        }
        close(descriptor)
    }
}

/// A blocking client of 127.0.0.1. Reads wait at most 10 s.
final class PlainClient: Sendable {
    private let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var wait = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            close(descriptor)
            throw PlainServer.Failed()
        }
    }

    deinit { close(descriptor) }

    /// Sends all; whether the connection took it.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var from = 0
        while from < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                bytes.baseAddress.map { Glibc.send(descriptor, $0 + from, bytes.count - from, Int32(MSG_NOSIGNAL)) }
                    ?? -1
            }
            guard count > 0 else { return false }
            from += count
        }
        return true
    }

    /// Sends a text.
    func send(_ text: String) { send(Array(text.utf8)) }

    /// Reads until the text has this, or the end.
    func receive(until end: String) -> String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &piece, piece.count, 0)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            if text.contains(end) { return text }
        }
    }
}
