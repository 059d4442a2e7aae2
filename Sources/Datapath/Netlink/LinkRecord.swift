import CLibNL
import Glibc

/// A network interface as the kernel lists it.
public struct LinkRecord: Hashable, Sendable {
    /// Its number in its namespace.
    public var index: Int32
    /// Its name.
    public var name: String
    /// The interface it hangs on: of a veth, the other end's number in the namespace where that lies. 0 for none.
    public var peerIndex: Int32
    /// The kernel's number for the namespace of the other end, as this namespace knows it; `nil` when it is the same.
    public var peerNamespace: Int32?
    /// The number of the interface that it is enslaved to (bridge, VRF, bond); 0 for none.
    public var master: Int32
    /// Whether it is the namespace's loopback (`IFF_LOOPBACK`).
    public var isLoopback: Bool
    /// The kernel's name for its kind (`veth`, `bridge`, `macvlan`); empty for physical interfaces and loopback.
    public var kind: String
    /// Its Ethernet address, `aa:bb:cc:dd:ee:ff`; empty for an interface without.
    public var mac: String
    /// The kind of its queueing discipline (`noqueue`, `tbf`).
    public var queueing: String

    /// Reads libnl's link object.
    init(_ link: OpaquePointer) {
        index = rtnl_link_get_ifindex(link)
        name = rtnl_link_get_name(link).map { String(cString: $0) } ?? ""
        peerIndex = rtnl_link_get_link(link)
        master = rtnl_link_get_master(link)
        var identifier: Int32 = -1
        peerNamespace = rtnl_link_get_link_netnsid(link, &identifier) == 0 ? identifier : nil
        isLoopback = rtnl_link_get_flags(link) & UInt32(IFF_LOOPBACK) != 0
        kind = rtnl_link_get_type(link).map { String(cString: $0) } ?? ""
        queueing = rtnl_link_get_qdisc(link).map { String(cString: $0) } ?? ""
        mac = rtnl_link_get_addr(link).map(NetlinkAddress.hardwareText) ?? ""
    }
}
