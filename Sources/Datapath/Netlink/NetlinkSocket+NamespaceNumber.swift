import CLibNL
import Glibc
public import Support

extension NetlinkSocket {
    /// The number by which this socket's namespace knows another one (`link-netnsid` of links into it), or `nil` when it
    /// has given it none: then no link of it leads there.
    public func number(of namespace: NetworkNamespace) throws(SystemError) -> Int32? {
        guard let message = nlmsg_alloc_simple(Int32(RTM_GETNSID), 0) else {
            throw SystemError("number namespace", namespace.path, netlink: Int32(NLE_NOMEM))
        }
        defer { nlmsg_free(message) }
        var header = rtgenmsg(rtgen_family: UInt8(AF_UNSPEC))
        nlmsg_append(message, &header, MemoryLayout<rtgenmsg>.size, Int32(NLMSG_ALIGNTO))
        nla_put_u32(message, Int32(NETNSA_FD), UInt32(namespace.descriptor))

        var answer = Int32(NETNSA_NSID_NOT_ASSIGNED)
        guard let callbacks = nl_cb_alloc(NL_CB_DEFAULT) else {
            throw SystemError("number namespace", namespace.path, netlink: Int32(NLE_NOMEM))
        }
        defer { nl_cb_put(callbacks) }
        nl_cb_set(
            callbacks, NL_CB_VALID, NL_CB_CUSTOM,
            { message, result in
                guard let message, let result, let header = nlmsg_hdr(message),
                    let found = nlmsg_find_attr(
                        header, Int32(MemoryLayout<rtgenmsg>.size), Int32(NETNSA_NSID))
                else { return Int32(NL_OK.rawValue) }
                result.assumingMemoryBound(to: Int32.self).pointee = nla_get_s32(found)
                return Int32(NL_OK.rawValue)
            }, &answer)
        try request("number namespace", namespace.path) { nl_send_auto($0, message) }
        try request("number namespace", namespace.path) { nl_recvmsgs($0, callbacks) }
        try request("number namespace", namespace.path) { nl_wait_for_ack($0) }
        return answer >= 0 ? answer : nil
    }
}
