import Glibc
import NIOCore

/// A listening socket at a free port of 127.0.0.1, for servers that no library would write. The descriptor is its maker's.
struct ListeningSocket {
    let descriptor: CInt
    let address: SocketAddress

    struct Failed: Error {}

    /// `backlog`: connections that may wait to be accepted.
    init(backlog: CInt) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &name) { [descriptor] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) + listen(descriptor, backlog) + getsockname(descriptor, $0, &length)
            }
        }
        guard code == 0 else { throw Failed() }
        address = try SocketAddress(ipAddress: "127.0.0.1", port: Int(UInt16(bigEndian: name.sin_port)))
    }
}
