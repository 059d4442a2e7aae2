import Foundation
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

    /// The sockets that are connecting to it: this one's own too.
    func connecting() throws -> Int {
        let port = String(address.port ?? 0, radix: 16, uppercase: true)
        let wanted = "0100007F:" + String(repeating: "0", count: 4 - port.count) + port
        // Its size is not known before it is read.
        let bytes = try FileHandle(forReadingFrom: URL(filePath: "/proc/net/tcp")).readToEnd() ?? Data()
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        // Address here, there, state: 02 is SYN_SENT.
        return lines.map { $0.split(separator: " ") }.count { $0.count > 3 && $0[2] == wanted && $0[3] == "02" }
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
