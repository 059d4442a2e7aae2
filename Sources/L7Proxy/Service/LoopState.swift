internal import Glibc
internal import HTTPScan
internal import NIOCore
internal import NIOPosix

/// What the connections of one event loop share.
final class LoopState {
    let loop: any EventLoop
    let limits: ProxyLimits
    let rules: RuleSource
    let resolver: any FlowResolver
    let log: AccessLog?
    var counters = ProxyCounters()
    private var connections: [ObjectIdentifier: ProxyConnection] = [:]
    private var isDraining = false

    init(_ loop: any EventLoop, limits: ProxyLimits, rules: RuleSource, resolver: any FlowResolver, log: AccessLog?) {
        self.loop = loop
        self.limits = limits
        self.rules = rules
        self.resolver = resolver
        self.log = log
    }

    var now: NIODeadline { .now() }

    func add(_ connection: ProxyConnection) {
        counters.connections += 1
        counters.open += 1
        connections[ObjectIdentifier(connection)] = connection
    }

    func remove(_ connection: ProxyConnection) {
        if connections.removeValue(forKey: ObjectIdentifier(connection)) != nil { counters.open -= 1 }
    }

    /// Each second: what takes too long is ended.
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
        var bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(limits.connectTimeout)
            .channelOption(.autoRead, value: false)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: limits.readSize))
            .channelOption(.writeBufferWaterMark, value: .init(low: limits.waterMark / 2, high: limits.waterMark))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ServerHandler(bound.value))
                }
            }
        if let source = connection.flow.source { bootstrap = bootstrap.bind(to: source) }
        bootstrap.connect(to: connection.flow.destination).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): connection.connected(channel)
            case .failure: connection.notConnected()
            }
        }
    }

    /// Writes one line of the access log.
    func write(_ record: AccessRecord, status: Int, latency: TimeAmount, of connection: ProxyConnection) {
        guard let log else { return }
        var line = JSONLine()
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        line.add("time", LoopState.text(of: time))
        line.add("client", "\(LoopState.text(of: connection.clientAddress))")
        line.add("server", "\(LoopState.text(of: connection.flow.destination))")
        if !connection.flow.client.isEmpty { line.add("clientPod", connection.flow.client) }
        if !connection.flow.server.isEmpty { line.add("serverPod", connection.flow.server) }
        if !record.method.isEmpty {
            line.add("method", record.method)
            line.add("path", record.path)
            line.add("host", record.host)
        }
        line.add("decision", record.decision)
        if let rule = record.rule { line.add("rule", rule) }
        if let reason = record.reason { line.add("reason", reason) }
        if !record.actions.isEmpty { line.add("headers", record.actions) }
        line.add("status", status)
        line.add("microseconds", latency.nanoseconds / 1_000)
        if let rules = connection.rules { line.add("revision", rules.book.revision) }
        log.add(line.finish())
    }

    /// `2026-11-27T10:00:00.000Z`.
    private static func text(of time: timespec) -> String {
        var seconds = time.tv_sec
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ value: Int, _ count: Int) -> String {
            let text = "\(value)"
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        let date =
            "\(digits(Int(parts.tm_year) + 1_900, 4))-\(digits(Int(parts.tm_mon) + 1, 2))-\(digits(Int(parts.tm_mday), 2))"
        let clock = "\(digits(Int(parts.tm_hour), 2)):\(digits(Int(parts.tm_min), 2)):\(digits(Int(parts.tm_sec), 2))"
        return "\(date)T\(clock).\(digits(time.tv_nsec / 1_000_000, 3))Z"
    }

    private static func text(of address: SocketAddress) -> String {
        guard let host = address.ipAddress, let port = address.port else { return "unix" }
        return host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
