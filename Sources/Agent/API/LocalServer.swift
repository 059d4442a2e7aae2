import Foundation
import Glibc
public import Support
import Synchronization
import SystemPackage

/// The agent's end of the local API: a unix socket served by one thread that never waits for any client.
///
/// Everything is bounded: clients, the requests of each (one), the bytes read before a request is answered and the bytes that
/// a client does not take.
public final class LocalServer: Sendable {
    /// Clients served at once. One more takes the place of the one that has been idle for longest, or is turned away.
    static let clientLimit = 64
    /// Bytes taken from a client at once.
    private static let chunk = 16 << 10
    /// How long the listening socket is left alone when the process has no descriptor for another client.
    private static let pause: Int32 = 100

    /// A client, to be served. What is asked and the hang-up come in one order: a request, then the end of `requests`.
    public final class Client: Sendable, Hashable {
        /// What it asks: at most one request is in it, for the next one is read when that is answered. Ends when the client
        /// has gone.
        public let requests: AsyncStream<APIRequest>
        /// Ends when the client has gone, also while a request is being served.
        public let presence: AsyncStream<Never>
        fileprivate let descriptor: Int32
        private let serial: UInt64
        private let server: LocalServer
        private let asked: AsyncStream<APIRequest>.Continuation
        private let present: AsyncStream<Never>.Continuation

        fileprivate init(_ descriptor: Int32, _ serial: UInt64, _ server: LocalServer) {
            self.descriptor = descriptor
            self.serial = serial
            self.server = server
            (requests, asked) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
            (presence, present) = AsyncStream.makeStream()
        }

        /// Answers the request in flight; the next one is read when the client has taken the answer.
        public func answer(_ reply: APIReply) { answer(line: server.codec.line(reply)) }

        /// Answers with a line that was encoded before.
        func answer(line: [UInt8]) {
            server.connections.withLock { $0[self]?.answer(line) }
            server.ring()
        }

        fileprivate func sends(_ line: [UInt8]) -> Bool { server.send(verdict: line, to: self) }
        fileprivate func loses(_ count: UInt64) { server.send(lost: count, to: self) }
        fileprivate func ask(_ request: APIRequest) { asked.yield(request) }

        fileprivate func end() {
            asked.finish()
            present.finish()
        }

        /// Two are one when they are the same connection.
        public static func == (left: Client, right: Client) -> Bool { left.serial == right.serial }

        /// By connection.
        public func hash(into hasher: inout Hasher) { hasher.combine(serial) }
    }

    private let path: String
    private let listener: OwnedDescriptor
    /// A pipe: a byte in it means that there is something to send.
    private let wakeReader: OwnedDescriptor
    private let wakeWriter: OwnedDescriptor
    private let connections = Mutex<[Client: ClientConnection]>([:])
    private let isEnding = Mutex(false)
    private let codec = MessageCodec()
    private let arrived: AsyncStream<Client>.Continuation

    /// Clients as they come, each to be served until its `requests` end; ends with `stop`. At most `clientLimit` of those in
    /// it have not gone.
    public let clients: AsyncStream<Client>

