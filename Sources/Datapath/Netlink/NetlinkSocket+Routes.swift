import CLibNL
import Glibc
public import NetTypes
public import Support

/// A route to be added to a table.
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
    /// The table's number; `nil` for the main table.
    public var table: UInt32?
    /// The source address that sockets without one get.
    public var source: IPAddress?

    /// A route.
    public init(_ destination: IPPrefix, _ target: Target, source: IPAddress? = nil, table: UInt32? = nil) {
        self.destination = destination
        self.target = target
        self.source = source
        self.table = table
    }
}

extension NetlinkSocket {
    /// Adds a route; one that is there already is fine.
    public func addRoute(_ spec: RouteSpec) throws(SystemError) {
        guard let route = rtnl_route_alloc(), let hop = rtnl_route_nh_alloc() else {
            throw SystemError("add route", "\(spec)", netlink: Int32(NLE_NOMEM))
        }
        defer { rtnl_route_put(route) }
        rtnl_route_set_family(route, UInt8(spec.destination.isIPv4 ? AF_INET : AF_INET6))
        rtnl_route_set_table(route, spec.table ?? UInt32(RT_TABLE_MAIN.rawValue))
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
        try ensure("add route", "\(spec)") { rtnl_route_add($0, route, NLM_F_CREATE | NLM_F_EXCL) }
    }

    /// Has packets that come in by an interface looked up in a table of their own, before the main one; a rule that is there already
    /// is fine.
    ///
    /// - Parameters:
    ///   - interface: the name.
    ///   - table: the table's number, and the rule's priority.
    ///   - isIPv4: the family.
    /// - Throws: when the kernel refuses.
    public func addRule(arrivingBy interface: String, table: UInt32, isIPv4: Bool) throws(SystemError) {
        guard let rule = rtnl_rule_alloc() else {
            throw SystemError("add rule", interface, netlink: Int32(NLE_NOMEM))
        }
        defer { rtnl_rule_put(rule) }
        rtnl_rule_set_family(rule, isIPv4 ? AF_INET : AF_INET6)
        rtnl_rule_set_iif(rule, interface)
        rtnl_rule_set_table(rule, table)
        rtnl_rule_set_prio(rule, table)
        rtnl_rule_set_action(rule, UInt8(FR_ACT_TO_TBL))
        try ensure("add rule", "\(interface) -> \(table)") { rtnl_rule_add($0, rule, NLM_F_CREATE | NLM_F_EXCL) }
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
