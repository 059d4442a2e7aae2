public import Datapath
import Glibc
import NetTypes
public import Support
import SystemPackage

/// A network of namespaces as `NetworkLayout` describes it, built: the node forwards between pods' veths (no bridge),
/// the outside answers for every address that is nobody else's.
///
/// Nothing outside the new namespaces is touched. The namespaces outlive the process: `remove` takes them away.
public final class RoutedNetwork: Sendable {
    /// The node's namespace.
    public let node: NetworkNamespace
    /// The outside.
    public let outside: NetworkNamespace
    /// The pods' namespaces by attachment name.
    public let pods: [String: NetworkNamespace]

    private init(node: NetworkNamespace, outside: NetworkNamespace, pods: [String: NetworkNamespace]) {
        self.node = node
        self.outside = outside
        self.pods = pods
    }

    /// Builds the network with its namespaces mounted in `folder`, an existing empty folder.
    ///
    /// - Parameters:
    ///   - layout: the addresses of the node, and the pods with theirs.
    ///   - folder: where the namespaces are mounted.
    ///   - progress: called after each attachment with how many are done; throwing stops.
    /// - Returns: the network, with a route to every pod.
    /// - Throws: `SystemError`; what was built until then is left for `remove`.
    public static func build(
        _ layout: NetworkLayout, in folder: String, progress: (Int) throws -> Void = { _ in }
    ) throws -> RoutedNetwork {
        let node = try NetworkNamespace.create(at: NetworkLayout.nodePath(in: folder))
        let outside = try NetworkNamespace.create(at: NetworkLayout.outsidePath(in: folder))
        try forward(in: node)
        try allowPing(in: node)
        try allowPing(in: outside)
        let network = try node.run { try NetlinkSocket() }
        try raiseLoopback(network, addresses: layout.nodeAddresses)
        try connectOutside(outside, to: network, layout)

        let podsFolder = NetworkLayout.podsFolder(in: folder)
        try SystemError.check("create folder", podsFolder) { mkdir(podsFolder, 0o755) }
        var pods: [String: NetworkNamespace] = [:]
        for (number, attachment) in layout.attachments.enumerated() {
            let pod = try NetworkNamespace.create(at: "\(NetworkLayout.podsFolder(in: folder))/\(attachment.name)")
            try attach(pod, attachment, number: UInt32(number + 1), to: network, layout)
            pods[attachment.name] = pod
            try progress(number + 1)
        }
        return RoutedNetwork(node: node, outside: outside, pods: pods)
    }

    /// Opens a network that stands already.
    public static func open(_ layout: NetworkLayout, in folder: String) throws -> RoutedNetwork {
        var pods: [String: NetworkNamespace] = [:]
        for attachment in layout.attachments {
            pods[attachment.name] = try NetworkNamespace(
                path: "\(NetworkLayout.podsFolder(in: folder))/\(attachment.name)")
        }
        return RoutedNetwork(
            node: try NetworkNamespace(path: NetworkLayout.nodePath(in: folder)),
            outside: try NetworkNamespace(path: NetworkLayout.outsidePath(in: folder)), pods: pods)
    }

    /// Takes away every namespace of a network, whole or half built, and the folder.
    public static func remove(folder: String) throws(SystemError) {
        let podsFolder = NetworkLayout.podsFolder(in: folder)
        for name in (try? FolderNames.read(podsFolder)) ?? [] {
            try NetworkNamespace.remove(at: "\(podsFolder)/\(name)")
        }
        try NetworkNamespace.remove(at: NetworkLayout.nodePath(in: folder))
        try NetworkNamespace.remove(at: NetworkLayout.outsidePath(in: folder))
        for path in [podsFolder, folder] where rmdir(path) != 0 && Errno.current != .noSuchFileOrDirectory {
            throw SystemError("remove", path, .current)
        }
    }

    private static func forward(in node: NetworkNamespace) throws {
        try node.setting("ipv4/ip_forward", "1")
        try node.setting("ipv6/conf/all/forwarding", "1")
        // Strict reverse-path checks would drop what the outside sends from addresses that lie nowhere.
        try node.setting("ipv4/conf/all/rp_filter", "0")
        try node.setting("ipv4/conf/default/rp_filter", "0")
    }

