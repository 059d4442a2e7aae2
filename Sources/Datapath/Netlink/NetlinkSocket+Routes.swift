import CLibNL
import Glibc
public import NetTypes
public import Support

/// A route to be added to the main table.
public struct RouteSpec: Hashable, Sendable {
    /// What happens with packets the route matches.
    public enum Target: Hashable, Sendable {
        /// Sent out of an interface, the destination being its neighbour.
        case link(Int32)
        /// Sent to a gateway behind an interface.
        case gateway(IPAddress, Int32)
        /// Delivered here, as if every address of the prefix were this host's.
        case local(Int32)
    }

    /// The destinations.
    public var destination: IPPrefix
    /// What happens.
    public var target: Target
    /// The source address that sockets without one get.
    public var source: IPAddress?

    /// A route.
    public init(_ destination: IPPrefix, _ target: Target, source: IPAddress? = nil) {
        self.destination = destination
        self.target = target
        self.source = source
    }
}

extension NetlinkSocket {
    /// Adds a route.
    public func addRoute(_ spec: RouteSpec) throws(SystemError) {
        guard let route = rtnl_route_alloc(), let hop = rtnl_route_nh_alloc() else {
            throw SystemError("add route", "\(spec)", netlink: Int32(NLE_NOMEM))
        }
        defer { rtnl_route_put(route) }
        rtnl_route_set_family(route, UInt8(spec.destination.isIPv4 ? AF_INET : AF_INET6))
        rtnl_route_set_table(route, UInt32(RT_TABLE_MAIN.rawValue))
        rtnl_route_set_protocol(route, UInt8(RTPROT_STATIC))
        _ = NetlinkAddress.with(spec.destination) { rtnl_route_set_dst(route, $0) }
        if let source = spec.source { _ = NetlinkAddress.with(source) { rtnl_route_set_pref_src(route, $0) } }
        switch spec.target {
        case .link(let index):
            rtnl_route_set_scope(route, UInt8(RT_SCOPE_LINK.rawValue))
            rtnl_route_nh_set_ifindex(hop, index)
        case .gateway(let address, let index):
            rtnl_route_set_scope(route, UInt8(RT_SCOPE_UNIVERSE.rawValue))
            rtnl_route_nh_set_ifindex(hop, index)
            NetlinkAddress.with(address) { rtnl_route_nh_set_gateway(hop, $0) }
        case .local(let index):
            rtnl_route_set_type(route, UInt8(RTN_LOCAL))
            rtnl_route_set_scope(route, UInt8(RT_SCOPE_HOST.rawValue))
            rtnl_route_nh_set_ifindex(hop, index)
        }
        rtnl_route_add_nexthop(route, hop)
        try request("add route", "\(spec)") { rtnl_route_add($0, route, NLM_F_CREATE | NLM_F_EXCL) }
    }

    /// Says which Ethernet address a neighbour has, for good: it is never asked for.
    public func addNeighbour(
        _ address: IPAddress, at hardware: MACAddress, on index: Int32
    ) throws(SystemError) {
        guard let neighbour = rtnl_neigh_alloc() else {
            throw SystemError("add neighbour", "on link \(index)", netlink: Int32(NLE_NOMEM))
        }
        defer { rtnl_neigh_put(neighbour) }
        rtnl_neigh_set_ifindex(neighbour, index)
        rtnl_neigh_set_state(neighbour, Int32(NUD_PERMANENT))
        _ = NetlinkAddress.with(address) { rtnl_neigh_set_dst(neighbour, $0) }
        NetlinkAddress.with(hardware) { rtnl_neigh_set_lladdr(neighbour, $0) }
        try request("add neighbour", "on link \(index)") { rtnl_neigh_add($0, neighbour, NLM_F_CREATE) }
    }
}
