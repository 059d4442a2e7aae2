public import NIOCore
internal import NIOPosix

/// Accepts connections, decides the HTTP requests in them by the rules in force, and forwards what they allow.
public final class HTTPProxy: Sendable {
    private let group: any EventLoopGroup
    private let listener: any Channel
    private let loops: [NIOLoopBound<LoopState>]

    /// The address that is listened on.
    public var address: SocketAddress? { listener.localAddress }

    private init(group: any EventLoopGroup, listener: any Channel, loops: [NIOLoopBound<LoopState>]) {
        self.group = group
        self.listener = listener
        self.loops = loops
    }

    /// Begins to listen. The group's event loops serve the connections; it stays the caller's.
    public static func start(
        on address: SocketAddress, group: any EventLoopGroup, rules: RuleSource, resolver: any FlowResolver,
        limits: ProxyLimits = ProxyLimits(), log: AccessLog? = nil
    ) async throws -> HTTPProxy {
        var loops: [NIOLoopBound<LoopState>] = []
        var byLoop: [ObjectIdentifier: NIOLoopBound<LoopState>] = [:]
        for loop in group.makeIterator() {
            let bound = try await loop.submit {
                NIOLoopBound(
                    LoopState(loop, limits: limits, rules: rules, resolver: resolver, log: log), eventLoop: loop)
            }.get()
            loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in bound.value.tick() }
            loops.append(bound)
            byLoop[ObjectIdentifier(loop)] = bound
        }
        let known = byLoop
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4_096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: limits.readSize))
            .childChannelOption(.writeBufferWaterMark, value: .init(low: limits.waterMark / 2, high: limits.waterMark))
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let state = known[ObjectIdentifier(channel.eventLoop)]?.value else {
                        throw ChannelError.inappropriateOperationForState
                    }
                    try state.accepted(channel)
                }
            }
            .bind(to: address).get()
        return HTTPProxy(group: group, listener: listener, loops: loops)
    }

    /// The numbers of all event loops.
    public func counters() async throws -> ProxyCounters {
        var sum = ProxyCounters()
        for bound in loops { sum.add(try await bound.eventLoop.submit { bound.value.counters }.get()) }
        return sum
    }

    /// Stops listening, lets requests under way end, and resets what is left after `patience`.
    public func stop(patience: TimeAmount) async throws {
        try? await listener.close()
        for bound in loops { try await bound.eventLoop.submit { bound.value.drain() }.get() }
        let end = NIODeadline.now() + patience
        while NIODeadline.now() < end, try await counters().open > 0 {
            try await Task.sleep(nanoseconds: 20_000_000)
        }
        for bound in loops { try await bound.eventLoop.submit { bound.value.abortAll() }.get() }
    }
}
