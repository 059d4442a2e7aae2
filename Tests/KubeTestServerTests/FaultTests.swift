import KubeTestServer
import NIOCore
import Testing

/// What goes wrong on request goes wrong so.
struct FaultTests {
    private static let pod =
        "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}, spec: {containers: []}, status: {}}"

    @Test func refusalsComeAsOftenAsAsked() async throws {
        let server = try await TestAPIServer.start()
        server.inject(Fault(.tooManyRequests, path: "/api/v1/pods", times: 2))
        server.inject(Fault(.unavailable, path: "/apis", times: 1))
        let recorded = try Recording("k/01").answer
        for _ in 0..<2 {
            let answer = try await RawClient.get("/api/v1/pods", from: server).answer
            #expect(answer.status == recorded.status && answer.text == recorded.text)
            for name in ["content-type", "retry-after", "x-content-type-options", "content-length"] {
                #expect(answer.header(name) == recorded.header(name))
            }
        }
        #expect(try await RawClient.get("/api/v1/pods", from: server).answer.code == 200)
        let starting = try await RawClient.get("/apis/cilium.io/v2/ciliumnetworkpolicies", from: server).answer
        let wanted = try Recording("k/10-startup-503-apis_cilium").answer
        #expect(starting.text == wanted.text && starting.header("retry-after") == "5")
        #expect(server.requests.count == 4)
        await server.stop()
    }

    @Test func whileItStartsOnlyCoreKindsAreThere() async throws {
        let server = try await TestAPIServer.start()
        server.setStarting(true)
        #expect(try await RawClient.get("/api/v1/pods", from: server).answer.code == 200)
        #expect(try await RawClient.get("/apis/nothere.example.com/v1/things", from: server).answer.code == 503)
        #expect(try await RawClient.get("/readyz", from: server).answer.code == 500)
        server.setStarting(false)
        #expect(try await RawClient.get("/apis/nothere.example.com/v1/things", from: server).answer.code == 404)
        await server.stop()
    }

    @Test func aCutLeavesHalfALineAndNoGoodbye() async throws {
        let server = try await TestAPIServer.start()
        try server.apply(FaultTests.pod)
        server.inject(Fault(.cut(afterBytes: 40), watches: true, times: 1))
        let cut = try await RawClient.get("/api/v1/pods?watch=1&timeoutSeconds=5", from: server)
        #expect(cut.answer.code == 200 && cut.answer.body.count == 40)
        #expect(!cut.answer.isComplete && !cut.isClean)
        server.inject(Fault(.shorten(afterBytes: 40), watches: true, times: 1))
        let short = try await RawClient.get("/api/v1/pods?watch=1&timeoutSeconds=5", from: server)
        #expect(short.answer.body.count == 40 && short.answer.isComplete && short.isClean)
        server.inject(Fault(.corrupt(at: 3, with: [0xff, 0]), times: 1))
        let corrupt = try await RawClient.get("/api/v1/pods", from: server).answer
        #expect(Array(corrupt.body[3..<5]) == [0xff, 0])
        await server.stop()
    }

    @Test func slownessSilenceAndDelay() async throws {
        let server = try await TestAPIServer.start()
        server.inject(Fault(.slow(bytes: 10, every: .milliseconds(10)), times: 1))
        let clock = ContinuousClock()
        let slow = try await clock.measure {
            let answer = try await RawClient.get("/api/v1/pods", from: server).answer
            #expect(answer.isComplete && answer.text.hasSuffix("]}\n"))
        }
        #expect(slow > .milliseconds(70))
        server.inject(Fault(.silence, times: 1))
        let silent = try await RawClient.get("/api/v1/pods", from: server, during: .milliseconds(200))
        #expect(silent.bytes.isEmpty)
        server.inject(Fault(.delay(.milliseconds(100)), times: 1))
        let late = try await clock.measure { _ = try await RawClient.get("/api/v1/pods", from: server) }
        #expect(late > .milliseconds(90))
        server.setSilent(true)
        async let waiting = RawClient.get("/api/v1/pods", from: server)
        try await Task.sleep(for: .milliseconds(100))
        server.setSilent(false)
        #expect(try await waiting.answer.isComplete)
        await server.stop()
    }

