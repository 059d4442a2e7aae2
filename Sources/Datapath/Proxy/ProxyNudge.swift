import CNetpoldABI
import Glibc
import NetTypes
import Support
import SystemPackage

/// Sends packets of flows that the proxy carries out of its namespace, as the proxy does, so that a server's pod is asked again about
/// them: its hook is on their way, and takes no other ones for the proxy's.
///
/// They have none of TCP's flags, and a right checksum: what is behind the hook drops them without an answer, as nothing that a
/// connection may send, and counts no damage.
struct ProxyNudge: ~Copyable {
    /// `struct sockaddr_ll` of linux/if_packet.h, which the Glibc module leaves out.
    private struct LinkAddress {
        var family = UInt16(AF_PACKET)
        var ethertype: UInt16 = 0
        var interface: Int32
        var hardware: UInt16 = 0
        var kind: UInt8 = 0
        var length: UInt8 = 0
        var address: UInt64 = 0
    }

    private let socket: OwnedDescriptor
    private let place: ProxyPlace

    /// Opens a socket at the inner end of the pair.
    init(_ place: ProxyPlace) throws(BPFError) {
        self.place = place
        let namespace: NetworkNamespace
        do {
            namespace = try NetworkNamespace(path: place.namespace)
        } catch {
            throw BPFError(.askServers, place.namespace, errno: .ioError, detail: "\(error)")
        }
        socket = OwnedDescriptor(
            rawValue: try Libbpf.call(.askServers, place.namespace) { ProxyNudge.socket(in: namespace) })
    }

    /// - Returns: a descriptor, or a negative errno.
    private static func socket(in namespace: NetworkNamespace) -> Int32 {
        let made = try? namespace.run { () -> Int32 in
            let made = Glibc.socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard made >= 0 else { return -Errno.current.rawValue }
            var address = LinkAddress(interface: Int32(bitPattern: if_nametoindex(ProxyPlace.innerInterface)))
            let status = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(made, $0, 20) }
            }
            guard status == 0 else {
                let code = Errno.current
                close(made)
                return -code.rawValue
            }
            return made
        }
        return made ?? -Errno.ioError.rawValue
    }

    /// Sends one of the client's packets to the server of a flow.
    ///
    /// - Throws: what the kernel refused it with.
    func send(_ flow: np_proxied_key) throws(BPFError) {
        let frame = ProxyNudge.frame(flow, place.outerAddress.bytes + place.innerAddress.bytes)
        let socket = socket.rawValue
        try Libbpf.call(.askServers, place.namespace) {
            Int32(truncatingIfNeeded: Glibc.send(socket, frame, frame.count, 0))
        }
    }

    /// The frame of such a packet, behind an Ethernet header's two addresses.
    static func frame(_ flow: np_proxied_key, _ hardware: [UInt8]) -> [UInt8] {
        var packet = FlowPacket(
            source: flow.client.ipAddress, destination: flow.server.ipAddress, protocol: .tcp,
            sourcePort: UInt16(bigEndian: flow.client_port), destinationPort: UInt16(bigEndian: flow.server_port))
        packet.tcpFlags = 0
        return hardware + packet.summedFrame.dropFirst(hardware.count)
    }
}
