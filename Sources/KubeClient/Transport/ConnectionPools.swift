import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL

/// Connections to one API server. Those that were made with other certificates, or do not answer any more, carry what they
/// carry to its end and get nothing new.
actor ConnectionPools {
    /// Connections of one kind.
    final class Pool: Sendable {
        let client: HTTPClient
        let material: ConnectionMaterial
        let born = ContinuousClock.now

        init(_ client: HTTPClient, _ material: ConnectionMaterial) {
            self.client = client
            self.material = material
        }
    }

    /// Younger connections are not replaced: one that did not answer is often seen by several requests.
    private static let leastAge: Duration = .seconds(10)

    private let access: ClusterAccess
    private var current: Pool?
    /// Requests under way, by pool.
    private var uses: [ObjectIdentifier: Int] = [:]
    private var retired: [ObjectIdentifier: Pool] = [:]

    init(_ access: ClusterAccess) {
        self.access = access
    }

    /// Connections for one request; `giveBack` must follow.
    ///
    /// - Throws: `RequestFailure.credentials` for certificates that make no sense.
    func take(_ material: ConnectionMaterial) throws(RequestFailure) -> Pool {
        if let current, current.material == material {
            uses[ObjectIdentifier(current), default: 0] += 1
            return current
        }
        let configuration = try ConnectionPools.configuration(access, material)
        let pool = Pool(
            HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration), material)
        retire()
        current = pool
        uses[ObjectIdentifier(pool)] = 1
        return pool
    }

    /// A request is over.
    func giveBack(_ pool: Pool) async {
        let id = ObjectIdentifier(pool)
        uses[id, default: 1] -= 1
        await closeUnused()
    }

    /// New requests get new connections.
    func renew() async {
        guard let current, .now - current.born >= ConnectionPools.leastAge else { return }
        retire()
        await closeUnused()
    }

    /// Ends all connections. Nothing may be under way.
    func close() async {
        retire()
        for pool in retired.values { uses[ObjectIdentifier(pool)] = 0 }
        await closeUnused()
    }

    private func retire() {
        guard let old = current else { return }
        retired[ObjectIdentifier(old)] = old
        current = nil
    }

    private func closeUnused() async {
        let unused = retired.filter { uses[$0.key, default: 0] <= 0 }
        for id in unused.keys {
            retired[id] = nil
            uses[id] = nil
        }
        // What is cut off by it has been given up.
        for pool in unused.values { try? await pool.client.shutdown() }
    }

    private static func configuration(
        _ access: ClusterAccess, _ material: ConnectionMaterial
    ) throws(RequestFailure) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(tlsConfiguration: try TLSMaterial.configuration(material))
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(10)
        configuration.httpVersion = .automatic
        // Whoever reads has a limit of its own, half of this one, and says so in better words.
        configuration.decompression = .enabled(limit: .size(2 * KubeLimits.answerBytes))
        // Failures are told at once, and tried again by `WatchMachine`.
        configuration.connectionPool.retryConnectionEstablishment = false
        // With HTTP/1.1 each watch has a connection of its own.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        if let name = access.serverName, name != access.server.host {
            configuration.dnsOverride = [name: access.server.host]
        }
        configuration.proxy = access.proxy.map { proxy in
            guard !proxy.isSOCKS else { return .socksServer(host: proxy.host, port: proxy.port) }
            return .server(
                host: proxy.host, port: proxy.port,
                authorization: proxy.credentials.map { .basic(username: $0.0, password: $0.1) })
        }
        // No request is sent before these have ended well.
        let name = access.certifiedName
        configuration.http1_1ConnectionDebugInitializer = { channel in
            ServerNames.verify(channel, name).flatMap { channel.noticeDeadPeers() }
        }
        configuration.http2ConnectionDebugInitializer = { channel in
            ServerNames.verify(channel, name)
                .flatMap { SmallReads.add(to: channel) }
                .flatMap { channel.noticeDeadPeers() }
        }
        return configuration
    }
}

extension Channel {
    /// Has the kernel end a connection whose peer is gone without a word within half a minute: with HTTP/2 all watches share
    /// one, and nothing is sent on an idle one that would find out.
    fileprivate func noticeDeadPeers() -> EventLoopFuture<Void> {
        let options: [(level: NIOBSDSocket.OptionLevel, name: CInt, value: Int)] = [
            (.socket, 9, 1),  // SO_KEEPALIVE
            (.tcp, 4, 10),  // TCP_KEEPIDLE: after 10 s of silence ...
            (.tcp, 5, 5),  // TCP_KEEPINTVL: ... ask each 5 s ...
            (.tcp, 6, 4),  // TCP_KEEPCNT: ... four times
            (.tcp, 18, 30_000),  // TCP_USER_TIMEOUT: what is sent must be acknowledged within 30 s
        ]
        let set = options.map { option in
            setOption(
                ChannelOptions.Types.SocketOption(level: option.level, name: .init(rawValue: option.name)),
                value: SocketOptionValue(option.value))
        }
        // A socket that cannot do it is watched by deadlines all the same.
        return EventLoopFuture.andAllComplete(set, on: eventLoop)
    }
}
