import Datapath
import Glibc
import NetTypes

/// A UDP socket of either family in a namespace.
final class EdgeSocket {
    private let descriptor: Int32
    private let isIPv4: Bool

    /// A socket bound to an address and port, or to any. With `isForeign` the address need not be one of the namespace.
    init(
        _ namespace: NetworkNamespace, v6: Bool, from address: IPAddress? = nil, port: UInt16 = 0,
        isForeign: Bool = false
    )
        throws
    {
        isIPv4 = !v6
        descriptor = try namespace.run {
            socket(v6 ? AF_INET6 : AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        guard descriptor >= 0 else { throw PodNetworkError("socket: \(errno)") }
        if isForeign {
            var one: Int32 = 1
            // IPV6_TRANSPARENT of linux/in6.h, which the Glibc module leaves out
            let status = setsockopt(
                descriptor, v6 ? Int32(IPPROTO_IPV6) : Int32(IPPROTO_IP), v6 ? 75 : IP_TRANSPARENT, &one,
                socklen_t(MemoryLayout<Int32>.size))
            guard status == 0 else { throw PodNetworkError("transparent: \(errno)") }
        }
        let own = address ?? (v6 ? IPAddress(high: 0, low: 0) : IPAddress(ipv4: 0))
        var status = Self.with(own, port, isIPv4) { bind(descriptor, $0, $1) }
        // A process that another test starts in this moment has our sockets until its exec, those too that are closed here.
        for _ in 0..<100 where status != 0 && errno == EADDRINUSE {
            usleep(10_000)
            status = Self.with(own, port, isIPv4) { bind(descriptor, $0, $1) }
        }
        guard status == 0 else { throw PodNetworkError("bind \(String(describing: address)) \(port): \(errno)") }
    }

    deinit { close(descriptor) }

    /// Takes answers from this address and port only.
    func connect(to address: IPAddress, port: UInt16) {
        _ = Self.with(address, port, isIPv4) { Glibc.connect(descriptor, $0, $1) }
    }

    func send(_ bytes: [UInt8], to address: IPAddress, port: UInt16) {
        _ = Self.with(address, port, isIPv4) { sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, $1) }
    }

    /// The next datagram within the time, answered with the same bytes if wanted; `nil` when none comes.
    func receive(milliseconds: Int, echo: Bool = false) -> [UInt8]? {
        var time = timeval(tv_sec: milliseconds / 1000, tv_usec: (milliseconds % 1000) * 1000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var buffer = [UInt8](repeating: 0, count: 2048)
        var peer = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let count = withUnsafeMutablePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
            }
        }
        guard count > 0 else { return nil }
        let bytes = Array(buffer.prefix(count))
        if echo {
            _ = withUnsafePointer(to: &peer) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
                }
            }
        }
        return bytes
    }

    private static func with<Result>(
        _ address: IPAddress, _ port: UInt16, _ isIPv4: Bool, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        if isIPv4 {
            var place = sockaddr_in()
            place.sin_family = sa_family_t(AF_INET)
            place.sin_port = port.bigEndian
            place.sin_addr.s_addr = (address.ipv4 ?? 0).bigEndian
            return withUnsafePointer(to: &place) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        var place = sockaddr_in6()
        place.sin6_family = sa_family_t(AF_INET6)
        place.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &place.sin6_addr) { $0.copyBytes(from: address.bytes) }
        return withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }
}
