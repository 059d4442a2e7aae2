import CNetpoldABI
import Glibc
import NetTypes
import Support
import SystemPackage

/// Sends packets of flows that the proxy carries out of its namespace, as the proxy does, so that a server's pod is asked again about
/// them: its hook is on their way, and takes no other ones for the proxy's.
///
/// They are acknowledgements without a right checksum: what is behind the hook drops them.
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

    private static let acknowledgement: UInt8 = 0x10
    private let socket: OwnedDescriptor
    private let place: ProxyPlace

    /// Opens a socket at the inner end of the pair.
    init(_ place: ProxyPlace) throws {
        self.place = place
        let descriptor = try NetworkNamespace(path: place.namespace).run { () throws -> Int32 in
            let made = try SystemError.check("open", "packet socket") {
                Glibc.socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            }
            var address = LinkAddress(interface: Int32(bitPattern: if_nametoindex(ProxyPlace.innerInterface)))
            let status = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(made, $0, 20) }
            }
            guard status == 0 else {
                let code = Errno.current
                close(made)
                throw SystemError("bind to", ProxyPlace.innerInterface, code)
            }
            return made
        }
        socket = OwnedDescriptor(rawValue: descriptor)
    }

    /// Sends one of the client's packets to the server of a flow.
    func send(_ flow: np_proxied_key) {
        var packet = FlowPacket(
            source: flow.client.ipAddress, destination: flow.server.ipAddress, protocol: .tcp,
            sourcePort: UInt16(bigEndian: flow.client_port), destinationPort: UInt16(bigEndian: flow.server_port))
        packet.tcpFlags = ProxyNudge.acknowledgement
        let hardware = place.outerAddress.bytes + place.innerAddress.bytes
        let frame = hardware + packet.frame.dropFirst(hardware.count)
        _ = Glibc.send(socket.rawValue, frame, frame.count, 0)
    }
}