    @Test func killedAndStartedAgain() async throws {
        let server = try await TestAPIServer.start()
        async let watch = RawClient.get("/api/v1/pods?watch=1&timeoutSeconds=8", from: server)
        for _ in 0..<1_000 where server.watchCount == 0 { try await Task.sleep(for: .milliseconds(2)) }
        await server.stopAccepting()
        server.cutConnections()
        let ended = try await watch
        #expect(!ended.isClean && !ended.answer.isComplete)
        await #expect(throws: (any Error).self) { try await RawClient.get("/api/v1/pods", from: server) }
        try await server.startAccepting()
        #expect(try await RawClient.get("/api/v1/pods", from: server).answer.code == 200)
        for _ in 0..<1_000 where server.watchCount > 0 { try await Task.sleep(for: .milliseconds(2)) }
        #expect(server.watchCount == 0)
        await server.stop()
    }

    @Test func aClientThatDoesNotReadLosesItsWatchByACleanEnd() async throws {
        let server = try await TestAPIServer.start()
        let pods = try server.resource("pods")
        let filler = Array(#"{"name":"a","namespace":"shop"},"x":"\#(String(repeating: "x", count: 20_000))"}"#.utf8)
        var added = 0
        let exchange = try await RawClient.watchWithoutReading(
            "/api/v1/pods?watch=1&resourceVersion=\(server.version)", from: server
        ) {
            // Until sockets and the server's patience hold no more, at most 400 MB.
            while added < 20_000, server.watchCount > 0 {
                added += 1
                // The server's loop has time to write.
                if added % 100 == 0 { try await Task.sleep(for: .milliseconds(1)) }
                server.add(pods, namespace: "shop", name: "a", labels: [:], nodeName: "") { _ in
                    Array(#""metadata":"#.utf8) + filler
                }
            }
        }
        #expect(exchange.isClean && exchange.answer.isComplete)
        let lines = exchange.answer.lines
        #expect(!lines.isEmpty && lines.count < added)
        #expect(lines.allSatisfy { !$0.contains("ERROR") })
        await server.stop()
    }

    @Test func longListsAreCompressedAndShortOnesAreNot() async throws {
        let server = try await TestAPIServer.start()
        let filler = String(repeating: "x", count: 1_000)
        for number in 0..<150 {
            try server.apply(
                "{apiVersion: v1, kind: Pod, metadata: {name: p\(number), namespace: shop, annotations: {a: \(filler)}}, spec: {containers: []}}"
            )
        }
        let long = try await RawClient.get("/api/v1/pods", from: server, headers: "Accept-Encoding: gzip\r\n").answer
        #expect(long.header("content-encoding") == "gzip" && long.body.count < 40_000)
        #expect(long.header("x-test-compress") == nil && long.isComplete)
        let short = try await RawClient.get("/api/v1/pods?limit=1", from: server, headers: "Accept-Encoding: gzip\r\n")
            .answer
        #expect(short.header("content-encoding") == nil)
        let plain = try await RawClient.get("/api/v1/pods", from: server).answer
        #expect(plain.header("content-encoding") == nil && plain.body.count > 150_000)
        #expect(plain.header("x-test-compress") == nil)
        await server.stop()
    }

    @Test func certificatesSayWhoIsThere() async throws {
        let server = try await TestAPIServer.start()
        func code(_ chain: String, _ key: String, _ path: String) async throws -> Int {
            try await RawClient.send(
                "GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", to: server.port,
                certificate: (chain, key)
            ).answer.code
        }
        #expect(try await code(TestCertificates.admin, TestCertificates.adminKey, "/api/v1/pods") == 200)
        // A certificate of an unknown CA is HTTP 401, and no alert of TLS.
        #expect(try await code(TestCertificates.stranger, TestCertificates.strangerKey, "/api/v1/pods") == 401)
        // A node lists its own Pods alone.
        #expect(try await code(TestCertificates.node, TestCertificates.nodeKey, "/api/v1/pods") == 403)
        #expect(
            try await code(
                TestCertificates.node, TestCertificates.nodeKey, "/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-a")
                == 200)
        await server.stop()
    }
}