    /// Lets everybody open ICMP echo sockets, as most distributions do.
    private static func allowPing(in namespace: NetworkNamespace) throws {
        try namespace.setting("ipv4/ping_group_range", "0 2147483647")
    }

    private static func raiseLoopback(_ socket: NetlinkSocket, addresses: [IPAddress] = []) throws {
        let loopback = try socket.link(named: "lo").index
        try socket.setUp(loopback)
        for address in addresses { try socket.addAddress(address, to: loopback) }
    }

    private static func attach(
        _ pod: NetworkNamespace, _ attachment: NetworkLayout.Attachment, number: UInt32,
        to network: NetlinkSocket, _ layout: NetworkLayout
    ) throws {
        let nodeSide = MACAddress(local: number, side: 0)
        let podSide = MACAddress(local: number, side: 1)
        try network.addVeth(
            here: .init(name: attachment.nodeInterface, address: nodeSide),
            there: .init(name: "eth0", address: podSide), in: pod)
        let inside = try pod.run { try NetlinkSocket() }
        try raiseLoopback(inside)
        try allowPing(in: pod)
        let eth0 = try inside.link(named: "eth0").index
        let veth = try network.link(named: attachment.nodeInterface).index
        try inside.setUp(eth0)
        try network.setUp(veth)
        for address in attachment.addresses {
            try inside.addAddress(address, to: eth0)
            let source = layout.nodeAddresses.first { $0.isIPv4 == address.isIPv4 }
            try network.addRoute(RouteSpec(IPPrefix(host: address), .link(veth), source: source))
            try network.addNeighbour(address, at: podSide, on: veth)
        }
        for gateway in NetworkLayout.gateways
        where attachment.addresses.contains(where: { $0.isIPv4 == gateway.isIPv4 }) {
            try inside.addNeighbour(gateway, at: nodeSide, on: eth0)
            try inside.addRoute(RouteSpec(IPPrefix(host: gateway), .link(eth0)))
            for all in NetworkLayout.everything where all.isIPv4 == gateway.isIPv4 {
                try inside.addRoute(RouteSpec(all, .gateway(gateway, eth0)))
            }
        }
    }

    private static func connectOutside(
        _ outside: NetworkNamespace, to network: NetlinkSocket, _ layout: NetworkLayout
    ) throws {
        let nodeSide = MACAddress(local: 0, side: 0)
        let outsideSide = MACAddress(local: 0, side: 1)
        try network.addVeth(
            here: .init(name: "npworld", address: nodeSide), there: .init(name: "eth0", address: outsideSide),
            in: outside)
        // Sockets may bind to any address: the outside is whoever a probe says it is.
        try outside.setting("ipv4/ip_nonlocal_bind", "1")
        try outside.setting("ipv6/ip_nonlocal_bind", "1")
        try outside.setting("ipv4/conf/all/rp_filter", "0")
        try outside.setting("ipv4/conf/eth0/rp_filter", "0")
        let inside = try outside.run { try NetlinkSocket() }
        try raiseLoopback(inside)
        let eth0 = try inside.link(named: "eth0").index
        let loopback = try inside.link(named: "lo").index
        let world = try network.link(named: "npworld").index
        try inside.setUp(eth0)
        try network.setUp(world)
        for (gateway, all) in zip(NetworkLayout.outsideGateways, NetworkLayout.everything) {
            try network.addNeighbour(gateway, at: outsideSide, on: world)
            try network.addRoute(RouteSpec(IPPrefix(host: gateway), .link(world)))
            try network.addRoute(
                RouteSpec(
                    all, .gateway(gateway, world),
                    source: layout.nodeAddresses.first { $0.isIPv4 == gateway.isIPv4 }))
            // In the main table, so that the routes back to the cluster, which are longer, come first.
            try inside.addRoute(RouteSpec(all, .local(loopback)))
        }
        for gateway in NetworkLayout.gateways {
            try inside.addNeighbour(gateway, at: nodeSide, on: eth0)
            try inside.addRoute(RouteSpec(IPPrefix(host: gateway), .link(eth0)))
        }
        for address in layout.nodeAddresses + layout.attachments.flatMap(\.addresses) {
            for gateway in NetworkLayout.gateways where gateway.isIPv4 == address.isIPv4 {
                try inside.addRoute(RouteSpec(IPPrefix(host: address), .gateway(gateway, eth0)))
            }
        }
    }
}
