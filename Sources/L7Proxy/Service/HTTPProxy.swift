internal import Glibc
public import NIOCore
internal import NIOPosix

/// Accepts connections, decides the HTTP requests in them by the rules in force, and forwards what they allow. Each event loop has a
/// listener of its own, and what it accepts stays on it.
public final class HTTPProxy: Sendable {
    private let listeners: [any Channel]
    private let loops: [NIOLoopBound<LoopState>]

    /// The address that is listened on.
    public var address: SocketAddress? { listeners.first?.localAddress }

    private init(_ listeners: [any Channel], _ loops: [NIOLoopBound<LoopState>]) {
        self.listeners = listeners
        self.loops = loops
    }

    /// Begins to listen on an address. The group's event loops serve the connections; it stays the caller's.
    public static func start(
        on address: SocketAddress, group: any EventLoopGroup, rules: RuleSource, resolver: any FlowResolver,
        limits: ProxyLimits = ProxyLimits(), log: AccessLog? = nil, telling feed: DenialFeed? = nil,
        learner: (any AnswerLearner)? = nil
    ) async throws -> HTTPProxy {
        let loops = try await makeLoops(
            group, limits: limits, rules: rules, resolver: resolver, log: log, telling: feed, learner: learner)
        var listeners: [any Channel] = []
        for bound in loops {
            // Port 0 stands for the one that the first got.
            let wanted = listeners.first?.localAddress ?? address
            let bootstrap = bootstrap(bound, limits).serverChannelOption(
                .socketOption(.init(rawValue: SO_REUSEPORT)), value: 1)
            listeners.append(try await bootstrap.bind(to: wanted).get())
        }
        return HTTPProxy(listeners, loops)
    }

    /// Serves sockets that listen already, one for each of the group's event loops; they are the proxy's from here on.
    public static func start(
        listeners descriptors: [CInt], group: any EventLoopGroup, rules: RuleSource, resolver: any FlowResolver,
        limits: ProxyLimits = ProxyLimits(), log: AccessLog? = nil, telling feed: DenialFeed? = nil,
        learner: (any AnswerLearner)? = nil
    ) async throws -> HTTPProxy {
        let loops = try await makeLoops(
            group, limits: limits, rules: rules, resolver: resolver, log: log, telling: feed, learner: learner)
        var listeners: [any Channel] = []
        for (bound, descriptor) in zip(loops, descriptors) {
            listeners.append(try await bootstrap(bound, limits).withBoundSocket(descriptor).get())
        }
        return HTTPProxy(listeners, loops)
    }

    private static func makeLoops(
        _ group: any EventLoopGroup, limits: ProxyLimits, rules: RuleSource, resolver: any FlowResolver,
        log: AccessLog?, telling feed: DenialFeed?, learner: (any AnswerLearner)?
    ) async throws -> [NIOLoopBound<LoopState>] {
        var loops: [NIOLoopBound<LoopState>] = []
        let table = ConnectionTable(limits)
        for loop in group.makeIterator() {
            let bound = try await loop.submit {
                NIOLoopBound(
                    LoopState(
                        loop, limits: limits, table: table, rules: rules, resolver: resolver, log: log,
                        telling: feed, learner: learner),
                    eventLoop: loop)
            }.get()
            loop.scheduleRepeatedTask(initialDelay: limits.tick, delay: limits.tick) { _ in bound.value.tick() }
            loops.append(bound)
        }
        return loops
    }

    private static func bootstrap(_ bound: NIOLoopBound<LoopState>, _ limits: ProxyLimits) -> ServerBootstrap {
        ServerBootstrap(group: bound.eventLoop, childGroup: bound.eventLoop)
            // Without file descriptors the kernel keeps connections waiting; asking again at once would take the whole core.
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                }
            }
            .serverChannelOption(.backlog, value: 4_096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.recvAllocator, value: limits.reads)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: limits.waterMark / 2, high: limits.waterMark))
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.accepted(channel) }
            }
    }

    /// The numbers of all event loops.
    public func counters() async throws -> ProxyCounters {
        var sum = ProxyCounters()
        for bound in loops { sum.add(try await bound.eventLoop.submit { bound.value.counters }.get()) }
        return sum
    }

    /// Stops listening, lets requests under way end, and resets what is left after `patience`.
    public func stop(patience: TimeAmount) async throws {
        for listener in listeners { try? await listener.close() }
        for bound in loops { try await bound.eventLoop.submit { bound.value.drain() }.get() }
        let end = NIODeadline.now() + patience
        while NIODeadline.now() < end, try await counters().open > 0 {
            try await Task.sleep(nanoseconds: 20_000_000)
        }
        for bound in loops { try await bound.eventLoop.submit { bound.value.abortAll() }.get() }
    }
}
