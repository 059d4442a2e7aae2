import CLibNL
import Glibc
import Support

extension NetlinkSocket {
    /// What the callback of a dump calls.
    private final class Visitor {
        /// Takes a message; false ends the reading.
        let visit: (OpaquePointer) -> Bool
        init(_ visit: @escaping (OpaquePointer) -> Bool) { self.visit = visit }
    }

    /// Asks for a list and keeps what `read` makes of the payload of each of its messages.
    ///
    /// - Throws: when the kernel refuses, and where the list is beyond `bounds`: it is whole, or there is none. The socket is of
    ///   no more use then.
    func list<Element>(
        _ object: String, message: Int32, header: [UInt8], _ bounds: ListBounds = .ofNode,
        read: (UnsafeRawBufferPointer) -> Element?
    ) throws(SystemError) -> [Element] {
        try dump(object, message, header, bounds) { message in
            guard let start = nlmsg_hdr(message), let data = nlmsg_data(start) else { return nil }
            return read(UnsafeRawBufferPointer(start: data, count: Int(nlmsg_datalen(start))))
        }
    }

    /// As `list`, of what libnl can read: `read` gets its object, for the length of the call.
    func listObjects<Element>(
        _ object: String, message: Int32, header: [UInt8], _ bounds: ListBounds = .ofNode,
        read: (OpaquePointer) -> Element?
    ) throws(SystemError) -> [Element] {
        try dump(object, message, header, bounds) { message throws(SystemError) in
            var parsed: OpaquePointer?
            let status = nl_msg_parse(
                message,
                { object, place in
                    guard let object, let place else { return }
                    nl_object_get(object)
                    place.assumingMemoryBound(to: OpaquePointer?.self).pointee = object
                }, &parsed)
            // What cannot be read must not count as what is not there.
            guard status >= 0, let parsed else { throw SystemError("list", object, netlink: status) }
            defer { nl_object_put(parsed) }
            return read(parsed)
        }
    }

    /// A list that changed while it was read is read again from its start. Nothing is kept of a message but what `read` makes of it.
    private func dump<Element>(
        _ object: String, _ message: Int32, _ header: [UInt8], _ bounds: ListBounds,
        read: (OpaquePointer) throws(SystemError) -> Element?
    ) throws(SystemError) -> [Element] {
        guard let callbacks = nl_cb_alloc(NL_CB_DEFAULT) else {
            throw SystemError("list", object, netlink: Int32(NLE_NOMEM))
        }
        defer { nl_cb_put(callbacks) }
        var header = header
        var found: [Element] = []
        var failure: SystemError?
        let take = { (message: OpaquePointer) -> Bool in
            do throws(SystemError) {
                if let deadline = bounds.deadline, ContinuousClock.now > deadline {
                    throw SystemError("list", object, nil, detail: "it takes too long to read")
                }
                guard let element = try read(message) else { return true }
                guard found.count < bounds.count else {
                    throw SystemError("list", object, nil, detail: "more than \(bounds.count)")
                }
                found.append(element)
                return true
            } catch {
                failure = error
                return false
            }
        }
        let status = withoutActuallyEscaping(take) { take in
            let visitor = Visitor(take)
            return withExtendedLifetime(visitor) { () -> Int32 in
                nl_cb_set(
                    callbacks, NL_CB_VALID, NL_CB_CUSTOM,
                    { message, context in
                        guard let message, let context else { return Int32(NL_SKIP.rawValue) }
                        let visitor = Unmanaged<Visitor>.fromOpaque(context).takeUnretainedValue()
                        return Int32((visitor.visit(message) ? NL_OK : NL_STOP).rawValue)
                    }, Unmanaged.passUnretained(visitor).toOpaque())
                var status: Int32 = 0
                for _ in 0..<bounds.attempts {
                    found = []
                    status = nl_send_simple(raw, message, Int32(NLM_F_DUMP), &header, header.count)
                    if status >= 0 { status = nl_recvmsgs(raw, callbacks) }
                    if failure != nil || status != -Int32(NLE_DUMP_INTR) { break }
                }
                return status
            }
        }
        if let failure { throw failure }
        if status == -Int32(NLE_DUMP_INTR) {
            throw SystemError("list", object, nil, detail: "it changed each time it was read")
        }
        if status < 0 { throw SystemError("list", object, netlink: status) }
        return found
    }
}
