public import NetTypes

/// What a node itself looks like at one moment.
public struct NodeSnapshot: Hashable, Sendable {
    /// The network namespaces that have a way to the agent's own.
    public var namespaces: [MountedNamespace]
    /// Every address of the agent's own namespace, sorted.
    public var addresses: [IPAddress]

    /// A snapshot.
    public init(namespaces: [MountedNamespace], addresses: [IPAddress]) {
        self.namespaces = namespaces
        self.addresses = addresses
    }
}

/// A network namespace found on the node, with those of its interfaces that lead to the scanning namespace.
public struct MountedNamespace: Hashable, Sendable {
    /// A veth whose host side is in the scanning namespace.
    public struct Interface: Hashable, Sendable {
        /// The host side's number: where the programs belong. The kernel does not reuse one while the interface lives.
        public var ifindex: UInt32
        /// The host side's name.
        public var name: String
        /// The name inside, for example `eth0`.
        public var insideName: String
        /// The number inside.
        public var insideIndex: UInt32
        /// The addresses inside that are valid beyond the link, sorted.
        public var addresses: [IPAddress]

        /// An interface.
        public init(
            ifindex: UInt32, name: String, insideName: String, insideIndex: UInt32, addresses: [IPAddress]
        ) {
            self.ifindex = ifindex
            self.name = name
            self.insideName = insideName
            self.insideIndex = insideIndex
            self.addresses = addresses
        }
    }

    /// The mount the namespace was opened by.
    public var path: String
    /// The mount's file name.
    public var name: String
    /// Inode of the namespace: distinguishes two that had the same name one after the other.
    public var inode: UInt64
    /// The interfaces, by number inside.
    public var interfaces: [Interface]

    /// A namespace.
    public init(path: String, name: String, inode: UInt64, interfaces: [Interface]) {
        self.path = path
        self.name = name
        self.inode = inode
        self.interfaces = interfaces
    }
}
