public import PolicyIR

/// A network namespace found on the node, with those of its interfaces that lead to the scanning namespace.
public struct MountedNamespace: Hashable, Sendable {
    /// A veth whose other end is in the scanning namespace.
    public struct Interface: Hashable, Sendable {
        /// Its name inside, for example `eth0`.
        public var name: String
        /// Its number inside.
        public var index: Int32
        /// The other end's number in the scanning namespace: where the programs belong.
        public var peerIndex: Int32
        /// The other end's name in the scanning namespace.
        public var peerName: String
        /// Its addresses that are valid beyond the link, sorted.
        public var addresses: [IPAddress]
    }

    /// The mount the namespace was opened by.
    public var path: String
    /// The mount's file name.
    public var name: String
    /// Inode of the namespace: tells apart two that had the same name one after the other.
    public var inode: UInt64
    /// The interfaces, by number.
    public var interfaces: [Interface]
}
