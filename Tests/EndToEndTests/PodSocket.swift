import Datapath
import Glibc
import NetTypes

/// A socket inside a pod, with blocking calls bounded by a timeout.
final class PodSocket {
    let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }
    deinit { close(descriptor) }

    /// A UDP socket bound to a port of any address; 0 for any port. With `pretending`, it sends from that address, whether
    /// the namespace has it or not.
    static func udp(
        in namespace: NetworkNamespace, port: UInt16 = 0, pretending: IPAddress? = nil
    ) throws -> PodSocket {
        let socket = try open(SOCK_DGRAM, in: namespace)
        if pretending != nil {
            var one: Int32 = 1
            setsockopt(
                socket.descriptor, Int32(IPPROTO_IP), IP_TRANSPARENT, &one, socklen_t(MemoryLayout<Int32>.size))
        }
        try socket.bind(port, pretending)
        var bytes: Int32 = 8 << 20
        setsockopt(socket.descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, socklen_t(MemoryLayout<Int32>.size))
        return socket
    }

    /// A listening TCP socket.
    static func listener(in namespace: NetworkNamespace, port: UInt16) throws -> PodSocket {
        let socket = try open(SOCK_STREAM, in: namespace)
        try socket.bind(port)
        // Whoever waits for an agent opens many that nobody accepts.
        guard listen(socket.descriptor, 4096) == 0 else { throw PodNetworkError("listen: \(errno)") }
        return socket
    }

    /// A TCP connection, or `nil` when nobody answers in time.
    static func connect(
        in namespace: NetworkNamespace, to address: IPAddress, port: UInt16, timeout: Int = 1000
    ) throws -> PodSocket? {
        let socket = try open(SOCK_STREAM, in: namespace)
        socket.timeout(SO_SNDTIMEO, milliseconds: timeout)
        var target = Self.address(address, port)
        let status = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return status == 0 ? socket : nil
    }

    /// The next connection, or `nil`.
    func accept(timeout: Int = 1000) -> PodSocket? {
        self.timeout(SO_RCVTIMEO, milliseconds: timeout)
        let accepted = Glibc.accept(descriptor, nil, nil)
        return accepted >= 0 ? PodSocket(accepted) : nil
    }

    /// The port it is bound to.
    var port: UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Sends a datagram.
    func send(_ bytes: [UInt8], to address: IPAddress, port: UInt16) {
        var target = Self.address(address, port)
        withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(
                    descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0,
                    socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Sends on a connection.
    func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// What arrives within the time, 0 for what is there already; `nil` when nothing does.
    func receive(timeout: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 2048)
        if timeout > 0 { self.timeout(SO_RCVTIMEO, milliseconds: timeout) }
        let count = recv(descriptor, &buffer, buffer.count, timeout > 0 ? 0 : Int32(MSG_DONTWAIT))
        return count > 0 ? Array(buffer.prefix(count)) : nil
    }

    private static func open(_ kind: __socket_type, in namespace: NetworkNamespace) throws -> PodSocket {
        let descriptor = try namespace.run {
            socket(AF_INET, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        guard descriptor >= 0 else { throw PodNetworkError("socket: \(errno)") }
        return PodSocket(descriptor)
    }

    private func bind(_ port: UInt16, _ own: IPAddress? = nil) throws {
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = Self.address(own ?? IPAddress(ipv4: 0), port)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw PodNetworkError("bind \(port): \(errno)") }
    }

    private func timeout(_ option: Int32, milliseconds: Int) {
        var time = timeval(tv_sec: milliseconds / 1000, tv_usec: (milliseconds % 1000) * 1000)
        setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    private static func address(_ address: IPAddress, _ port: UInt16) -> sockaddr_in {
        var result = sockaddr_in()
        result.sin_family = sa_family_t(AF_INET)
        result.sin_port = port.bigEndian
        result.sin_addr.s_addr = (address.ipv4 ?? 0).bigEndian
        return result
    }
}
