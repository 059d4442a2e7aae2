internal import Glibc
internal import NIOCore
internal import NIOPosix

/// An attempt to connect to the server of a connection, which ends with the connection: nothing of it may stay behind. It is made again for a
/// moment when another socket has the ends of the connection: that of the client's connection before, which is about to end.
final class ServerAttempt {
    private let loop: any EventLoop
    private let address: SocketAddress
    private let bootstrap: ClientBootstrap
    private let place: ConnectionPlace
    /// Until when it may be made again.
    private let end: NIODeadline
    private let handlers: (any Channel) throws -> Void
    /// `nil` once it is over.
    private var done: (((any Channel)?) -> Void)?
    /// The socket that connects.
    private var channel: (any Channel)?

    /// Between two times.
    private static let delay = TimeAmount.milliseconds(5)

    /// An attempt, which begins with `begin`.
    ///
    /// - Parameters:
    ///   - flow: whose server is connected to.
    ///   - shared: the connections of its event loop.
    ///   - place: what the socket takes.
    ///   - handlers: adds the handlers of the socket.
    ///   - done: is given the connection, or `nil`; not called after `cancel`.
    init(
        to flow: ProxiedFlow, shared: LoopState, place: ConnectionPlace,
        handlers: @escaping (any Channel) throws -> Void, done: @escaping ((any Channel)?) -> Void
    ) {
        loop = shared.loop
        address = flow.destination
        bootstrap = shared.bootstrap(for: flow)
        self.place = place
        end = .now() + shared.limits.rebindTimeout
        self.handlers = handlers
        self.done = done
    }

    /// Connects. `done` may be called before this returns.
    func begin() {
        guard done != nil else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        bootstrap
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.made(channel) }
            }
            .connect(to: address).assumeIsolated().whenComplete { self.ended($0) }
    }

    /// Closes the socket that connects.
    func cancel() {
        done = nil
        let channel = channel
        self.channel = nil
        channel?.close(promise: nil)
    }

    private func made(_ channel: any Channel) throws {
        guard done != nil else { throw ChannelError.eof }
        self.channel = channel
        place.hold(until: channel)
        try handlers(channel)
    }

    private func ended(_ result: Result<any Channel, any Error>) {
        guard let done else { return }
        channel = nil
        switch result {
        case .success(let channel):
            self.done = nil
            done(channel)
        case .failure(let error):
            if ServerAttempt.isOfTakenEnds(error), NIODeadline.now() < end {
                loop.assumeIsolated().scheduleTask(in: ServerAttempt.delay) { self.begin() }
            } else {
                self.done = nil
                done(nil)
            }
        }
    }

    /// Whether a socket could not have the address and port that it was to have, or not towards this server.
    private static func isOfTakenEnds(_ error: any Error) -> Bool {
        guard let error = error as? IOError else { return false }
        return error.errnoCode == EADDRINUSE || error.errnoCode == EADDRNOTAVAIL
    }
}
