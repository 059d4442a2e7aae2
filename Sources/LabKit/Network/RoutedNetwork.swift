public import Datapath
import Glibc
import NetTypes
public import Support
import SystemPackage

/// A network of namespaces as `NetworkLayout` describes it, built: each node forwards between its pods' veths (no bridge), every two
/// nodes have a link over which they route to each other's pods, the outside answers for every address that is nobody else's.
///
/// Nothing outside the new namespaces is touched. The namespaces outlive the process: `remove` takes them away.
public final class RoutedNetwork: Sendable {
    /// The nodes' namespaces.
    public let nodes: [NetworkNamespace]
    /// The first node's namespace.
    public let node: NetworkNamespace
    /// The outside.
    public let outside: NetworkNamespace
    /// The pods' namespaces by attachment name.
    public let pods: [String: NetworkNamespace]

    private init(
        node: NetworkNamespace, others: [NetworkNamespace], outside: NetworkNamespace, pods: [String: NetworkNamespace]
    ) {
        self.node = node
        nodes = [node] + others
        self.outside = outside
        self.pods = pods
    }

    /// Builds the network with its namespaces mounted in `folder`, an existing empty folder.
    ///
    /// - Parameters:
    ///   - layout: the addresses of the nodes, and the pods with theirs.
    ///   - folder: where the namespaces are mounted.
    ///   - progress: called after each attachment with how many are done; throwing stops.
    /// - Returns: the network, with a route to every pod.
    /// - Throws: `SystemError`; what was built until then is left for `remove`.
    public static func build(
        _ layout: NetworkLayout, in folder: String, progress: (Int) throws -> Void = { _ in }
    ) throws -> RoutedNetwork {
        let outside = try NetworkNamespace.create(at: NetworkLayout.outsidePath(in: folder))
        try allowPing(in: outside)
        // Sockets may bind to any address: the outside is whoever a probe says it is.
        try outside.setting("ipv4/ip_nonlocal_bind", "1")
        try outside.setting("ipv6/ip_nonlocal_bind", "1")
        try outside.setting("ipv4/conf/all/rp_filter", "0")
        try raiseLoopback(try outside.run { try NetlinkSocket() })
        var nodes: [Node] = []
        for (number, addresses) in layout.nodes.enumerated() {
            let podsFolder = NetworkLayout.podsFolder(in: folder, node: number)
            try SystemError.check("create folder", podsFolder) { mkdir(podsFolder, 0o755) }
            let node = try Node(
                number: number, at: NetworkLayout.nodePath(in: folder, node: number), addresses: addresses)
            try forward(in: node.namespace)
            try allowPing(in: node.namespace)
            try raiseLoopback(node.network, addresses: addresses)
            try connectOutside(outside, to: node, layout)
            for other in nodes { try connect(other, node, layout) }
            nodes.append(node)
        }
        guard let first = nodes.first else { throw SystemError("build", "a network without nodes", .invalidArgument) }

        var pods: [String: NetworkNamespace] = [:]
        for (number, attachment) in layout.attachments.enumerated() {
            let pod = try NetworkNamespace.create(at: path(of: attachment, in: folder))
            try attach(pod, attachment, number: UInt32(number + 1), to: nodes[attachment.node])
            pods[attachment.name] = pod
            try progress(number + 1)
        }
        return RoutedNetwork(
            node: first.namespace, others: nodes.dropFirst().map(\.namespace), outside: outside, pods: pods)
    }

    /// A node under construction.
    private struct Node {
        let number: Int
        let namespace: NetworkNamespace
        let network: NetlinkSocket
        let addresses: [IPAddress]

        init(number: Int, at path: String, addresses: [IPAddress]) throws {
            self.number = number
            namespace = try NetworkNamespace.create(at: path)
            network = try namespace.run { try NetlinkSocket() }
            self.addresses = addresses
        }

        /// What the node calls itself towards an address.
        func source(towards address: IPAddress) -> IPAddress? { addresses.first { $0.isIPv4 == address.isIPv4 } }
    }

    private static func path(of attachment: NetworkLayout.Attachment, in folder: String) -> String {
        "\(NetworkLayout.podsFolder(in: folder, node: attachment.node))/\(attachment.name)"
    }

