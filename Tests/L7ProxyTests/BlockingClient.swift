import Glibc
import NIOCore

/// A client that writes bytes and reads what comes.
struct BlockingClient: ~Copyable {
    private let descriptor: CInt

    /// Connects to a port of 127.0.0.1, from 127.0.0.`host`. Reads wait at most `patience` milliseconds. `isDeaf`: there is little room for what
    /// it does not read, and writes wait no longer than reads.
    init(port: Int, patience: Int = 2_000, from host: UInt32 = 1, isDeaf: Bool = false) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var wait = timeval(tv_sec: patience / 1_000, tv_usec: patience % 1_000 * 1_000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        // Small writes would wait 40 ms for acknowledgements of those before.
        var on: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
        if isDeaf {
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
            var room: CInt = 4_096
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<CInt>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = (0x7f00_0000 | host).bigEndian
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0, code == 0 else { throw Failed() }
    }

    deinit { close(descriptor) }

    /// A free port of 127.0.0.1, taken by a socket that the caller closes.
    static func takenPort() throws -> (port: Int, descriptor: CInt) {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) + getsockname(descriptor, $0, &length)
            }
        }
        guard code == 0 else { throw Failed() }
        return (Int(UInt16(bigEndian: address.sin_port)), descriptor)
    }

    struct Failed: Error {}

    func send(_ bytes: [UInt8]) {
        var from = 0
        while from < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                bytes.baseAddress.map {
                    Glibc.send(descriptor, $0 + from, bytes.count - from, CInt(MSG_NOSIGNAL))
                } ?? -1
            }
            guard count > 0 else { return }
            from += count
        }
    }

    /// Ends the connection.
    consuming func end() {}

    /// Sends nothing more.
    func finish() { shutdown(descriptor, CInt(SHUT_WR)) }

    /// Lets the end of the client be a reset.
    func endsWithReset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Reads so many bytes, fewer if the other side closes or nothing came for `patience`.
    func read(bytes count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var piece = [UInt8](repeating: 0, count: count - bytes.count)
            let got = recv(descriptor, &piece, piece.count, 0)
            guard got > 0 else { break }
            bytes += piece[..<got]
        }
        return bytes
    }

    /// Reads what there is; nothing at the end, or if nothing came for `patience`.
    func readSome() -> [UInt8] {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &piece, piece.count, 0)
        return Array(piece[..<max(0, count)])
    }

    /// Reads to the end of the connection, or until nothing came for `patience`: whether it was reset.
    func isReset() -> Bool {
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &piece, piece.count, 0)
            if count <= 0 { return count < 0 && errno == ECONNRESET }
        }
    }

    /// Reads until the other side closes, nothing came for `patience`, or the text ends with this.
    func read(until end: String? = nil) -> (text: String, isClosed: Bool) {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &piece, piece.count, 0)
            if count == 0 { return (String(decoding: bytes, as: UTF8.self), true) }
            // A reset also ends the connection; a time-out does not.
            if count < 0 { return (String(decoding: bytes, as: UTF8.self), errno != EAGAIN) }
            bytes += piece[..<count]
            if let end, String(decoding: bytes, as: UTF8.self).hasSuffix(end) {
                return (String(decoding: bytes, as: UTF8.self), false)
            }
        }
    }
}
