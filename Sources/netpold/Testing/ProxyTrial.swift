import Datapath
import L7Proxy
import LabKit
import NIOCore
import NIOPosix
import NetTypes
import PolicyIR
import ProxyRules
import Synchronization

/// A running proxy on the loopback interface, with a server behind it: decides requests by sending them through.
final class ProxyTrial {
    /// What the policy of one end said of a connection.
    struct Side: Hashable {
        /// Which of a test's images it is of: numbers of policies are unique in one.
        var image: Int
        /// The number of the policy's program.
        var base: UInt32
        /// The bits of its L7 word that matched.
        var rules: UInt64

        /// The number of its policy among those of all images of a test.
        static func policy(image: Int, base: UInt32) -> UInt32 { UInt32(image) << 20 | base }

        /// As the proxy knows it.
        var selection: RuleBook.Selection {
            RuleBook.Selection(
                policy: Side.policy(image: image, base: base),
                rules: (0..<64).filter { rules & 1 << UInt64($0) != 0 }.map { UInt32($0) })
        }
    }

    /// An answer of the proxy that is neither the server's nor a denial.
    struct Unexpected: Error, CustomStringConvertible {
        let description: String
    }

    private static let serverName = "server"
    private static let loopback = IPAddress(ipv4: 0x7f00_0001)
    private let proxy: HTTPProxy
    private let port: UInt16
    private let rules: RuleSource
    private let flows: TrialFlows
    private let group: MultiThreadedEventLoopGroup
    private let loop: LabKit.EventLoop
    private let namespace: NetworkNamespace
    private let server: Responder
    private var known: [RuleSnapshot.Policy] = []

    private init(
        _ proxy: HTTPProxy, port: UInt16, _ rules: RuleSource, _ flows: TrialFlows,
        _ group: MultiThreadedEventLoopGroup,
        _ loop: LabKit.EventLoop, _ namespace: NetworkNamespace, _ server: Responder
    ) {
        (self.proxy, self.port, self.rules, self.flows) = (proxy, port, rules, flows)
        (self.group, self.loop, self.namespace, self.server) = (group, loop, namespace, server)
    }

    /// Starts the proxy and the server, on ports of 127.0.0.1 that are free.
    static func start() async throws -> ProxyTrial {
        let loop = try LabKit.EventLoop()
        let namespace = try NetworkNamespace(path: "/proc/self/ns/net")
        let (server, serverPort) = try serve(namespace, loop)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let rules = RuleSource(try RuleBook(RuleSnapshot(revision: 0, policies: [])))
        let flows = TrialFlows(server: try SocketAddress(ipAddress: "\(loopback)", port: Int(serverPort)))
        let proxy = try await HTTPProxy.start(
            on: try SocketAddress(ipAddress: "\(loopback)", port: 0), group: group, rules: rules, resolver: flows)
        guard let port = proxy.address?.port else { throw Unexpected(description: "the proxy has no address") }
        return ProxyTrial(
            proxy, port: UInt16(truncatingIfNeeded: port), rules, flows, group, loop, namespace, server)
    }

    private static func serve(_ namespace: NetworkNamespace, _ loop: LabKit.EventLoop) throws -> (Responder, UInt16) {
        for _ in 0..<100 {
            let port = UInt16.random(in: 20_000...60_000)
            let ports = [Responder.Port(address: loopback, protocol: .tcp, port: port, waits: true)]
            if let server = try? Responder(name: serverName, in: namespace, ports: ports, loop: loop) {
                return (server, port)
            }
        }
        throw Unexpected(description: "no port of 127.0.0.1 is free")
    }

    /// Whether the proxy lets a request through to the server.
    ///
    /// - Parameters:
    ///   - request: the request; a query goes over TCP.
    ///   - egress: what the sender's policy said; `nil`: it sent nothing to the proxy.
    ///   - ingress: the same of the receiver's.
    ///   - policies: the rules, numbered by `Side.policy`.
    /// - Returns: whether the server got it.
    /// - Throws: `Unexpected` when the proxy answers otherwise, `SnapshotProblem` for rules that it does not take.
    func permits(
        _ request: L7Request, egress: Side?, ingress: Side?, of policies: [RuleSnapshot.Policy]
    ) throws -> Bool {
        if policies != known {
            rules.replace(with: try RuleBook(RuleSnapshot(revision: rules.book.revision + 1, policies: policies)))
            known = policies
        }
        // One address of 127.0.0.0/8 for each pair of sides: by it the proxy is told what it would find in np_proxied.
        let source = flows.source(egress: egress?.selection, ingress: ingress?.selection)
        let probe = Probe(
            namespace: namespace, source: source, destination: Self.loopback, protocol: .tcp, port: port, retries: 2,
            request: .request(request))
        let prober = Prober(loop: loop)
        prober.patience = .seconds(2)
        switch (try prober.run([probe]).first ?? .silent, request) {
        // The server knows no name, and the proxy does not say so.
        case (.denied("NXDOMAIN"), .dns): return true
        case (.denied("REFUSED"), .dns): return false
        case (.denied(let other), .dns): throw Unexpected(description: "the query came to nothing: \(other)")
        case (.answered(by: Self.serverName), _): return true
        case (.denied, _): return false
        case (.answered(let other), _): throw Unexpected(description: "the proxy answered \(other)")
        case (.resolved, _), (.truncated, _), (.refused, _), (.unreachable, _), (.silent, _):
            throw Unexpected(description: "the proxy did not answer")
        }
    }
}

/// What the proxy is told of connections: all go to the server, and the client's address says which rules hold.
private final class TrialFlows: FlowResolver {
    private struct Pair: Hashable {
        var egress: RuleBook.Selection?
        var ingress: RuleBook.Selection?
    }

    private struct Known {
        var addresses: [Pair: IPAddress] = [:]
        var pairs: [IPAddress: Pair] = [:]
    }

    private let server: SocketAddress
    private let known = Mutex(Known())

    init(server: SocketAddress) { self.server = server }

    func source(egress: RuleBook.Selection?, ingress: RuleBook.Selection?) -> IPAddress {
        let pair = Pair(egress: egress, ingress: ingress)
        return known.withLock { known in
            if let address = known.addresses[pair] { return address }
            let address = IPAddress(ipv4: 0x7f01_0001 + UInt32(known.pairs.count))
            known.addresses[pair] = address
            known.pairs[address] = pair
            return address
        }
    }

    func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow? {
        guard let address = client.ipAddress.flatMap({ IPAddress(parsing: $0) }),
            let pair = known.withLock({ $0.pairs[address] })
        else { return nil }
        var flow = ProxiedFlow(destination: server)
        flow.egress = pair.egress
        flow.ingress = pair.ingress
        return flow
    }
}
