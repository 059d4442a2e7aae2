public import BPFEmit
import CLibNL
import Glibc
import NetTypes
public import Support

extension HostRoute {
    /// Protocols of routes that the host learnt from packets: whoever sends those would decide where an address is.
    private static let learnt: Set<UInt8> = [
        UInt8(RTPROT_REDIRECT), UInt8(RTPROT_RA),
    ]

    /// Reads the payload of an `RTM_NEWROUTE`: `nil` unless it is a route of an administrator or a daemon to one address,
    /// straight out of one interface.
    init?(message payload: some Sequence<UInt8>) {
        var reader = NetlinkReader(payload)
        // struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type; then flags.
        guard let header = reader.header(12) else { return nil }
        let family = Int32(header[0])
        let flags = NetlinkReader.number(header[8..<12])
        guard family == AF_INET && header[1] == 32 || family == AF_INET6 && header[1] == 128,
            header[2] == 0, header[7] == UInt8(RTN_UNICAST), !HostRoute.learnt.contains(header[5]),
            flags & UInt32(RTM_F_CLONED) == 0
        else { return nil }
        var table = UInt32(header[4])
        var destination: IPAddress?
        var interface: UInt32?
        while let attribute = reader.next() {
            switch Int(attribute.type) {
            case Int(RTA_DST.rawValue): destination = IPAddress(networkBytes: attribute.payload)
            case Int(RTA_OIF.rawValue): interface = attribute.number
            case Int(RTA_TABLE.rawValue): table = attribute.number ?? table
            // By way of somebody else, or by several ways: nobody's address.
            case Int(RTA_GATEWAY.rawValue), Int(RTA_VIA.rawValue), Int(RTA_MULTIPATH.rawValue),
                Int(RTA_ENCAP.rawValue):
                return nil
            default: continue
            }
        }
        guard let destination, let interface, interface != 0, table != UInt32(RT_TABLE_LOCAL.rawValue),
            destination.isIPv4 == (family == AF_INET)
        else { return nil }
        self.init(address: destination, ifindex: interface)
    }
}

extension NetlinkSocket {
    /// The routes of all tables that say behind which interface a single address is, sorted, each once.
    ///
    /// - Throws: also when the routes changed too often to be listed whole, and when there are more than `limit`.
    public func hostRoutes(limit: Int = 65_536) throws(SystemError) -> [HostRoute] {
        let found = try list(
            "routes to single addresses", message: Int32(RTM_GETROUTE), header: [UInt8](repeating: 0, count: 12),
            ListBounds(count: limit, attempts: ListBounds.ofNode.attempts)
        ) { HostRoute(message: $0) }
        return Set(found).sorted { ($0.address, $0.ifindex) < ($1.address, $1.ifindex) }
    }
}
