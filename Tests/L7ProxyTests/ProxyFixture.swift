import Glibc
import HTTPTestSupport
import L7Proxy
import NIOCore
import NIOPosix
import NetTypes
import PolicyAPI
import PolicyIR
import ProxyRules

/// A proxy before a recording server.
struct ProxyFixture {
    let group: MultiThreadedEventLoopGroup
    let server: RecordingServer
    let proxy: HTTPProxy
    let rules: RuleSource

    struct Broken: Error {}

    /// A book with one policy for the receiver's end, number 1.
    static func book(_ rules: [HTTPRule], revision: UInt64 = 1) throws -> RuleBook {
        try RuleBook(RuleSnapshot(revision: revision, policies: [policy(1, .ingress, rules)]))
    }

    /// A book with a policy for the sender's end, number 1, and one for the receiver's, number 2.
    static func book(_ egress: [HTTPRule], _ ingress: [HTTPRule]) throws -> RuleBook {
        try RuleBook(
            RuleSnapshot(revision: 1, policies: [policy(1, .egress, egress), policy(2, .ingress, ingress)]))
    }

    private static func policy(_ id: UInt32, _ direction: Direction, _ rules: [HTTPRule]) throws -> RuleSnapshot.Policy
    {
        let rule = PolicyRule(
            action: .allow, peers: .everyone, traffic: .everything, l7: .http(rules.map { Located($0) }),
            origin: RuleOrigin(kind: "CiliumNetworkPolicy", namespace: "shop", name: "api", path: "spec"))
        guard let snapshot = RuleSnapshot.Rule(number: 0, rule) else { throw Broken() }
        return .init(id: id, direction: direction, rules: [snapshot])
    }

    static func start(
        _ rules: [HTTPRule], limits: ProxyLimits = ProxyLimits(), log: AccessLog? = nil,
        telling feed: DenialFeed? = nil,
        answer: [UInt8]? = nil,
        to address: SocketAddress? = nil, resolver: (any FlowResolver)? = nil, learner: (any AnswerLearner)? = nil,
        loops: Int = 1
    ) async throws -> ProxyFixture {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let server = try await RecordingServer.start(group, answer: answer)
        guard let upstream = address ?? server.address else { throw Broken() }
        var flow = ProxiedFlow(destination: upstream)
        flow.ingress = RuleBook.Selection(policy: 1, rules: [0])
        let source = RuleSource(try book(rules))
        let proxy = try await HTTPProxy.start(
            on: SocketAddress(ipAddress: "127.0.0.1", port: 0), group: group, rules: source,
            resolver: resolver ?? FixedFlowResolver(flow), limits: limits, log: log, telling: feed,
            learner: learner)
        return ProxyFixture(group: group, server: server, proxy: proxy, rules: source)
    }

    func client(patience: Int = 2_000, from host: UInt32 = 1, isDeaf: Bool = false) throws -> BlockingClient {
        guard let port = proxy.address?.port else { throw Broken() }
        return try BlockingClient(port: port, patience: patience, from: host, isDeaf: isDeaf)
    }

    /// Waits until no connection is open, at the proxy and at the server.
    func settle() async throws {
        for _ in 0..<2_000 {
            if try await proxy.counters().open == 0, server.open.withLock({ $0 }) == 0 { return }
            try await Task.sleep(nanoseconds: 2_000_000)
        }
        throw Broken()
    }

    func stop() async throws {
        try await proxy.stop(patience: .milliseconds(100))
        try await server.stop()
        try await group.shutdownGracefully()
    }
}
