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
    init(_ namespace: NetworkNamespace, receives: Bool = false) throws {
        descriptor = try namespace.run { () throws -> Int32 in
            let descriptor = socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw PodNetworkError("packet socket: \(errno)") }
            // Without a protocol it receives nothing.
            var address = LinkAddress(
                type: receives ? UInt16(3).bigEndian : 0, interface: Int32(bitPattern: if_nametoindex("eth0")))
            let status = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, 20) }
            }
            guard status == 0 else { throw PodNetworkError("bind to eth0: \(errno)") }
            return descriptor
        }
    }

    deinit { close(descriptor) }

    /// The next frame that arrives at the pod and fits, within the time; `nil` when none does.
    func receive(timeout: Int, where fits: ([UInt8]) -> Bool) -> [UInt8]? {
        var time = timeval(tv_sec: timeout / 1000, tv_usec: (timeout % 1000) * 1000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            let frame = Array(buffer.prefix(count))
            if fits(frame) { return frame }
        }
    }

    /// Sends a frame; whether the kernel took it. It takes none that is shorter than an Ethernet header.
    func send(_ frame: some Collection<UInt8>) -> Bool {
        let bytes = Array(frame)
        return Glibc.send(descriptor, bytes, bytes.count, 0) == bytes.count
    }
}
