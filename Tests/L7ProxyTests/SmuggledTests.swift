import HTTPScan
import HTTPTestSupport
import PolicyAPI
import Testing

@Suite("The smuggling corpus through the proxy", .serialized)
struct SmuggledTests {
    @Test("what reaches the server are the requests that were decided, complete or cut, and nothing else")
    func allowed() async throws {
        let proxy = try await ProxyFixture.start([HTTPRule()])
        var reached = 0
        for expectation in try SmugglingCase.all() where expectation.kind == .requests && !expectation.bytes.isEmpty {
            do {
                let client = try proxy.client(patience: 100)
                client.send(expectation.bytes)
                _ = client.read()
            }
            do {
                try await proxy.settle()
            } catch {
                Issue.record("a connection stays open behind \(expectation)")
                break
            }
            var decided: [String] = []
            for event in ScannedStream.events(expectation.bytes) {
                switch event {
                case .message(let message), .refusedInBody(let message, _), .moreBody(let message):
                    decided.append(message.start)
                case .http2, .refused, .moreHead: break
                }
            }
            let received = proxy.server.take()
            #expect(received.count <= 1, "\(expectation)")
            guard let bytes = received.first else { continue }
            let requests = ScannedStream.events(bytes).map { event in
                switch event {
                case .message(let message), .moreBody(let message): message.start
                case .http2, .refused, .refusedInBody, .moreHead: "not decided: \(event)"
                }
            }
            reached += requests.count
            #expect(decided.starts(with: requests), "\(expectation): \(requests) of \(decided)")
        }
        // A proxy that forwards nothing would pass.
        #expect(reached > 60)
        try await proxy.stop()
    }

    @Test("without a rule that allows, no connection reaches the server at all")
    func denied() async throws {
        let proxy = try await ProxyFixture.start([HTTPRule(method: "NONE")])
        for (index, expectation) in try SmugglingCase.all().enumerated()
        where expectation.kind == .requests && index.isMultiple(of: 3) {
            let client = try proxy.client(patience: 30)
            client.send(expectation.bytes)
            _ = client.read()
        }
        #expect(proxy.server.received.withLock { $0.isEmpty })
        try await proxy.stop()
    }
}
