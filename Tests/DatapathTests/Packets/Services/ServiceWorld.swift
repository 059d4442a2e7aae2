import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI

@testable import Datapath

/// A Service of the little cluster: its address, its ports and where they lead.
enum ServiceWorld {
    /// The Service's address.
    static func frontend(v6: Bool) -> IPAddress { v6 ? PacketWorld.ipv6(0x60_000a) : PacketWorld.ipv4(0x60_000a) }
    /// Another Service's.
    static func other(v6: Bool) -> IPAddress { v6 ? PacketWorld.ipv6(0x60_000b) : PacketWorld.ipv4(0x60_000b) }
    static let port: UInt16 = 80
    static let targetPort: UInt16 = 8080
    /// From where a pod gets its own packets.
    static func loopback(v6: Bool) -> IPAddress {
        v6 ? IPAddress(high: 0xfd6e_6574_706f_6c64, low: 1) : IPAddress(ipv4: 0xa9fe_2a01)
    }

    /// Protocols of Services.
    static let protocols: [L4Protocol] = [.tcp, .udp, .sctp]

    /// A way to a Service's port.
    struct Backend {
        var address: IPAddress
        var port: UInt16 = ServiceWorld.targetPort
        var flags = UInt8(NP_BACKEND_USABLE)
        var generation: UInt32 = 1

        init(_ address: IPAddress, port: UInt16 = ServiceWorld.targetPort) {
            self.address = address
            self.port = port
        }
    }

    /// A packet of a client at `client` to a Service or to a backend, whole, with its checksum; `last` of the payload so many
    /// bytes.
    static func packet(
        _ protocol: L4Protocol, from source: IPAddress, _ sourcePort: UInt16, to destination: IPAddress, _ port: UInt16,
        flags: UInt8 = Transport.TCPFlags.ack, chunk: UInt8 = 0, data: [UInt8] = [1, 2, 3, 4, 5]
    ) -> IPPacket {
        let payload =
            switch `protocol` {
            case .tcp: Transport.tcp(sourcePort, port, flags: flags) + data
            case .sctp: Transport.sctp(sourcePort, port, chunk: chunk) + data
            default: Transport.udp(sourcePort, port, payload: data)
            }
        return IPPacket(source, destination, `protocol`, payload).summed
    }
}

extension IPPacket {
    /// The same to another destination, and its checksums recomputed.
    func redirected(to destination: IPAddress, _ port: UInt16) -> IPPacket {
        with {
            $0.destination = destination
            $0.payload.replaceSubrange(2..<4, with: port.bigEndianBytes)
        }.summed
    }

    /// The same from another source, and its checksums recomputed.
    func relabelled(as source: IPAddress, _ port: UInt16) -> IPPacket {
        with {
            $0.source = source
            $0.payload.replaceSubrange(0..<2, with: port.bigEndianBytes)
        }.summed
    }
}
