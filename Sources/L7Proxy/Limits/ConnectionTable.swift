internal import Synchronization

/// Counts the connections of all event loops, in all and of each client: a client that has its share gets no more, and the others theirs.
/// Locked when a connection begins and ends, not for requests.
final class ConnectionTable: Sendable {
    private struct Counts {
        var all = 0
        var ofClients: [String: Int] = [:]
    }

    private let most: Int
    private let mostOfClient: Int
    private let counts = Mutex(Counts())
    /// Bytes of HTTP/2 bodies that wait, of all connections.
    let waitingBodies = Atomic(0)

    init(_ limits: ProxyLimits) {
        most = limits.connections
        mostOfClient = limits.connectionsOfClient
    }

    /// Takes a place for a connection of a client; a reason if there is none for it.
    func enter(_ client: String) -> ConnectionRefusal? {
        counts.withLock { counts in
            let own = counts.ofClients[client, default: 0]
            guard own < mostOfClient else { return .client }
            guard counts.all < most else { return .all }
            counts.all += 1
            counts.ofClients[client] = own + 1
            return nil
        }
    }

    /// Gives the place back.
    func leave(_ client: String) {
        counts.withLock { counts in
            guard let own = counts.ofClients[client] else { return }
            counts.all -= 1
            counts.ofClients[client] = own > 1 ? own - 1 : nil
        }
    }
}
