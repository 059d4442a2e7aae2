import CLibNL
public import Support

/// A netlink socket. It speaks about the network namespace of the thread that opened it, whoever uses it later.
///
/// Not `Sendable`: one thread at a time uses it.
public final class NetlinkSocket {
    let raw: OpaquePointer

    /// Opens a socket for links, addresses and routes in the calling thread's network namespace.
    public convenience init() throws(SystemError) { try self.init(protocol: NETLINK_ROUTE) }

    /// Opens a socket of another netlink protocol (`NETLINK_*`).
    init(protocol number: Int32) throws(SystemError) {
        guard let socket = nl_socket_alloc() else {
            throw SystemError("open", "netlink socket", netlink: Int32(NLE_NOMEM))
        }
        let status = nl_connect(socket, number)
        guard status == 0 else {
            nl_socket_free(socket)
            throw SystemError("open", "netlink socket", netlink: status)
        }
        raw = socket
    }

    deinit { nl_socket_free(raw) }

    /// Runs one request and turns libnl's negative answers into errors.
    func request(
        _ operation: String, _ object: @autoclosure () -> String, _ body: (OpaquePointer) -> Int32
    ) throws(SystemError) {
        let status = body(raw)
        if status < 0 { throw SystemError(operation, object(), netlink: status) }
    }

    /// As `request`, for what may be there already: that is fine.
    func ensure(
        _ operation: String, _ object: @autoclosure () -> String, _ body: (OpaquePointer) -> Int32
    ) throws(SystemError) {
        try request(operation, object()) { socket in
            let status = body(socket)
            return status == -Int32(NLE_EXIST) ? 0 : status
        }
    }
}

extension SystemError {
    /// What libnl returned, negative or positive. Its numbers (`NLE_...`) are not errnos: its text is kept.
    init(_ operation: String, _ object: String, netlink code: Int32) {
        self.init(
            operation, object, nil, detail: nl_geterror(code).map { String(cString: $0) } ?? "error \(code)")
    }
}
