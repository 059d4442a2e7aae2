import CLibNL
import Glibc
public import Support

extension NetlinkSocket {
    /// `struct ifinfomsg` of zeros, and `IFLA_EXT_MASK` with `RTEXT_FILTER_SKIP_STATS`: counters are most of a link's message.
    private static let linkRequest: [UInt8] =
        [UInt8](repeating: 0, count: 16) + [8, 0, UInt8(IFLA_EXT_MASK), 0, UInt8(RTEXT_FILTER_SKIP_STATS), 0, 0, 0]

    /// Every interface of the namespace, in the kernel's order.
    public func links(_ bounds: ListBounds = .ofNode) throws(SystemError) -> [LinkRecord] {
        try listObjects("links", message: Int32(RTM_GETLINK), header: NetlinkSocket.linkRequest, bounds) {
            LinkRecord($0)
        }
    }

    /// The interface of a name.
    public func link(named name: String) throws(SystemError) -> LinkRecord {
        var link: OpaquePointer?
        let status = rtnl_link_get_kernel(raw, 0, name, &link)
        guard status == 0, let link else { throw SystemError("find link", name, netlink: status) }
        defer { rtnl_link_put(link) }
        return LinkRecord(link)
    }

    /// One end of a veth pair to be.
    public struct VethEnd {
        /// Its name.
        public var name: String
        /// Its Ethernet address.
        public var address: MACAddress

        /// An end.
        public init(name: String, address: MACAddress) {
            self.name = name
            self.address = address
        }
    }

    /// Makes a veth pair: one end in this socket's namespace, the other in `namespace`. Both stay down.
    public func addVeth(
        here: VethEnd, there: VethEnd, in namespace: NetworkNamespace
    ) throws(SystemError) {
        guard let link = rtnl_link_veth_alloc(), let peer = rtnl_link_veth_get_peer(link) else {
            throw SystemError("add veth", here.name, netlink: Int32(NLE_NOMEM))
        }
        defer { rtnl_link_veth_release(link) }
        rtnl_link_set_name(link, here.name)
        rtnl_link_set_name(peer, there.name)
        NetlinkAddress.with(here.address) { rtnl_link_set_addr(link, $0) }
        NetlinkAddress.with(there.address) { rtnl_link_set_addr(peer, $0) }
        rtnl_link_set_ns_fd(peer, namespace.descriptor)
        try request("add veth", "\(here.name) - \(there.name)") {
            rtnl_link_add($0, link, NLM_F_CREATE | NLM_F_EXCL)
        }
    }

    /// Removes an interface; a veth goes with its other end.
    public func removeLink(_ index: Int32) throws(SystemError) {
        guard let link = rtnl_link_alloc() else {
            throw SystemError("remove link", "\(index)", netlink: Int32(NLE_NOMEM))
        }
        defer { rtnl_link_put(link) }
        rtnl_link_set_ifindex(link, index)
        try request("remove link", "\(index)") { rtnl_link_delete($0, link) }
    }

    /// Sets an interface up.
    public func setUp(_ index: Int32) throws(SystemError) {
        guard let original = rtnl_link_alloc(), let change = rtnl_link_alloc() else {
            throw SystemError("set up link", "\(index)", netlink: Int32(NLE_NOMEM))
        }
        defer {
            rtnl_link_put(original)
            rtnl_link_put(change)
        }
        rtnl_link_set_ifindex(original, index)
        rtnl_link_set_flags(change, UInt32(IFF_UP))
        try request("set up link", "\(index)") { rtnl_link_change($0, original, change, 0) }
    }
}
