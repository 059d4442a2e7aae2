import CLibNL
import Glibc
public import Support
import SystemPackage

/// Notices when the interfaces or addresses of a network namespace change, or local routes, which are addresses too. What changed is not
/// said: look again.
///
/// The descriptor becomes readable at a change; `drain` makes it silent until the next one.
public final class LinkMonitor {
    private let raw: OpaquePointer

    /// Watches the namespace of the calling thread.
    public init() throws(SystemError) {
        guard let socket = nl_socket_alloc() else {
            throw SystemError("open", "netlink monitor", netlink: Int32(NLE_NOMEM))
        }
        nl_socket_disable_seq_check(socket)
        var status = nl_connect(socket, NETLINK_ROUTE)
        let groups = [
            RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
        ]
        for group in groups where status == 0 {
            status = nl_socket_add_membership(socket, Int32(group.rawValue))
        }
        if status == 0 { status = nl_socket_set_nonblocking(socket) }
        guard status == 0 else {
            nl_socket_free(socket)
            throw SystemError("open", "netlink monitor", netlink: status)
        }
        raw = socket
    }

    deinit { nl_socket_free(raw) }

    /// To be polled for reading; owned by the monitor.
    public var descriptor: Int32 { nl_socket_get_fd(raw) }

    /// Reads and forgets what is pending. True when there was something; messages lost for want of space count too. Of routes only the
    /// local ones count: a node that speaks BGP has others all the time.
    public func drain() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        var changed = false
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                changed = changed || LinkMonitor.counts(buffer[..<count])
            } else if count < 0, Errno.current == .noBufferSpace {
                changed = true
            } else if count < 0, Errno.current == .interrupted {
                continue
            } else {
                return changed
            }
        }
    }

    /// Whether messages say more than that routes changed which are not the host's own addresses.
    static func counts(_ messages: ArraySlice<UInt8>) -> Bool {
        // struct nlmsghdr: length, type, flags, sequence number, port.
        let header = 16
        var rest = messages
        while rest.count >= header {
            let start = rest.startIndex
            let length = Int(NetlinkReader.number(rest[start..<(start + 4)]))
            let type = Int32(rest[start + 4]) | Int32(rest[start + 5]) << 8
            // What cannot be read may say anything.
            guard length >= header, length <= rest.count else { return true }
            guard type == Int32(RTM_NEWROUTE) || type == Int32(RTM_DELROUTE) else { return true }
            if LocalRoute(message: rest[(start + header)..<(start + length)]) != nil { return true }
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return false
    }
}
