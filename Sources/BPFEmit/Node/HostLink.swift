/// An interface of the agent's own namespace whose other end is in another one, as the host lists it. Nothing of it can be
/// changed from the other end, but which namespace that lies in.
public struct HostLink: Hashable, Sendable {
    /// Its number. The kernel does not give it to another interface of the namespace, unless told to.
    public var ifindex: UInt32
    /// Its name.
    public var name: String
    /// Its Ethernet address, `aa:bb:cc:dd:ee:ff`; empty for an interface without.
    public var mac: String
    /// `veth`, `netkit`, ...
    public var kind: String
    /// The other end's number in its namespace.
    public var peerIndex: UInt32
    /// Inode of the namespace the other end is in; `nil` when no file or process was found that stands for it.
    public var namespace: UInt64?

    /// A link.
    public init(ifindex: UInt32, name: String, mac: String, kind: String, peerIndex: UInt32, namespace: UInt64?) {
        self.ifindex = ifindex
        self.name = name
        self.mac = mac
        self.kind = kind
        self.peerIndex = peerIndex
        self.namespace = namespace
    }

    /// Whether programs at it see all that passes between the two namespaces.
    public var isEnforceable: Bool { kind == "veth" }
}
