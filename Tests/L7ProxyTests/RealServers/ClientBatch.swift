import Glibc

/// Clients at once, each with an address of its own in 127.0.0.0/8: what a server read from it can be told from the others.
struct ClientBatch {
    /// The address of a number.
    static func address(_ number: Int) -> String { "127.77.\(number / 250).\(number % 250 + 1)" }

    /// Sends each its bytes, then reads until all are closed or nothing came for `patience` milliseconds.
    static func run(_ streams: [(number: Int, bytes: [UInt8])], port: Int, patience: CInt) {
        var polls: [pollfd] = []
        for (number, bytes) in streams {
            guard let descriptor = open(number, port) else { continue }
            _ = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            polls.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
        }
        var piece = [UInt8](repeating: 0, count: 65_536)
        while !polls.isEmpty, poll(&polls, nfds_t(polls.count), patience) > 0 {
            polls.removeAll { request in
                guard request.revents != 0 else { return false }
                let count = recv(request.fd, &piece, piece.count, CInt(MSG_DONTWAIT))
                guard count <= 0, count == 0 || errno != EAGAIN else { return false }
                close(request.fd)
                return true
            }
        }
        for request in polls { close(request.fd) }
    }

    private static func open(_ number: Int, _ port: Int) -> CInt? {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        let own = UInt32(0x7f4d_0000) + UInt32(number / 250) << 8 + UInt32(number % 250 + 1)
        var code: CInt = 0
        for (address, port) in [(own, 0), (UInt32(0x7f00_0001), port)] {
            var end = sockaddr_in()
            end.sin_family = sa_family_t(AF_INET)
            end.sin_port = in_port_t(port).bigEndian
            end.sin_addr.s_addr = address.bigEndian
            code += withUnsafePointer(to: &end) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
                    return port == 0 ? bind(descriptor, target, size) : connect(descriptor, target, size)
                }
            }
        }
        guard code == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}
