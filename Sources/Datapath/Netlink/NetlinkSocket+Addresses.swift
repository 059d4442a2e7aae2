import CLibNL
import Glibc
public import NetTypes
public import Support

/// An address of an interface.
public struct AddressRecord: Hashable, Sendable {
    /// The interface's number.
    public var interface: Int32
    /// The address.
    public var address: IPAddress
    /// Whether it is valid beyond the link (not link-local, not loopback).
    public var isGlobal: Bool
    /// The network that it is in, without host bits.
    public var network: IPPrefix
}

extension NetlinkSocket {
    /// Every address of the namespace, link-local and loopback ones included.
    public func addresses(_ bounds: ListBounds = .ofNode) throws(SystemError) -> [AddressRecord] {
        // `struct ifaddrmsg`.
        let header = [UInt8](repeating: 0, count: 8)
        return try listObjects("addresses", message: Int32(RTM_GETADDR), header: header, bounds) { record in
            guard let address = NetlinkAddress.address(of: rtnl_addr_get_local(record)) else { return nil }
            let length = Int(nl_addr_get_prefixlen(rtnl_addr_get_local(record)))
            let scope = rtnl_addr_get_scope(record)
            return AddressRecord(
                interface: rtnl_addr_get_ifindex(record), address: address,
                isGlobal: scope == Int32(RT_SCOPE_UNIVERSE.rawValue),
                network: IPPrefix(address, length: length) ?? IPPrefix(host: address))
        }
    }

    /// Gives an interface an address as a host address (`/32`, `/128`), usable at once: no duplicate detection.
    ///
    /// - Parameters:
    ///   - address: the address.
    ///   - index: the interface.
    ///   - isOfHost: whether it is of use inside the namespace only (scope host), and never a socket's source by itself.
    /// - Throws: unless the interface has it afterwards.
    public func addAddress(_ address: IPAddress, to index: Int32, isOfHost: Bool = false) throws(SystemError) {
        guard let record = rtnl_addr_alloc() else {
            throw SystemError("add address", "\(index)", netlink: Int32(NLE_NOMEM))
        }
        defer { rtnl_addr_put(record) }
        rtnl_addr_set_ifindex(record, index)
        _ = NetlinkAddress.with(address) { rtnl_addr_set_local(record, $0) }
        if !address.isIPv4 { rtnl_addr_set_flags(record, UInt32(IFA_F_NODAD)) }
        if isOfHost { rtnl_addr_set_scope(record, Int32(RT_SCOPE_HOST.rawValue)) }
        try ensure("add address", "to link \(index)") { rtnl_addr_add($0, record, NLM_F_CREATE | NLM_F_EXCL) }
    }
}
