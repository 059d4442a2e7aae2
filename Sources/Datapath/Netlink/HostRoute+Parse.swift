import BPFEmit
import CLibNL
import Glibc
import NetTypes
import Support

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

/// A route of the table `local` by which the host takes addresses as its own. Each address of an interface has one; others are made by
/// hand (`ip route add local`, for a load balancer's addresses), and then the address is no interface's.
struct LocalRoute: Hashable {
    /// What the host takes.
    var prefix: IPPrefix

    /// Whether every host has it.
    var isLoopback: Bool { prefix.address.ipv4.map { $0 >> 24 == 127 && prefix.length >= 8 } ?? false }

    /// Whether it is of one address.
    var isSingle: Bool { prefix.mappedLength == 128 }

    /// Reads the payload of an `RTM_NEWROUTE` or `RTM_DELROUTE`: `nil` unless it is such a route.
    init?(message payload: some Sequence<UInt8>) {
        var reader = NetlinkReader(payload)
        guard let header = reader.header(12), header[7] == UInt8(RTN_LOCAL), header[2] == 0,
            NetlinkReader.number(header[8..<12]) & UInt32(RTM_F_CLONED) == 0
        else { return nil }
        let isIPv4 = Int32(header[0]) == AF_INET
        guard isIPv4 || Int32(header[0]) == AF_INET6 else { return nil }
        var table = UInt32(header[4])
        var destination: IPAddress? = isIPv4 ? IPAddress(ipv4: 0) : IPAddress(high: 0, low: 0)
        while let attribute = reader.next() {
            switch Int(attribute.type) {
            case Int(RTA_DST.rawValue): destination = IPAddress(networkBytes: attribute.payload)
            case Int(RTA_TABLE.rawValue): table = attribute.number ?? table
            default: continue
            }
        }
        guard let destination, table == UInt32(RT_TABLE_LOCAL.rawValue), destination.isIPv4 == isIPv4,
            let prefix = IPPrefix(destination, length: Int(header[1]))
        else { return nil }
        self.prefix = prefix
    }
}

/// What the routes of a network namespace say.
struct RouteList {
    /// Those that say behind which interface a single address is, sorted, each once.
    var hosts: [HostRoute]
    /// The single addresses that the host takes as its own, those of its interfaces included.
    var localAddresses: Set<IPAddress>
    /// What else it takes as its own, but for loopback, sorted.
    var localPrefixes: [IPPrefix]
}

extension NetlinkSocket {
    /// The routes of all tables, as far as they say something of single addresses or of the host's own.
    ///
    /// - Throws: also when the routes changed too often to be listed whole, and when there are more than `limit`.
    func routes(limit: Int = 65_536) throws(SystemError) -> RouteList {
        var local: Set<LocalRoute> = []
        let found = try list(
            "routes", message: Int32(RTM_GETROUTE), header: [UInt8](repeating: 0, count: 12),
            ListBounds(count: limit, attempts: ListBounds.ofNode.attempts)
        ) { message -> HostRoute? in
            if let route = LocalRoute(message: message), !route.isLoopback { local.insert(route) }
            return HostRoute(message: message)
        }
        return RouteList(
            hosts: Set(found).sorted { ($0.address, $0.ifindex) < ($1.address, $1.ifindex) },
            localAddresses: Set(local.filter(\.isSingle).map(\.prefix.address)),
            localPrefixes: local.filter { !$0.isSingle }.map(\.prefix).sorted())
    }
}
