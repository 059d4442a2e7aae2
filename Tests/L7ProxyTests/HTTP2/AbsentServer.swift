import Glibc
import NIOCore

/// An address of 127.0.0.1 whose server takes no more connections and refuses none: whoever connects waits.
struct AbsentServer: ~Copyable {
    let address: SocketAddress
    private let descriptors: [CInt]

    init() throws {
        let listener = try ListeningSocket(backlog: 0)
        address = listener.address
        // The one that there is room for, and one that waits as the next would.
        var descriptors = [listener.descriptor]
        for _ in 0..<2 {
            let filler = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
            address.withSockAddr { name, length in _ = connect(filler, name, socklen_t(length)) }
            descriptors.append(filler)
            usleep(20_000)
        }
        self.descriptors = descriptors
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
