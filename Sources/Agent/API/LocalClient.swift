import Glibc

/// A command's end of the local API. Blocking; one conversation.
public final class LocalClient {
    private let descriptor: Int32
    private let path: String
    private var framer = LineFramer(limit: MessageCodec.replyLimit)
    private var lines: [[UInt8]] = []
    private let codec = MessageCodec()

    /// Connects to the agent at `path`.
    ///
    /// - Throws: with `ENOENT` or `ECONNREFUSED` when no agent is running there.
    public init(path: String) throws(SystemFailure) {
        let socket = try UnixAddress.socket(for: path)
        guard UnixAddress.with(path, { connect(socket, $0, $1) }) == 0 else {
            let failure = SystemFailure("connect to", path)
            close(socket)
            throw failure
        }
        descriptor = socket
        self.path = path
    }

    deinit { close(descriptor) }

    /// Sends a request.
    public func send(_ request: APIRequest) throws {
        var line = try codec.encode(request)[...]
        while !line.isEmpty {
            let count = line.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemFailure("send to", path) }
            line = line.dropFirst(count)
        }
    }

    /// The next reply; `nil` when the agent has hung up. Waits for ever.
    public func next() throws -> APIReply? {
        while lines.isEmpty {
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemFailure("read from", path) }
            if count == 0 { return nil }
            lines = try framer.feed(buffer.prefix(count))
        }
        return try codec.decode(APIReply.self, from: lines.removeFirst())
    }
}
