import CLibNL
import Glibc
import Support

extension NetlinkSocket {
    /// What the callbacks of a dump write into.
    private final class Visitor {
        let visit: (UnsafeRawBufferPointer) -> Void
        init(_ visit: @escaping (UnsafeRawBufferPointer) -> Void) { self.visit = visit }
    }

    /// How often a list is asked for that changes while it is read.
    private static let attempts = 4

    /// Asks for a list and gives the payload of each of its messages to `visit`, one after the other: nothing is kept, so a
    /// long list costs no memory. A list that changed while it was read is read again, and entries come twice.
    func dump(
        _ operation: String, message: Int32, header: [UInt8], visit: (UnsafeRawBufferPointer) -> Void
    ) throws(SystemError) {
        guard let callbacks = nl_cb_alloc(NL_CB_DEFAULT) else {
            throw SystemError(operation, "list", netlink: Int32(NLE_NOMEM))
        }
        defer { nl_cb_put(callbacks) }
        var header = header
        let status = withoutActuallyEscaping(visit) { visit in
            let visitor = Visitor(visit)
            return withExtendedLifetime(visitor) { () -> Int32 in
                nl_cb_set(
                    callbacks, NL_CB_VALID, NL_CB_CUSTOM,
                    { message, context in
                        guard let message, let context, let start = nlmsg_hdr(message), let data = nlmsg_data(start)
                        else { return Int32(NL_SKIP.rawValue) }
                        let payload = UnsafeRawBufferPointer(start: data, count: Int(nlmsg_datalen(start)))
                        Unmanaged<Visitor>.fromOpaque(context).takeUnretainedValue().visit(payload)
                        return Int32(NL_OK.rawValue)
                    }, Unmanaged.passUnretained(visitor).toOpaque())
                var status: Int32 = 0
                for _ in 0..<NetlinkSocket.attempts {
                    status = nl_send_simple(raw, message, Int32(NLM_F_DUMP), &header, header.count)
                    if status >= 0 { status = nl_recvmsgs(raw, callbacks) }
                    if status != -Int32(NLE_DUMP_INTR) { break }
                }
                return status
            }
        }
        if status < 0 { throw SystemError(operation, "list", netlink: status) }
    }
}
