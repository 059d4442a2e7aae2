internal import NIOCore
internal import Synchronization

/// Counts the connections of all event loops, in all and of each client: a client that has its share gets no more, and the others theirs.
/// Once all places are taken, a client that has few gets one of whoever has most. Locked when a connection begins and ends, not for requests.
final class ConnectionTable: Sendable {
    private struct Counts {
        /// Before then nobody who has as many as `refused` or more looks for somebody who has more: there was none.
        var searches = NIODeadline.distantPast
        var refused = 0
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

    /// Connections beyond `ProxyLimits.connections`, while those that make room for them end.
    private static let spare = 64
    /// How long nobody is looked for after a look that found none.
    private static let pause = TimeAmount.milliseconds(100)

    /// Once all places are taken: takes one for a client all the same, if another one has more than this one will have then. One of that
    /// one's connections is to end.
    ///
    /// - Returns: who that is; `nil` where there is none, and no place was taken.
    func enter(_ client: String, insteadOfMost now: NIODeadline) -> String? {
        counts.withLock { counts in
            let own = counts.ofClients[client, default: 0]
            guard now >= counts.searches || own < counts.refused, counts.all < most + ConnectionTable.spare else {
                return nil
            }
            guard let largest = counts.ofClients.max(by: { $0.value < $1.value }), own + 1 < largest.value else {
                (counts.searches, counts.refused) = (now + ConnectionTable.pause, own)
                return nil
            }
            counts.all += 1
            counts.ofClients[client] = own + 1
            return largest.key
        }
    }

    /// Whose connection one from an address is, if it is no pod's: of IPv6 all of a /64, which any host has.
    static func client(at address: SocketAddress) -> String {
        guard case .v6(let six) = address else { return address.ipAddress ?? "" }
        let bytes = withUnsafeBytes(of: six.address.sin6_addr) { Array($0) }
        // An IPv4 address, as sockets of both families have it.
        if bytes.prefix(10).allSatisfy({ $0 == 0 }) { return address.ipAddress ?? "" }
        return bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: " ")
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
