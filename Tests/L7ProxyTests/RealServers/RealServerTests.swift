import HTTPTestSupport
import L7Proxy
import NIOCore
import PolicyAPI
import ProxyRules
import Testing

/// From the client's own address, so that the server's log says which case a request is from.
private struct MirroringResolver: FlowResolver {
    let server: SocketAddress

    func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow? {
        guard let host = client.ipAddress else { return nil }
        var flow = ProxiedFlow(destination: server)
        flow.source = try? SocketAddress(ipAddress: host, port: 0)
        flow.ingress = RuleBook.Selection(policy: 1, rules: [0])
        return flow
    }
}

@Suite(
    "The smuggling corpus through the proxy to real servers", .serialized,
    .enabled(if: RealServer.arePresent, "needs nginx, haproxy and gunicorn: scripts/install-deps.sh nginx haproxy gunicorn"))
struct RealServerTests {
    @Test(
        "nginx, haproxy and gunicorn read the requests that the proxy decided, in order, and no other",
        arguments: RealServer.Make.allCases)
    func corpus(make: RealServer.Make) async throws {
        let server = try RealServer(make)
        let proxy = try await ProxyFixture.start([HTTPRule()], resolver: MirroringResolver(server: try server.address))
        let cases = try SmugglingCase.all().filter { $0.kind == .requests && !$0.bytes.isEmpty }
        guard let port = proxy.proxy.address?.port else { throw ProxyFixture.Broken() }
        let width = 48
        for from in stride(from: 0, to: cases.count, by: width) {
            let numbers = from..<min(from + width, cases.count)
            ClientBatch.run(numbers.map { ($0, cases[$0].bytes) }, port: port, patience: 150)
        }
        try await proxy.settle()
        try await proxy.stop()
        let seen = try server.stop()
        var reached = 0
        for (number, expectation) in cases.enumerated() {
            let decided = RealServerTests.decided(expectation)
            let read = seen[ClientBatch.address(number)] ?? []
            reached += read.count
            #expect(decided.starts(with: read), "\(make), \(expectation): it read \(read), decided were \(decided)")
        }
        // A proxy that forwards nothing would pass.
        #expect(reached > 60, "\(make) read only \(reached)")
    }

    /// The requests that the scanner, and so the proxy, takes from a case, complete or cut.
    private static func decided(_ expectation: SmugglingCase) -> [String] {
        ScannedStream.events(expectation.bytes).compactMap { event in
            switch event {
            case .message(let message), .refusedInBody(let message, _), .moreBody(let message):
                let method = message.start.split(separator: " ").first ?? ""
                return "\(method) \(message.target)"
            case .http2, .refused, .moreHead: return nil
            }
        }
    }
}
