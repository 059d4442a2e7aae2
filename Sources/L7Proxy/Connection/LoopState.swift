internal import HTTPScan
internal import NIOCore
internal import NIOPosix
internal import ProxyRules

/// What the connections of one event loop share.
final class LoopState {
    let loop: any EventLoop
    let limits: ProxyLimits
    private let rules: RuleSource
    private var seen: (book: RuleBook, changes: UInt64)
    let resolver: any FlowResolver
    let selectionsChange: Bool
    /// On their way to the access log; `nil` without one.
    var lines: LogLines?
    private var isHandingOver = false
    var counters = ProxyCounters()
    /// How long a line may wait for others.
    private static let logDelay = TimeAmount.milliseconds(20)
    private var connections: [ObjectIdentifier: ProxyConnection] = [:]
    private var isDraining = false

    init(_ loop: any EventLoop, limits: ProxyLimits, rules: RuleSource, resolver: any FlowResolver, log: AccessLog?) {
        self.loop = loop
        self.limits = limits
        self.rules = rules
        // In this order: a change between the two is seen by the next look.
        let changes = rules.changes
        seen = (rules.book, changes)
        self.resolver = resolver
        selectionsChange = resolver.selectionsChange
        lines = log.map(LogLines.init)
    }

    var now: NIODeadline { .now() }

    /// The rules in force.
    var book: RuleBook {
        let changes = rules.changes
        if changes != seen.changes { seen = (rules.book, changes) }
        return seen.book
    }

    func add(_ connection: ProxyConnection) {
        counters.connections += 1
        counters.open += 1
        connections[ObjectIdentifier(connection)] = connection
    }

    func remove(_ connection: ProxyConnection) {
        if connections.removeValue(forKey: ObjectIdentifier(connection)) != nil { counters.open -= 1 }
    }

    /// Each `ProxyLimits.tick`: what takes too long is ended.
    func tick() {
        let now = NIODeadline.now()
        for connection in Array(connections.values) {
            connection.look(at: now)
            if isDraining { connection.drain() }
        }
    }

    /// Ends connections as soon as they have no request under way.
    func drain() {
        isDraining = true
        tick()
    }

    /// Resets what is left.
    func abortAll() {
        for connection in Array(connections.values) { connection.abort() }
        lines?.handOver()
    }

    /// An accepted connection.
    func accepted(_ channel: any Channel) throws {
        guard let client = channel.remoteAddress, let local = channel.localAddress,
            let flow = resolver.flow(of: client, to: local)
        else {
            counters.unknownFlows += 1
            channel.close(promise: nil)
            return
        }
        let connection = ProxyConnection(channel, shared: self, flow: flow, from: client, to: local)
        try channel.pipeline.syncOperations.addHandler(ClientHandler(connection))
    }

    /// Connects to the server of a connection.
    func connect(_ connection: ProxyConnection) {
        let bound = NIOLoopBound(connection, eventLoop: loop)
        bootstrap(for: connection.flow)
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ServerHandler(bound.value))
                }
            }
            .connect(to: connection.flow.destination).assumeIsolated().whenComplete { result in
                switch result {
                case .success(let channel): connection.connected(channel)
                case .failure: connection.notConnected()
                }
            }
    }

    /// Makes connections to the server of a flow.
    func bootstrap(for flow: ProxiedFlow) -> ClientBootstrap {
        var bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(limits.connectTimeout)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.recvAllocator, value: limits.reads)
            .channelOption(.writeBufferWaterMark, value: .init(low: limits.waterMark / 2, high: limits.waterMark))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        if flow.isTransparent {
            bootstrap =
                bootstrap
                // A port that another of the proxy's sockets has, to another server.
                .channelOption(.socketOption(.so_reuseaddr), value: 1)
                .channelOption(LoopState.transparent(for: flow.destination), value: 1)
        }
        if let source = flow.source { bootstrap = bootstrap.bind(to: source) }
        return bootstrap
    }

    /// IP_TRANSPARENT or IPV6_TRANSPARENT: to bind to another host's address.
    private static func transparent(for address: SocketAddress) -> ChannelOptions.Types.SocketOption {
        switch address {
        case .v6: ChannelOptions.Types.SocketOption(level: .ipv6, name: .init(rawValue: 75))
        case .v4, .unixDomainSocket: ChannelOptions.Types.SocketOption(level: .ip, name: .init(rawValue: 19))
        }
    }

    /// Writes one line of the access log.
    func write(
        _ record: consuming AccessRecord, status: Int, latency: TimeAmount, of connection: [UInt8], revision: UInt64?
    ) {
        lines?.add(record, status: status, latency: latency, connection: connection, revision: revision)
        guard !isHandingOver, lines?.isEmpty == false else { return }
        isHandingOver = true
        loop.assumeIsolated().scheduleTask(in: LoopState.logDelay) {
            self.isHandingOver = false
            self.lines?.handOver()
        }
    }
}
