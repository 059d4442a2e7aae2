import Datapath
import Glibc
import NetpoldTestSupport
import Synchronization

/// A port on a namespace's loopback that leads to one outside, as this process reaches it: the way of an agent inside to a server
/// outside.
final class PortRelay {
    private let listener: PodSocket
    private let target: sockaddr_in
    private let isOver = Mutex(false)
    private var thread: BackgroundThread?

    /// The port inside.
    var port: UInt16 { listener.port }

    /// Leads from a port of its own choice to port `target` of an IPv4 address.
    init(in namespace: NetworkNamespace, to target: UInt16, at address: UInt32 = 0x7f00_0001) throws {
        listener = try PodSocket.listener(in: namespace, port: 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = target.bigEndian
        place.sin_addr.s_addr = address.bigEndian
        self.target = place
        thread = try BackgroundThread { [unowned self] in run() }
    }

    /// Ends all connections.
    func stop() {
        isOver.withLock { $0 = true }
        thread?.join()
        thread = nil
    }

    private func run() {
        // By descriptor: where its bytes go. A descriptor that is not a key is closed.
        var peers: [Int32: Int32] = [:]
        var block = [UInt8](repeating: 0, count: 1 << 16)
        func end(_ one: Int32) {
            guard let other = peers.removeValue(forKey: one) else { return }
            peers[other] = nil
            close(one)
            close(other)
        }
        while !isOver.withLock({ $0 }) {
            var waiting = ([listener.descriptor] + peers.keys).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&waiting, nfds_t(waiting.count), 50) > 0 else { continue }
            for ready in waiting where ready.revents != 0 {
                if ready.fd == listener.descriptor {
                    accept(&peers)
                    continue
                }
                guard let other = peers[ready.fd] else { continue }
                let count = read(ready.fd, &block, block.count)
                if count <= 0 || !send(block[..<count], to: other) { end(ready.fd) }
            }
        }
        for one in peers.keys { end(one) }
    }

    private func accept(_ peers: inout [Int32: Int32]) {
        let inside = Glibc.accept(listener.descriptor, nil, nil)
        guard inside >= 0 else { return }
        let outside = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = target
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(outside, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            close(inside)
            close(outside)
            return
        }
        peers[inside] = outside
        peers[outside] = inside
    }

    private func send(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