    /// Opens a network that stands already.
    public static func open(_ layout: NetworkLayout, in folder: String) throws -> RoutedNetwork {
        var pods: [String: NetworkNamespace] = [:]
        for attachment in layout.attachments {
            pods[attachment.name] = try NetworkNamespace(path: path(of: attachment, in: folder))
        }
        return RoutedNetwork(
            node: try NetworkNamespace(path: NetworkLayout.nodePath(in: folder)),
            others: try layout.nodes.indices.dropFirst().map {
                try NetworkNamespace(path: NetworkLayout.nodePath(in: folder, node: $0))
            },
            outside: try NetworkNamespace(path: NetworkLayout.outsidePath(in: folder)), pods: pods)
    }

    /// Takes away every namespace of a network, whole or half built, and the folder.
    public static func remove(folder: String) throws(SystemError) {
        // Whatever number of nodes it was to have: what is there is taken away.
        for place in (try? FolderNames.read(folder)) ?? [] {
            let path = "\(folder)/\(place)"
            guard place.hasPrefix("pods") else {
                try NetworkNamespace.remove(at: path)
                continue
            }
            for name in (try? FolderNames.read(path)) ?? [] { try NetworkNamespace.remove(at: "\(path)/\(name)") }
            try removeFolder(path)
        }
        try removeFolder(folder)
    }

    private static func removeFolder(_ path: String) throws(SystemError) {
        if rmdir(path) != 0, Errno.current != .noSuchFileOrDirectory { throw SystemError("remove", path, .current) }
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
        to node: Node
    ) throws {
        let network = node.network
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
            try network.addRoute(
                RouteSpec(IPPrefix(host: address), .link(veth), source: node.source(towards: address)))
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
        _ outside: NetworkNamespace, to node: Node, _ layout: NetworkLayout
    ) throws {
        let network = node.network
        let nodeSide = MACAddress(local: 0, side: UInt8(2 * node.number))
        let outsideSide = MACAddress(local: 0, side: UInt8(2 * node.number + 1))
        let name = "eth\(node.number)"
        try network.addVeth(
            here: .init(name: "npworld", address: nodeSide), there: .init(name: name, address: outsideSide), in: outside
        )
        try outside.setting("ipv4/conf/\(name)/rp_filter", "0")
        let inside = try outside.run { try NetlinkSocket() }
        let eth = try inside.link(named: name).index
        let loopback = try inside.link(named: "lo").index
        let world = try network.link(named: "npworld").index
        try inside.setUp(eth)
        try network.setUp(world)
        for (gateway, all) in zip(NetworkLayout.outsideGateways, NetworkLayout.everything) {
            try network.addNeighbour(gateway, at: outsideSide, on: world)
            try network.addRoute(RouteSpec(IPPrefix(host: gateway), .link(world)))
            try network.addRoute(RouteSpec(all, .gateway(gateway, world), source: node.source(towards: gateway)))
            // In the main table, so that the routes back to the cluster, which are longer, come first.
            if node.number == 0 { try inside.addRoute(RouteSpec(all, .local(loopback))) }
        }
        let gateways = NetworkLayout.gateways(toNode: node.number)
        for gateway in gateways {
            try inside.addNeighbour(gateway, at: nodeSide, on: eth)
            try inside.addRoute(RouteSpec(IPPrefix(host: gateway), .link(eth)))
        }
        for address in layout.addresses(at: node.number) {
            for gateway in gateways where gateway.isIPv4 == address.isIPv4 {
                try inside.addRoute(RouteSpec(IPPrefix(host: address), .gateway(gateway, eth)))
            }
        }
    }

    /// Gives two nodes a link, and each routes to what is at the other.
    private static func connect(_ one: Node, _ other: Node, _ layout: NetworkLayout) throws {
        let number = 0x8000_0000 | UInt32(one.number) << 8 | UInt32(other.number)
        let ends = [(one, other, "npnode\(other.number + 1)"), (other, one, "npnode\(one.number + 1)")]
        let hardware = [MACAddress(local: number, side: 0), MACAddress(local: number, side: 1)]
        try one.network.addVeth(
            here: .init(name: ends[0].2, address: hardware[0]), there: .init(name: ends[1].2, address: hardware[1]),
            in: other.namespace)
        for (near, far, name) in ends {
            let link = try near.network.link(named: name).index
            try near.network.setUp(link)
            let hop = near.number == one.number ? hardware[1] : hardware[0]
            for address in layout.addresses(at: far.number) {
                try near.network.addNeighbour(address, at: hop, on: link)
                try near.network.addRoute(
                    RouteSpec(IPPrefix(host: address), .link(link), source: near.source(towards: address)))
            }
        }
    }
}
