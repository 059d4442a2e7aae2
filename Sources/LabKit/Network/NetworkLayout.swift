public import NetTypes

/// A network to be built: a node, pods behind veths, and the world outside, each a namespace of its own.
public struct NetworkLayout: Hashable, Sendable {
    /// A pod's namespace and its link to the node.
    public struct Attachment: Hashable, Sendable {
        /// The namespace's file name; letters, digits, `-`, `.` and `_`.
        public var name: String
        /// The name of the veth's end in the node's namespace, at most 15 bytes.
        public var nodeInterface: String
        /// The pod's addresses.
        public var addresses: [IPAddress]

        /// An attachment.
        public init(name: String, nodeInterface: String, addresses: [IPAddress]) {
            self.name = name
            self.nodeInterface = nodeInterface
            self.addresses = addresses
        }
    }

    /// The node's own addresses: the first of a family is what it talks to pods from.
    public var nodeAddresses: [IPAddress]
    /// The pods.
    public var attachments: [Attachment]

    /// A layout.
    public init(nodeAddresses: [IPAddress], attachments: [Attachment]) {
        self.nodeAddresses = nodeAddresses
        self.attachments = attachments
    }

    /// Where the node's namespace is mounted in a network's folder.
    public static func nodePath(in folder: String) -> String { "\(folder)/node" }
    /// Where the outside's namespace is mounted.
    public static func outsidePath(in folder: String) -> String { "\(folder)/outside" }
    /// The folder of the pods' mounts, and of nothing else: what a scan for pods should look at.
    public static func podsFolder(in folder: String) -> String { "\(folder)/pods" }
    /// What pods use as their way out; lives on no interface, its Ethernet address is given to each pod.
    static let gateways = [IPAddress(ipv4: 0xa9fe_0101), IPAddress(high: 0xfe80 << 48, low: 1)]
    /// The node's way to the outside, link-local too.
    static let outsideGateways = [IPAddress(ipv4: 0xa9fe_0102), IPAddress(high: 0xfe80 << 48, low: 2)]
    /// 0.0.0.0/0 and ::/0.
    static let everything = [IPAddress(ipv4: 0), IPAddress(high: 0, low: 0)].compactMap { IPPrefix($0, length: 0) }
}