    /// A server on `path`, mode 0600. A socket file there is replaced: the caller holds the instance's lock.
    public init(path: String) throws(SystemError) {
        self.path = path
        let socket = try UnixAddress.socket(for: path)
        unlink(path)
        // Nobody can connect before `listen`, so the mode is in force in time.
        try SystemError.check("listen on", path) { UnixAddress.with(path) { bind(socket.rawValue, $0, $1) } }
        try SystemError.check("listen on", path) { chmod(path, 0o600) }
        try SystemError.check("listen on", path) { listen(socket.rawValue, 64) }
        try SystemError.check("listen on", path) { fcntl(socket.rawValue, F_SETFL, O_NONBLOCK) }
        let pipe = try SystemError.wrap("open pipe for", path) {
            try FileDescriptor.pipe(options: [.closeOnExec, .nonBlocking])
        }
        listener = socket
        wakeReader = OwnedDescriptor(pipe.readEnd)
        wakeWriter = OwnedDescriptor(pipe.writeEnd)
        (clients, arrived) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(LocalServer.clientLimit))
    }

    /// Starts the thread.
    public func start() {
        let thread = Thread { self.run() }
        thread.name = "netpold-api"
        thread.start()
    }

    /// Hangs up on everybody and removes the socket file.
    public func stop() {
        unlink(path)
        isEnding.withLock { $0 = true }
        arrived.finish()
        ring()
    }

    fileprivate func ring() {
        // A full pipe wakes just as well.
        var byte: UInt8 = 1
        _ = write(wakeWriter.rawValue, &byte, 1)
    }

    // MARK: the thread

    private func run() {
        var serial: UInt64 = 0
        var accepts = true
        while !isEnding.withLock(\.self) {
            let (clients, polled, hasWork) = prepare(accepts)
            var requests = polled
            _ = poll(&requests, nfds_t(requests.count), hasWork ? 0 : accepts ? -1 : LocalServer.pause)
            accepts = true
            if requests[0].revents != 0 { drainWakes() }
            for (client, state) in zip(clients, requests.dropFirst(2)) where !serve(client, state.revents) {
                drop(client)
            }
            if requests[1].revents != 0 { accepts = accept(&serial) }
        }
        for client in connections.withLock({ Array($0.keys) }) { drop(client) }
    }

    /// Whom to wait for, and whether there is something to do without waiting.
    private func prepare(_ accepts: Bool) -> (clients: [Client], polled: [pollfd], hasWork: Bool) {
        connections.withLock { connections in
            var polled = [
                pollfd(fd: wakeReader.rawValue, events: Int16(POLLIN), revents: 0),
                // A negative number is left out.
                pollfd(fd: accepts ? listener.rawValue : -1, events: Int16(POLLIN), revents: 0),
            ]
            var hasWork = false
            let clients = Array(connections.keys)
            for client in clients {
                guard var connection = connections[client] else { continue }
                connection.outgoing.flushLoss { codec.line(.lost($0)) }
                if connection.hasWaitingLine { hasWork = true }
                // Whether it hangs up is told without being asked for.
                let events = (connection.reads ? POLLIN : 0) | (connection.outgoing.isEmpty ? 0 : POLLOUT)
                polled.append(pollfd(fd: client.descriptor, events: Int16(events), revents: 0))
                connections[client] = connection
            }
            return (clients, polled, hasWork)
        }
    }

    private func drainWakes() {
        var buffer = [UInt8](repeating: 0, count: 256)
        while read(wakeReader.rawValue, &buffer, buffer.count) > 0 {}
    }

    private func drop(_ client: Client) {
        // Only once: its number may be somebody else's by now.
        guard connections.withLock({ $0.removeValue(forKey: client) }) != nil else { return }
        client.end()
        close(client.descriptor)
    }

    /// Takes the next client; answers whether there may be more at once.
    private func accept(_ serial: inout UInt64) -> Bool {
        let descriptor = Glibc.accept(listener.rawValue, nil, nil)
        guard descriptor >= 0 else { return LocalServer.comesAgain || Errno.current == .connectionAbort }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        let now = ContinuousClock.now
        let (isFull, idlest) = connections.withLock { connections in
            (
                connections.count >= LocalServer.clientLimit,
                connections.filter(\.value.isExpendable).min { $0.value.lastActive < $1.value.lastActive }?.key
            )
        }
        if isFull {
            guard let idlest else {
                close(descriptor)
                return true
            }
            drop(idlest)
        }
        serial += 1
        let client = Client(descriptor, serial, self)
        connections.withLock { $0[client] = ClientConnection(now: now) }
        // Where nobody takes them fast enough, those that have waited for longest go; most of them have hung up.
        if case .dropped(let earliest) = arrived.yield(client) { drop(earliest) }
        return true
    }

    /// Whether the socket call that just failed is only to be made again.
    private static var comesAgain: Bool { [.wouldBlock, .interrupted].contains(Errno.current) }

    /// Serves one client once; returns whether it stays.
    private func serve(_ client: Client, _ events: Int16) -> Bool {
        // The other side is closed for good: nobody is there to answer.
        if events & Int16(POLLHUP | POLLERR) != 0 { return false }
        return connections.withLock { connections in
            guard var connection = connections[client] else { return true }
            defer { connections[client] = connection }
            if events & Int16(POLLOUT) != 0 {
                let count = connection.outgoing.send {
                    Glibc.send(client.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count < 0, !LocalServer.comesAgain { return false }
            }
            if events & Int16(POLLIN) != 0, !LocalServer.receive(client.descriptor, &connection) { return false }
            if case .serve(let request) = connection.next(codec, now: .now) { client.ask(request) }
            return !connection.isOver
        }
    }

    /// Reads once; returns whether the client stays.
    private static func receive(_ descriptor: Int32, _ connection: inout ClientConnection) -> Bool {
        var buffer = [UInt8](repeating: 0, count: chunk)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0 { return comesAgain }
        if count == 0 { connection.finish() } else { connection.take(buffer.prefix(count)) }
        return true
    }

    // MARK: verdicts

    fileprivate func send(verdict line: [UInt8], to client: Client) -> Bool {
        let isSent = connections.withLock { connections in
            connections[client]?.outgoing.add(verdict: line) { codec.line(.lost($0)) } ?? false
        }
        ring()
        return isSent
    }

    fileprivate func send(lost count: UInt64, to client: Client) {
        connections.withLock { $0[client]?.outgoing.add(lostEarlier: count) }
        ring()
    }
}

extension LocalServer.Client: VerdictSink {
    /// Sends a verdict's line, unless the client reads too slowly: then it is counted, and the client gets the count. Returns
    /// whether it was sent.
    public func send(verdict line: [UInt8]) -> Bool { sends(line) }

    /// Adds verdicts that were lost before they came here to the client's count.
    public func send(lost count: UInt64) { loses(count) }
}
