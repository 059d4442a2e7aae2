internal import Glibc
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
    /// `nil`: nothing is learnt.
    let learner: (any AnswerLearner)?
    /// On their way to the access log and the agent; `nil` without either.
    var lines: LogLines?
    private var isHandingOver = false
    var counters = ProxyCounters()
    /// How long a line may wait for others.
    private static let logDelay = TimeAmount.milliseconds(20)
    private var connections: [ObjectIdentifier: ProxyConnection] = [:]
    let table: ConnectionTable
    /// Which refused connections have a line.
    private var refusalLines = DenialBudget()
    private var isDraining = false

    init(
        _ loop: any EventLoop, limits: ProxyLimits, table: ConnectionTable, rules: RuleSource,
        resolver: any FlowResolver, log: AccessLog?, telling feed: DenialFeed?, learner: (any AnswerLearner)?
    ) {
        self.loop = loop
        self.limits = limits
        self.table = table
        self.rules = rules
        // In this order: a change between the two is seen by the next look.
        let changes = rules.changes
        seen = (rules.book, changes)
        self.resolver = resolver
        selectionsChange = resolver.selectionsChange
        self.learner = learner
        lines = log == nil && feed == nil ? nil : LogLines(log, telling: feed)
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
        // A pod by its name: all of its addresses are one client's.
        let owner = flow.client.isEmpty ? ConnectionTable.client(at: client) : flow.client
        if let refusal = table.enter(owner), !makeRoom(for: owner, refusal) {
            return refuse(channel, refusal, client, flow)
        }
        let place = ConnectionPlace(table, owner)
        place.hold(until: channel)
        let connection = ProxyConnection(channel, shared: self, flow: flow, place: place, from: client, to: local)
        try channel.pipeline.syncOperations.addHandler(ClientHandler(connection))
    }

    /// Ends the connection of whoever has most that has been silent for longest, of those of this loop, for one of a client that has less.
    /// Whether there is a place for that now.
    private func makeRoom(for client: String, _ refusal: ConnectionRefusal) -> Bool {
        guard refusal == .all, let largest = table.enter(client, insteadOfMost: .now()) else { return false }
        let theirs = connections.values.lazy.filter { $0.place.owner == largest }
        guard let silent = theirs.min(by: { $0.lastActivity < $1.lastActivity }) else {
            table.leave(client)
            return false
        }
        counters.refusedConnections[.all, default: 0] += 1
        silent.abort()
        return true
    }

    /// Closes a connection that there is no room for, with a reset: it takes nothing more here.
    private func refuse(
        _ channel: any Channel, _ refusal: ConnectionRefusal, _ client: SocketAddress, _ flow: ProxiedFlow
    ) {
        counters.refusedConnections[refusal, default: 0] += 1
        if refusalLines.admits(client, second: time(nil)), let record = lines?.record(of: refusal) {
            write(
                record,
                .init(
                    status: 0, latency: .zero, connection: LogLines.connectionText(client, flow), client: client,
                    revision: nil))
        }
        ProxyConnection.reset(channel)
    }

    /// Connects to the server of a connection.
    func connect(_ connection: ProxyConnection) {
        let attempt = ServerAttempt(
            to: connection.flow, shared: self, place: connection.place,
            handlers: { channel in
                try channel.syncOptions?.setOption(.autoRead, value: false)
                try channel.pipeline.syncOperations.addHandler(ServerHandler(connection))
            },
            done: { channel in
                if let channel { connection.connected(channel) } else { connection.notConnected() }
            })
        connection.attempt = attempt
        attempt.begin()
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
    func write(_ record: consuming AccessRecord, _ circumstances: LogLines.Circumstances) {
        lines?.add(record, circumstances)
        guard !isHandingOver, lines?.isEmpty == false else { return }
        isHandingOver = true
        loop.assumeIsolated().scheduleTask(in: LoopState.logDelay) {
            self.isHandingOver = false
            self.lines?.handOver()
        }
    }
}
