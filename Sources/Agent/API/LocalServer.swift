import Foundation
import Glibc
public import Support
import Synchronization
import SystemPackage

/// The agent's end of the local API: a unix socket served by one thread that never waits for any client.
public final class LocalServer: Sendable {
    /// A client, for answering.
    public struct Client: Hashable, Sendable {
        fileprivate let descriptor: Int32
        fileprivate let serial: UInt64
    }

    /// What happens on the server's thread; both must return at once.
    public struct Handlers: Sendable {
        /// A client asks.
        public var request: @Sendable (APIRequest, Client) -> Void
        /// A client is gone.
        public var gone: @Sendable (Client) -> Void

        /// Handlers.
        public init(
            request: @escaping @Sendable (APIRequest, Client) -> Void, gone: @escaping @Sendable (Client) -> Void
        ) {
            self.request = request
            self.gone = gone
        }
    }

    /// Further clients are turned away.
    static let clientLimit = 64

    private struct Connection {
        var framer = LineFramer(limit: MessageCodec.requestLimit)
        var outgoing = OutgoingLines()
        var closesWhenSent = false
    }

    private let path: String
    private let listener: OwnedDescriptor
    /// A pipe: a byte in it means that there is something to send.
    private let wakeReader: OwnedDescriptor
    private let wakeWriter: OwnedDescriptor
    private let connections = Mutex<[Client: Connection]>([:])
    private let codec = MessageCodec()

    /// A server on `path`, mode 0600. A socket file there is replaced: the caller holds the instance's lock.
    public init(path: String) throws(SystemError) {
        self.path = path
        let socket = try UnixAddress.socket(for: path)
        unlink(path)
        // Nobody can connect before `listen`, so the mode is in force in time.
        try SystemError.check("listen on", path) { UnixAddress.with(path) { bind(socket.rawValue, $0, $1) } }
        try SystemError.check("listen on", path) { chmod(path, 0o600) }
        try SystemError.check("listen on", path) { listen(socket.rawValue, 16) }
        try SystemError.check("listen on", path) { fcntl(socket.rawValue, F_SETFL, O_NONBLOCK) }
        let pipe = try SystemError.wrap("open pipe for", path) {
            try FileDescriptor.pipe(options: [.closeOnExec, .nonBlocking])
        }
        listener = socket
        wakeReader = OwnedDescriptor(pipe.readEnd)
        wakeWriter = OwnedDescriptor(pipe.writeEnd)
    }

    /// Starts the thread.
    public func start(_ handlers: Handlers) {
        Thread.detachNewThread { self.run(handlers) }
    }

    /// Removes the socket file; clients see the end when the process ends.
    public func stop() { unlink(path) }

    /// Answers a request.
    public func answer(_ reply: APIReply, to client: Client) {
        let line = encoded(reply)
        connections.withLock { $0[client]?.outgoing.add(answer: line) }
        ring()
    }

    /// Sends a verdict, unless the client reads too slowly: then it is counted, and the client gets the count. Returns whether it was
    /// sent.
    public func send(verdict: FlowVerdict, to client: Client) -> Bool {
        let line = encoded(.verdict(verdict))
        let isSent = connections.withLock { connections in
            connections[client]?.outgoing.add(verdict: line) { encoded(.lost($0)) } ?? false
        }
        ring()
        return isSent
    }

    /// Adds verdicts that were lost before they came here to a client's count.
    public func send(lost count: UInt64, to client: Client) {
        connections.withLock { connections in
            connections[client]?.outgoing.add(lostEarlier: count)
        }
        ring()
    }

    private func encoded(_ reply: APIReply) -> [UInt8] {
        do throws(MessageError) {
            return try codec.encode(reply)
        } catch {
            let version = MessageCodec.version
            return Array(
                #"{"error":{"code":"unavailable","message":"the answer cannot be written"},"type":"error","version":\#(version)}"#
                    .utf8) + [10]
        }
    }

