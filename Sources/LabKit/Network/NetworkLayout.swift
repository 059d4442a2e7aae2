public import NetTypes

/// A network to be built: nodes, pods behind veths, and the world outside, each a namespace of its own.
public struct NetworkLayout: Hashable, Sendable {
    /// A pod's namespace and its link to the node.
    public struct Attachment: Hashable, Sendable {
        /// The namespace's file name; letters, digits, `-`, `.` and `_`.
        public var name: String
        /// The name of the veth's end in the node's namespace, at most 15 bytes.
        public var nodeInterface: String
        /// The pod's addresses.
        public var addresses: [IPAddress]
        /// Its node, by index in `NetworkLayout.nodes`.
        public var node: Int

        /// An attachment.
        public init(name: String, nodeInterface: String, addresses: [IPAddress], node: Int = 0) {
            self.name = name
            self.nodeInterface = nodeInterface
            self.addresses = addresses
            self.node = node
        }
    }

    /// Each node's own addresses: the first of a family is what it talks to pods from.
    public var nodes: [[IPAddress]]
    /// The pods.
    public var attachments: [Attachment]

    /// A layout of one node.
    public init(nodeAddresses: [IPAddress], attachments: [Attachment]) {
        self.init(nodes: [nodeAddresses], attachments: attachments)
    }

    /// A layout of nodes, at least one; attachments name them by index.
    public init(nodes: [[IPAddress]], attachments: [Attachment]) {
        self.nodes = nodes
        self.attachments = attachments
    }

    /// The addresses of a node and its pods.
    func addresses(at node: Int) -> [IPAddress] {
        nodes[node] + attachments.filter { $0.node == node }.flatMap(\.addresses)
    }

    /// Where a node's namespace is mounted in a network's folder.
    public static func nodePath(in folder: String, node: Int = 0) -> String { "\(folder)/node\(suffix(node))" }
    /// Where the outside's namespace is mounted.
    public static func outsidePath(in folder: String) -> String { "\(folder)/outside" }
    /// The folder of the mounts of a node's pods, and of nothing else: what a scan for pods should look at.
    public static func podsFolder(in folder: String, node: Int = 0) -> String { "\(folder)/pods\(suffix(node))" }

    private static func suffix(_ node: Int) -> String { node == 0 ? "" : "-\(node + 1)" }
    /// What pods use as their way out; lives on no interface, its Ethernet address is given to each pod.
    static let gateways = [IPAddress(ipv4: 0xa9fe_0101), IPAddress(high: 0xfe80 << 48, low: 1)]
    /// The outside's way to a node, one for each: IPv4 knows an address on one link only.
    static func gateways(toNode node: Int) -> [IPAddress] {
        [IPAddress(ipv4: 0xa9fe_0201 + UInt32(node)), IPAddress(high: 0xfe80 << 48, low: 0x201 + UInt64(node))]
    }
    /// A node's way to the outside, link-local too.
    static let outsideGateways = [IPAddress(ipv4: 0xa9fe_0102), IPAddress(high: 0xfe80 << 48, low: 2)]
    /// 0.0.0.0/0 and ::/0.
    static let everything = [IPAddress(ipv4: 0), IPAddress(high: 0, low: 0)].compactMap { IPPrefix($0, length: 0) }
}
