import Glibc
import L7Proxy
import NIOCore
import NIOPosix
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
        try await serve(ends: { _ in file.look() }) { group in
            let proxy = try await HTTPProxy.start(
                listeners: ports.listeners, group: group, rules: source, resolver: ports.resolver, log: log,
                telling: feed, learner: ports.learner)
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
        try await serve(ends: { _ in again.read() }) { group in
            let proxy = try await HTTPProxy.start(on: listen, group: group, rules: source, resolver: resolver, log: log)
            let address = proxy.address.flatMap { address in
                address.ipAddress.map {
                    $0.contains(":") ? "[\($0)]:\(address.port ?? 0)" : "\($0):\(address.port ?? 0)"
                }
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
        ends again: @Sendable (Int32) -> Void,
        _ start: (MultiThreadedEventLoopGroup) async throws -> (HTTPProxy, RuleSource)
    ) async throws {
        let signals = SignalListener([SIGTERM, SIGINT, SIGHUP])
        signal(SIGPIPE, SIG_IGN)
        ProxyRun.raiseDescriptorLimit()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let (proxy, source) = try await start(group)
        tellState(source.book.revision)
        ServiceManager.tell("READY=1")
        for await number in signals.received {
            if number != SIGHUP { break }
            again(number)
        }
        ServiceManager.tell("STOPPING=1")
        state?.remove()
        try await proxy.stop(patience: drain)
        log?.flush()
        try await group.shutdownGracefully()
    }

    /// Two descriptors a connection; what a shell or service manager gives by default is 1,024 of them.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private func tellState(_ revision: UInt64) {
        do {
            try state?.write(revision: revision)
        } catch {
            ErrorOutput.error("\(error)")
        }
    }

    private func note(_ text: String) { ErrorOutput.write("netpold proxy: \(text)\n") }
}
