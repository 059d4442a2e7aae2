public import NetTypes

/// The host side of a veth whose other end is in another network namespace.
public struct DiscoveredInterface: Hashable, Sendable {
    /// Interface index of the host side. The kernel does not reuse one while the interface lives.
    public var ifindex: UInt32
    /// Name of the host side.
    public var name: String
    /// Addresses of the other end, link-local ones left out.
    public var addresses: [IPAddress]

    /// An interface.
    public init(ifindex: UInt32, name: String, addresses: [IPAddress]) {
        self.ifindex = ifindex
        self.name = name
        self.addresses = addresses
    }
}

/// A network namespace of this node other than the agent's own.
public struct DiscoveredNamespace: Hashable, Sendable {
    /// Its name in the folder of namespaces.
    public var name: String
    /// Inode of the namespace: tells apart two that had the same name one after the other.
    public var inode: UInt64
    /// Its veths to the agent's namespace.
    public var interfaces: [DiscoveredInterface]

    /// A namespace.
    public init(name: String, inode: UInt64, interfaces: [DiscoveredInterface]) {
        self.name = name
        self.inode = inode
        self.interfaces = interfaces
    }
}

/// What the node itself looks like at one moment.
public struct NodeSight: Hashable, Sendable {
    /// The namespaces found.
    public var namespaces: [DiscoveredNamespace]
    /// Every address of the agent's own namespace.
    public var nodeAddresses: [IPAddress]

    /// A sight of the node.
    public init(namespaces: [DiscoveredNamespace], nodeAddresses: [IPAddress]) {
        self.namespaces = namespaces
        self.nodeAddresses = nodeAddresses
    }
}

/// Looks at the node: namespaces, veths, addresses.
public protocol NamespaceSource: Sendable {
    /// Looks once. Blocks for some milliseconds.
    func scan() throws -> NodeSight
    /// Calls `changed` (on any thread, coalesced or not) whenever a scan might see something else.
    func watch(_ changed: @escaping @Sendable () -> Void) throws
}