    private func ring() {
        // A full pipe wakes just as well.
        var byte: UInt8 = 1
        _ = write(wakeWriter.rawValue, &byte, 1)
    }

    private func run(_ handlers: Handlers) {
        var serial: UInt64 = 0
        while true {
            var polled = [
                pollfd(fd: wakeReader.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: listener.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            let clients = connections.withLock { connections -> [Client] in
                for client in connections.keys {
                    connections[client]?.outgoing.flushLoss { encoded(.lost($0)) }
                    let wantsOut = connections[client]?.outgoing.bytes.isEmpty == false
                    let events = POLLIN | (wantsOut ? POLLOUT : 0)
                    polled.append(pollfd(fd: client.descriptor, events: Int16(events), revents: 0))
                }
                return Array(connections.keys)
            }
            _ = poll(&polled, nfds_t(polled.count), -1)
            if polled[0].revents != 0 {
                var bytes = [UInt8](repeating: 0, count: 256)
                _ = read(wakeReader.rawValue, &bytes, bytes.count)
            }
            for (client, state) in zip(clients, polled.dropFirst(2)) where state.revents != 0 {
                if !serve(client, state.revents, handlers) {
                    connections.withLock { $0[client] = nil }
                    close(client.descriptor)
                    handlers.gone(client)
                }
            }
            if polled[1].revents != 0 { accept(&serial) }
        }
    }

    private func accept(_ serial: inout UInt64) {
        let descriptor = Glibc.accept(listener.rawValue, nil, nil)
        guard descriptor >= 0 else { return }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        serial += 1
        let client = Client(descriptor: descriptor, serial: serial)
        let isAccepted = connections.withLock { connections in
            guard connections.count < LocalServer.clientLimit else { return false }
            connections[client] = Connection()
            return true
        }
        if !isAccepted { close(descriptor) }
    }

    /// Whether the socket call that just failed is only to be made again.
    private static var comesAgain: Bool { [.wouldBlock, .interrupted].contains(Errno.current) }

    /// Serves one client once; returns whether it stays.
    private func serve(_ client: Client, _ events: Int16, _ handlers: Handlers) -> Bool {
        if events & Int16(POLLOUT) != 0 {
            let stays = connections.withLock { connections -> Bool in
                guard let connection = connections[client], !connection.outgoing.isOverrun else { return false }
                let count = connection.outgoing.bytes.withUnsafeBytes {
                    Glibc.send(client.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count < 0 { return LocalServer.comesAgain }
                connections[client]?.outgoing.sent(count)
                return !(connection.closesWhenSent && count == connection.outgoing.bytes.count)
            }
            if !stays { return false }
        }
        guard events & Int16(POLLIN | POLLHUP | POLLERR) != 0 else { return true }
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let count = Glibc.recv(client.descriptor, &buffer, buffer.count, 0)
        if count < 0 { return LocalServer.comesAgain }
        guard count > 0 else { return false }
        do throws(MessageError) {
            let lines = try connections.withLock { connections throws(MessageError) in
                guard connections[client]?.closesWhenSent == false else { return [[UInt8]]() }
                return try connections[client]?.framer.feed(buffer.prefix(count)) ?? []
            }
            for line in lines { try take(line, from: client, handlers) }
        } catch {
            let line = encoded(.error(APIError(error)))
            connections.withLock { connections in
                connections[client]?.outgoing.add(answer: line)
                connections[client]?.closesWhenSent = true
            }
        }
        return true
    }

    /// Hands one line on, or answers it with an error if its type alone is not known.
    private func take(_ line: [UInt8], from client: Client, _ handlers: Handlers) throws(MessageError) {
        do {
            handlers.request(try codec.decode(APIRequest.self, from: line), client)
        } catch .unknownType(let type) {
            answer(.error(APIError(.unknownType(type))), to: client)
        }
    }
}
