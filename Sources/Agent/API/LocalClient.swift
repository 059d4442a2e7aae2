import Glibc
public import Support
import SystemPackage

/// A command's end of the local API. Blocking, each call for a limited time; one conversation.
public final class LocalClient {
    private let descriptor: OwnedDescriptor
    private let path: String
    private var framer = LineFramer(limit: MessageCodec.replyLimit)
    private let codec = MessageCodec()
    private let clock = ContinuousClock()

    /// Connects to the agent at `path`.
    ///
    /// - Parameters:
    ///   - path: the agent's socket.
    ///   - timeout: how long it may take.
    /// - Throws: with `ENOENT` or `ECONNREFUSED` when no agent is running there, with `ETIMEDOUT` when its queue stays full.
    public init(path: String, timeout: Duration = .seconds(5)) throws(SystemError) {
        let socket = try UnixAddress.socket(for: path)
        let deadline = clock.now + timeout
        try SystemError.check("connect to", path) { fcntl(socket.rawValue, F_SETFL, O_NONBLOCK) }
        while true {
            do throws(SystemError) {
                try SystemError.check("connect to", path) {
                    UnixAddress.with(path) { connect(socket.rawValue, $0, $1) }
                }
                break
            } catch  where error.errno == .wouldBlock {
                // The agent's queue of connections is full; there is nothing to poll for.
                guard clock.now < deadline else { throw LocalClient.timedOut("connect to", path) }
                usleep(10_000)
            }
        }
        descriptor = socket
        self.path = path
    }

    /// Sends a request.
    ///
    /// - Throws: with `ETIMEDOUT` when the agent does not take it in time.
    public func send(_ request: APIRequest, timeout: Duration = .seconds(5)) throws {
        var line = try codec.encode(request)[...]
        let deadline = clock.now + timeout
        while !line.isEmpty {
            let count = line.withUnsafeBytes {
                Glibc.send(descriptor.rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                line = line.dropFirst(count)
            } else if Errno.current == .wouldBlock {
                try wait(for: POLLOUT, until: deadline, "send to")
            } else if Errno.current != .interrupted {
                throw SystemError("send to", path, .current)
            }
        }
    }

    /// The next reply; `nil` when the agent has hung up.
    ///
    /// - Parameter timeout: how long to wait for it; `nil` for ever.
    /// - Returns: the reply, or `nil`.
    /// - Throws: with `ETIMEDOUT` when none came in time.
    public func next(timeout: Duration? = .seconds(5)) throws -> APIReply? {
        let deadline = timeout.map { clock.now + $0 }
        while true {
            if let line = try framer.next() { return try codec.decode(APIReply.self, from: line) }
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            let count = recv(descriptor.rawValue, &buffer, buffer.count, 0)
            if count > 0 {
                framer.feed(buffer.prefix(count))
            } else if count == 0 || Errno.current == .connectionReset {
                return nil
            } else if Errno.current == .wouldBlock {
                try wait(for: POLLIN, until: deadline, "read from")
            } else if Errno.current != .interrupted {
                throw SystemError("read from", path, .current)
            }
        }
    }

    /// All rows of a listing, page by page, and how many others there are that the agent does not list; `nil` when it answers
    /// otherwise, or hangs up.
    ///
    /// - Throws: as `send` and `next`.
    public func list<Row: ListingRow>(_ type: Row.Type, namespace: String? = nil) throws -> (rows: [Row], leftOut: Int)?
    {
        var request = ListRequest(Row.listing, namespace: namespace)
        var rows: [Row] = []
        while true {
            try send(.list(request))
            guard case .page(let page)? = try next(), let more = Row.unwrap(page.rows) else { return nil }
            rows += more
            guard let next = page.next else { return (rows, page.leftOut) }
            request.after = next
        }
    }

    private func wait(for events: Int32, until deadline: ContinuousClock.Instant?, _ what: String) throws(SystemError) {
        var milliseconds: Int32 = -1
        if let deadline {
            let left = deadline - clock.now
            guard left > .zero else { throw LocalClient.timedOut(what, path) }
            milliseconds = Int32(clamping: Int64(left / .milliseconds(1)) + 1)
        }
        var request = pollfd(fd: descriptor.rawValue, events: Int16(events), revents: 0)
        try SystemError.check(what, path) { poll(&request, 1, milliseconds) }
    }

    private static func timedOut(_ what: String, _ path: String) -> SystemError {
        SystemError(what, path, .timedOut, hint: "the agent is there and does not answer; --timeout waits longer")
    }
}
