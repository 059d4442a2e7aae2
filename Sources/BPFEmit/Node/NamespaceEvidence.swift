public import NetTypes

/// A network namespace other than the agent's own. Its interfaces are what the namespace itself shows: whoever rules in it
/// can make them say anything.
public struct NamespaceEvidence: Hashable, Sendable {
    /// Where an interface inside leads.
    public enum Reach: Hashable, Sendable {
        /// To this node, over the veth whose host side has this number.
        case node(ifindex: UInt32)
        /// Out of the namespace by a way that no host side of a veth sees: macvlan, ipvlan, a physical or virtual function.
        case around
        /// Nowhere but to other interfaces of its own namespace, or to namespaces that are not the host's.
        case inside
    }

    /// An interface inside.
    public struct Interface: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Its number.
        public var index: UInt32
        /// `veth`, `macvlan`, ...; empty for a physical interface.
        public var kind: String
        /// Where it leads.
        public var reach: Reach
        /// Its addresses that are valid beyond the link, sorted.
        public var addresses: [IPAddress]

        /// An interface.
        public init(name: String, index: UInt32, kind: String, reach: Reach, addresses: [IPAddress]) {
            self.name = name
            self.index = index
            self.kind = kind
            self.reach = reach
            self.addresses = addresses
        }
    }

    /// Inode of the namespace: its name for as long as it lives.
    public var inode: UInt64
    /// The file it was opened by.
    public var path: String
    /// What people call it: the file's name in the folder of namespaces, or the path.
    public var name: String
    /// Whether it is mounted in the folder of namespaces.
    public var isMounted: Bool
    /// Its interfaces without the loopback, by number; empty when it could not be entered.
    public var interfaces: [Interface]
    /// UIDs of the pods whose cgroups its processes are in, as Kubernetes writes them, sorted.
    public var podUIDs: [String]
    /// Why it could not be entered; `nil` when it was.
    public var failure: String?

    /// A namespace.
    public init(
        inode: UInt64, path: String, name: String, isMounted: Bool, interfaces: [Interface] = [],
        podUIDs: [String] = [], failure: String? = nil
    ) {
        self.inode = inode
        self.path = path
        self.name = name
        self.isMounted = isMounted
        self.interfaces = interfaces
        self.podUIDs = podUIDs
        self.failure = failure
    }
}
