import Glibc
import NetTypes
import Support
import SystemPackage

extension ProxyPlace {
    /// Makes what is missing of the namespace, the pair and what belongs to them, in the calling thread's network namespace: again
    /// after a start that was interrupted, and for what is there already.
    ///
    /// - Returns: the namespace, and the number of the pair's end here.
    /// - Throws: when the kernel refuses something; what was made until then is left for the next call.
    func establish() throws -> (namespace: NetworkNamespace, interface: UInt32) {
        let node = try NetlinkSocket()
        let outer: LinkRecord
        let namespace: NetworkNamespace
        if let found = try standing(node) {
            (namespace, outer) = found
        } else {
            try remove()
            if mkdir(folder, 0o755) != 0, Errno.current != .fileExists {
                throw SystemError("make folder", folder, .current)
            }
            namespace = try NetworkNamespace.create(at: self.namespace)
            try node.addVeth(
                here: .init(name: interface, address: outerAddress),
                there: .init(name: Self.innerInterface, address: innerAddress), in: namespace)
            outer = try node.link(named: interface)
        }
        try settle(inside: namespace)
        try settle(outer.index, node)
        return (namespace, UInt32(bitPattern: outer.index))
    }

    /// Removes the pair and the namespace's mount; what is gone already is fine. A proxy that is inside has no way out any more.
    public func remove() throws(BPFError) {
        do {
            let node = try NetlinkSocket()
            if let outer = try node.links().first(where: { $0.name == interface }) { try node.removeLink(outer.index) }
            try NetworkNamespace.remove(at: namespace)
        } catch {
            throw BPFError(.detach, namespace, errno: .ioError, detail: "\(error)")
        }
    }

    /// The pair and the namespace, when both are there and belong together.
    private func standing(_ node: NetlinkSocket) throws -> (NetworkNamespace, LinkRecord)? {
        guard let outer = try node.links().first(where: { $0.name == interface }),
            let namespace = try? NetworkNamespace(path: self.namespace),
            let inner = try? namespace.run({ try NetlinkSocket().link(named: Self.innerInterface) }),
            inner.index == outer.peerIndex, inner.peerIndex == outer.index
        else { return nil }
        return (namespace, outer)
    }

    /// What the kernel may keep of one connection that the proxy does not read, in bytes: behind a peer's end the proxy's event loop reads all
    /// that there is, whatever it asked for.
    static let receiveBuffer = 262_144

    private static let hasIPv6 = access("/proc/sys/net/ipv6", F_OK) == 0

    private func settle(inside namespace: NetworkNamespace) throws {
        for (name, value) in [
            ("ipv4/ip_forward", "0"), ("ipv4/conf/all/rp_filter", "0"), ("ipv4/conf/default/rp_filter", "0"),
            ("ipv4/conf/\(Self.innerInterface)/rp_filter", "0"), ("ipv4/tcp_tw_reuse", "1"),
            ("ipv4/tcp_max_syn_backlog", "8192"), ("core/somaxconn", "8192"),
            ("ipv4/tcp_rmem", "4096 131072 \(Self.receiveBuffer)"),
        ] { try namespace.setting(name, value) }
        if Self.hasIPv6 {
            for (name, value) in [
                ("all/forwarding", "0"), ("\(Self.innerInterface)/disable_ipv6", "0"),
                ("\(Self.innerInterface)/accept_ra", "0"), ("\(Self.innerInterface)/accept_dad", "0"),
            ] { try namespace.setting("ipv6/conf/\(name)", value) }
        }
        let inside = try namespace.run { try NetlinkSocket() }
        let loopback = try inside.link(named: "lo").index
        let inner = try inside.link(named: Self.innerInterface).index
        try inside.setUp(loopback)
        try inside.setUp(inner)
        try inside.addAddress(Self.inner, to: inner)
        for gateway in Self.gateways where gateway.isIPv4 || Self.hasIPv6 {
            guard let all = IPPrefix(IPAddress.unspecified(isIPv4: gateway.isIPv4), length: 0) else { continue }
            try inside.addNeighbour(gateway, at: outerAddress, on: inner)
            if gateway.isIPv4 { try inside.addRoute(RouteSpec(IPPrefix(host: gateway), .link(inner))) }
            try inside.addRoute(RouteSpec(all, .gateway(gateway, inner)))
            try inside.addRoute(RouteSpec(all, .local(loopback), table: Self.table))
            try inside.addRule(arrivingBy: Self.innerInterface, table: Self.table, isIPv4: gateway.isIPv4)
        }
    }

    private func settle(_ outer: Int32, _ node: NetlinkSocket) throws {
        // What comes from there has the sources of pods, whose way back is another one; and it is to be forwarded.
        var settings = [("ipv4/conf/\(interface)/rp_filter", "2"), ("ipv4/conf/\(interface)/forwarding", "1")]
        if Self.hasIPv6 {
            settings += [
                ("ipv6/conf/\(interface)/accept_ra", "0"), ("ipv6/conf/\(interface)/accept_dad", "0"),
                ("ipv6/conf/\(interface)/disable_ipv6", "0"), ("ipv6/conf/\(interface)/forwarding", "1"),
            ]
        }
        for (name, value) in settings {
            let path = "/proc/sys/net/\(name)"
            try SystemError.wrap("set", path) {
                _ = try OwnedDescriptor(opening: path, .writeOnly).use { try $0.writeAll(value.utf8) }
            }
        }
        try node.addAddress(Self.gateways[0], to: outer, isOfHost: true)
        try node.setUp(outer)
    }
}

extension IPAddress {
    /// 0.0.0.0 or ::.
    fileprivate static func unspecified(isIPv4: Bool) -> IPAddress {
        isIPv4 ? IPAddress(ipv4: 0) : IPAddress(high: 0, low: 0)
    }
}
