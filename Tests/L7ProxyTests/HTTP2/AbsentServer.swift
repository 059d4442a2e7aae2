import Glibc
import NIOCore

/// An address of 127.0.0.1 whose server takes no more connections and refuses none: whoever connects waits.
struct AbsentServer: ~Copyable {
    let address: SocketAddress
    private let descriptors: [CInt]

    struct Failed: Error {}

    init() throws {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) + listen(listener, 0) + getsockname(listener, $0, &length)
            }
        }
        guard code == 0 else { throw Failed() }
        address = try SocketAddress(ipAddress: "127.0.0.1", port: Int(UInt16(bigEndian: name.sin_port)))
        // The one that there is room for, and one that waits as the next would.
        var descriptors = [listener]
        for _ in 0..<2 {
            let filler = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
            withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = connect(filler, $0, length) }
            }
            descriptors.append(filler)
            usleep(20_000)
        }
        self.descriptors = descriptors
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
