import Datapath
import Glibc

/// A pod's interface as a hostile pod uses it: frames of any content, from the first byte on.
final class RawLink {
    /// `struct sockaddr_ll` of linux/if_packet.h, which the Glibc module leaves out.
    private struct LinkAddress {
        var family = UInt16(AF_PACKET)
        var type: UInt16 = 0
        var interface: Int32
        var hardware: UInt16 = 0
        var kind: UInt8 = 0
        var length: UInt8 = 0
        var address: (UInt64) = 0
    }

    private let descriptor: Int32

    /// The interface `eth0` of a pod.
    init(_ namespace: NetworkNamespace) throws {
        descriptor = try namespace.run { () throws -> Int32 in
            let descriptor = socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw PodNetworkError("packet socket: \(errno)") }
            var address = LinkAddress(interface: Int32(bitPattern: if_nametoindex("eth0")))
            let status = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, 20) }
            }
            guard status == 0 else { throw PodNetworkError("bind to eth0: \(errno)") }
            return descriptor
        }
    }

    deinit { close(descriptor) }

    /// Sends a frame; whether the kernel took it. It takes none that is shorter than an Ethernet header.
    func send(_ frame: some Collection<UInt8>) -> Bool {
        let bytes = Array(frame)
        return Glibc.send(descriptor, bytes, bytes.count, 0) == bytes.count
    }
}
