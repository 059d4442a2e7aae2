import Foundation
import Glibc
import Synchronization

/// A small HTTP proxy on loopback that knows CONNECT and nothing else, one thread a tunnel.
final class ConnectProxy: Sendable {
    private let listener: Int32
    private let seen = Mutex<[String]>([])
    /// Where it listens.
    let port: UInt16

    /// The heads of the requests it got.
    var requests: [String] { seen.withLock(\.self) }

    /// Opens tunnels to ports of 127.0.0.1. With `authorization` only for requests that have this header.
    init(authorization: String? = nil) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var place = ConnectProxy.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) != 0 || listen(listener, 64) != 0
                    || getsockname(listener, address, &length) != 0
            }
        }
        if failed { throw POSIXError(.EADDRNOTAVAIL) }
        port = UInt16(bigEndian: place.sin_port)
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(listener, nil, nil)
                if client < 0 { return }
                guard let self else {
                    close(client)
                    return
                }
                Thread.detachNewThread { self.serve(client, authorization) }
            }
        }
    }

    deinit { stop() }

    /// No more tunnels; those that are open go on.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port.bigEndian
        place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return place
    }

    private func serve(_ client: Int32, _ authorization: String?) {
        defer { close(client) }
        var head: [UInt8] = []
        while !head.ends(with: "\r\n\r\n") {
            var byte: UInt8 = 0
            guard recv(client, &byte, 1, 0) == 1, head.count < 4096 else { return }
            head.append(byte)
        }
        let text = String(decoding: head, as: UTF8.self)
        seen.withLock { $0.append(text) }
        let words = text.split(separator: " ")
        let isKnown =
            authorization.map { text.lowercased().contains("proxy-authorization: \($0)".lowercased()) } ?? true
        guard isKnown else { return answer(client, "407 Proxy Authentication Required") }
        guard words.first == "CONNECT", let port = words[1].split(separator: ":").last.flatMap({ UInt16($0) }) else {
            return answer(client, "400 Bad Request")
        }
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(server) }
        var place = ConnectProxy.loopback(port)
        let connected = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard connected else { return answer(client, "502 Bad Gateway") }
        answer(client, "200 Connection established")
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var waiting = [client, server].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&waiting, 2, -1) > 0 else { return }
            for (ready, other) in zip(waiting, [server, client]) where ready.revents != 0 {
                let count = recv(ready.fd, &block, block.count, 0)
                guard count > 0 else { return }
                var sent = 0
                while sent < count {
                    let more = block[sent..<count].withUnsafeBytes {
                        send(other, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    guard more > 0 else { return }
                    sent += more
                }
            }
        }
    }

    private func answer(_ client: Int32, _ status: String) {
        let bytes = Array("HTTP/1.1 \(status)\r\n\r\n".utf8)
        send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}

extension [UInt8] {
    fileprivate func ends(with text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}
