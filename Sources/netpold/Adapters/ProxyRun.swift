import Glibc
import L7Proxy
import NIOCore
import NIOPosix
import NetTypes
import ProxyRules
import Support

/// A proxy from its start to its end by a signal.
struct ProxyRun: Sendable {
    /// How many event loops.
    let loops: Int
    /// How long requests under way may take at the end.
    let drain: TimeAmount
    /// The file that says that it serves; `nil` for none.
    let state: ProxyState?
    /// The access log; `nil` for none.
    let log: AccessLog?
    /// Connections of clients at once, and of one of them.
    let connections: Int
    let connectionsOfClient: Int

    /// For each connection, of a client and to its server.
    private static let descriptorsOfConnection = 2
    /// For everything else: listeners, event loops, logs, maps.
    private static let otherDescriptors = 256
    /// How often the counters are told.
    private static let period = Duration.seconds(1)

    /// The node's proxy. `feed` is told of what is not allowed.
    func serve(_ ports: NodeProxyPorts, rules path: String, telling feed: DenialFeed) async throws {
        let source = RuleSource(try RuleBook(RuleSnapshot(revision: 0, policies: [])))
        let file = RuleFile(path, into: source, pods: ports.pods) { event in
            switch event {
            case .taken(let revision, let policies):
                note("rules of revision \(revision) in force: \(policies) policies")
                tellState(revision)
            case .absent: note("\(path): no rules yet; every request is denied until the agent writes them")
            case .refused(let why): ErrorOutput.error("\(why); the rules before stay in force")
            }
        }
        try await serve(again: { _ in file.look() }, ending: ports.end) { group in
            let proxy = try await HTTPProxy.start(
                listeners: ports.listeners, group: group, rules: source, resolver: ports.resolver, limits: limits(),
                log: log, telling: feed, learner: ports.learner)
            file.start()
            return (proxy, source)
        }
        file.stop()
    }

    /// The developer form.
    func serve(_ tried: TriedRules, _ found: TriedRules.Found, listen: SocketAddress, to: SocketAddress) async throws {
        var flow = ProxiedFlow(destination: to)
        switch tried.direction {
        case .ingress:
            flow.server = tried.pod
            flow.ingress = TriedRules.selection
        case .egress:
            flow.client = tried.pod
            flow.egress = TriedRules.selection
        }
        let source = RuleSource(found.book)
        let resolver = FixedFlowResolver(flow)
        let again = TriedRulesReader(tried, files: found.manifests.files, into: source) { tellState($0) }
        try await serve(again: { _ in again.read() }) { group in
            let proxy = try await HTTPProxy.start(
                on: listen, group: group, rules: source, resolver: resolver, limits: limits(), log: log)
            let address = proxy.address.flatMap { address in
                address.ipAddress.flatMap(IPAddress.init(parsing:))?.with(port: UInt16(address.port ?? 0))
            }
            note(
                "\(tried.pod) \(tried.direction): \(found.elements) HTTP \(found.elements == 1 ? "rule" : "rules") in force; "
                    + "listening on \(address ?? "?")")
            again.start()
            return (proxy, source)
        }
        again.stop()
    }

    private func serve(
        again: @Sendable (Int32) -> Void, ending: @Sendable () -> Void = {},
        _ start: (MultiThreadedEventLoopGroup) async throws -> (HTTPProxy, RuleSource)
    ) async throws {
        let signals = SignalListener([SIGTERM, SIGINT, SIGHUP])
        signal(SIGPIPE, SIG_IGN)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let (proxy, source) = try await start(group)
        tellState(source.book.revision)
        ServiceManager.tell("READY=1")
        let telling = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: ProxyRun.period)
                guard let counters = try? await proxy.counters() else { continue }
                report { try state?.tell(counters) }
            }
        }
        for await number in signals.received {
            if number != SIGHUP { break }
            again(number)
        }
        telling.cancel()
        await telling.value
        ServiceManager.tell("STOPPING=1")
        state?.remove()
        ending()
        try await proxy.stop(patience: drain)
        log?.flush()
        try await group.shutdownGracefully()
    }

    /// The limits: no more connections than there are descriptors for.
    private func limits() -> ProxyLimits {
        var limits = ProxyLimits()
        limits.connections = connections
        let room = (ProxyRun.raiseDescriptorLimit() - ProxyRun.otherDescriptors) / ProxyRun.descriptorsOfConnection
        if room < connections {
            limits.connections = max(1, room)
            note("room for \(limits.connections) connections: the limit of open files (ulimit -Hn) is too low for more")
        }
        limits.connectionsOfClient = min(connectionsOfClient, limits.connections)
        return limits
    }

    /// What a shell or service manager gives by default is 1,024 descriptors. Answers how many there may be.
    private static func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        return Int(clamping: limit.rlim_cur)
    }

    private func tellState(_ revision: UInt64) {
        report { try state?.tell(revision: revision) }
    }

    private func report(_ tell: () throws -> Void) {
        do {
            try tell()
        } catch {
            ErrorOutput.error("\(error)")
        }
    }

    private func note(_ text: String) { ErrorOutput.write("netpold proxy: \(text)\n") }
}
