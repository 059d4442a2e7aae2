internal import NIOCore

/// A connection's place in the table. It is free again when all of its sockets are closed, the client's and that to the server: a server
/// that does not answer keeps one, however often a client comes and goes. Lives on one event loop.
final class ConnectionPlace {
    private let table: ConnectionTable
    let owner: String
    private var sockets = 0

    /// A place that `owner` has taken in the table.
    init(_ table: ConnectionTable, _ owner: String) {
        self.table = table
        self.owner = owner
    }

    /// Keeps the place until the descriptor of a channel is free.
    func hold(until channel: any Channel) {
        sockets += 1
        channel.closeFuture.assumeIsolated().whenComplete { _ in
            self.sockets -= 1
            if self.sockets == 0 { self.table.leave(self.owner) }
        }
    }
}
