import Glibc
public import Support

/// A command's end of the local API. Blocking; one conversation.
public final class LocalClient {
    private let descriptor: OwnedDescriptor
    private let path: String
    private var framer = LineFramer(limit: MessageCodec.replyLimit)
    private var lines: [[UInt8]] = []
    private let codec = MessageCodec()

    /// Connects to the agent at `path`.
    ///
    /// - Throws: with `ENOENT` or `ECONNREFUSED` when no agent is running there.
    public init(path: String) throws(SystemError) {
        let socket = try UnixAddress.socket(for: path)
        try SystemError.check("connect to", path) { UnixAddress.with(path) { connect(socket.rawValue, $0, $1) } }
        descriptor = socket
        self.path = path
    }

    /// Sends a request.
    public func send(_ request: APIRequest) throws {
        var line = try codec.encode(request)[...]
        while !line.isEmpty {
            let count = try SystemError.check("send to", path) {
                line.withUnsafeBytes {
                    Glibc.send(descriptor.rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
            }
            line = line.dropFirst(count)
        }
    }

    /// The next reply; `nil` when the agent has hung up. Waits without a time limit.
    public func next() throws -> APIReply? {
        while lines.isEmpty {
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            let count = try SystemError.check("read from", path) {
                recv(descriptor.rawValue, &buffer, buffer.count, 0)
            }
            if count == 0 { return nil }
            lines = try framer.feed(buffer.prefix(count))
        }
        return try codec.decode(APIReply.self, from: lines.removeFirst())
    }
}
