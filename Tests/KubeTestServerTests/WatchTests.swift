import KubeTestServer
import NIOCore
import Testing

/// What watches see of changes, versions and CRDs.
struct WatchTests {
    private func pod(_ name: String, labels: String = "{app: a}", node: String? = nil) -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: \(name), namespace: shop, labels: \(labels)}
        spec: {\(node.map { "nodeName: \($0), " } ?? "")containers: []}
        status: {phase: Running}
        """
    }

    /// `TYPE name` of each line, `BOOKMARK`, `ERROR code`.
    private func summary(_ answer: RawAnswer) -> [String] {
        answer.lines.map { line in
            let type = line.firstMatch(of: /"type":"([A-Z]+)"/).map { String($0.1) } ?? "?"
            switch type {
            case "BOOKMARK": return line.contains("initial-events-end") ? "BOOKMARK end" : "BOOKMARK"
            case "ERROR": return "ERROR \(line.firstMatch(of: /"code":([0-9]+)/)?.1 ?? "?")"
            default: return "\(type) \(line.firstMatch(of: /"name":"([a-z0-9-]+)"/)?.1 ?? "?")"
            }
        }
    }

    /// Opens a watch, does something as soon as it is open, and gives what the watch has seen.
    private func watch(
        _ server: TestAPIServer, _ query: String, path: String = "/api/v1/pods", seconds: Int = 1,
        _ body: @Sendable () async throws -> Void
    ) async throws -> RawClient.Exchange {
        let open = server.watchCount
        async let exchange = RawClient.get("\(path)?watch=1&timeoutSeconds=\(seconds)&\(query)", from: server)
        for _ in 0..<1_000 where server.watchCount == open { try await Task.sleep(for: .milliseconds(2)) }
        try await body()
        return try await exchange
    }

    @Test func changesComeInOrderWithTheirTypes() async throws {
        let server = try await TestAPIServer.start()
        let pods = try server.resource("pods")
        let exchange = try await watch(server, "resourceVersion=\(server.version)") {
            try server.apply(pod("a"))
            try server.apply(pod("a", labels: "{app: b}"))
            // A change of nothing is no event.
            try server.apply(pod("a", labels: "{app: b}"))
            server.delete(pods, namespace: "shop", name: "a")
        }
        #expect(summary(exchange.answer) == ["ADDED a", "MODIFIED a", "DELETED a"])
        #expect(exchange.isClean && exchange.answer.isComplete)
        // One chunk each, and the deletion has a version of its own.
        #expect(exchange.answer.chunks.count == 3)
        #expect(exchange.answer.lines.last?.contains("\"resourceVersion\":\"\(server.version)\"") == true)
        await server.stop()
    }

    @Test func selectorsTurnChangesIntoAddedAndDeleted() async throws {
        let server = try await TestAPIServer.start()
        let bound = try await watch(server, "resourceVersion=\(server.version)&fieldSelector=spec.nodeName%3Dnode-a") {
            try server.apply(pod("a"))
            try server.apply(pod("a", node: "node-a"))
            try server.apply(pod("b", node: "node-b"))
        }
        #expect(summary(bound.answer) == ["ADDED a"])
        let labelled = try await watch(server, "resourceVersion=\(server.version)&labelSelector=app%3Dc") {
            try server.apply(pod("c", labels: "{app: c}"))
            try server.apply(pod("c", labels: "{app: d}"))
            try server.apply(pod("c", labels: "{app: c}"))
        }
        #expect(summary(labelled.answer) == ["ADDED c", "DELETED c", "ADDED c"])
        // The state before it stopped matching.
        #expect(labelled.answer.lines[1].contains(#""app":"c""#))
        await server.stop()
    }

    @Test func bookmarksComeAtTheirIntervalAndNeverBeforeAnEvent() async throws {
        var settings = TestAPIServer.Settings()
        settings.bookmarkInterval = .milliseconds(100)
        let server = try await TestAPIServer.start(settings)
        let exchange = try await watch(server, "resourceVersion=\(server.version)&allowWatchBookmarks=true") {
            for number in 0..<50 {
                try server.apply(pod("p\(number)"))
                try await Task.sleep(for: .milliseconds(8))
            }
        }
        let versions = exchange.answer.lines.compactMap { line in
            line.firstMatch(of: /"resourceVersion":"([0-9]+)"/).flatMap { Int($0.1) }
        }
        #expect(versions == versions.sorted())
        #expect(summary(exchange.answer).filter { $0 == "BOOKMARK" }.count >= 5)
        // Without allowWatchBookmarks there is none.
        let without = try await watch(server, "resourceVersion=\(server.version)") {}
        #expect(without.answer.lines.isEmpty)
        await server.stop()
    }

    @Test func aWatchFromTheFutureIsSilentAfterARestore() async throws {
        var settings = TestAPIServer.Settings()
        settings.bookmarkInterval = .milliseconds(50)
        let server = try await TestAPIServer.start(settings)
        try server.apply(pod("a"))
        let backup = server.version
        for number in 0..<20 { try server.apply(pod("b\(number)")) }
        let future = server.version
        server.restore(to: backup)
        #expect(server.objects(try server.resource("pods")).count == 1)
        let exchange = try await watch(server, "resourceVersion=\(future)&allowWatchBookmarks=true") {
            try server.apply(pod("c"))
        }
        #expect(exchange.answer.code == 200 && exchange.answer.lines.isEmpty)
        await server.stop()
    }

    @Test func theHistoryIsBounded() async throws {
        var settings = TestAPIServer.Settings()
        settings.historyLimit = 10
        let server = try await TestAPIServer.start(settings)
        let first = server.version
        for number in 0..<30 { try server.apply(pod("p\(number)")) }
        let exchange = try await watch(server, "resourceVersion=\(first)") {}
        #expect(summary(exchange.answer) == ["ERROR 410"] && exchange.isClean)
        await server.stop()
    }

    @Test func aCRDComesChangesAndGoes() async throws {
        var settings = TestAPIServer.Settings()
        settings.schemaDelay = .milliseconds(100)
        settings.initializingTime = .milliseconds(150)
        settings.resources = APIResource.builtIns
        let server = try await TestAPIServer.start(settings)
        let widgets = APIResource.custom(group: "kas.example.com", version: "v1", name: "widgets", kind: "Widget")
        let path = "/apis/kas.example.com/v1/widgets"
        func code() async throws -> Int { try await RawClient.get(path, from: server).answer.code }
        #expect(try await code() == 404)
        server.install(widgets)
        let early = try await RawClient.get(path, from: server).answer
        #expect(early.code == 429 && early.header("retry-after") == "1")
        #expect(early.text.contains("storage is (re)initializing"))
        try await Task.sleep(for: .milliseconds(200))
        #expect(try await code() == 200)
        try server.apply(
            "{apiVersion: kas.example.com/v1, kind: Widget, metadata: {name: x, namespace: shop}, spec: {a: '1'}}")
        let before = server.version
        let changed = try await watch(server, "resourceVersion=\(before)", path: path, seconds: 8) {
            server.changeSchema(of: widgets)
        }
        // A clean end without an error; then 429, then watches from before are too old.
        #expect(changed.answer.lines.isEmpty && changed.answer.isComplete && changed.isClean)
        let again = "\(path)?watch=1&timeoutSeconds=1&resourceVersion=\(before - 1)"
        #expect(try await RawClient.get(again, from: server).answer.code == 429)
        try await Task.sleep(for: .milliseconds(200))
        #expect(summary(try await RawClient.get(again, from: server).answer) == ["ERROR 410"])
        let removed = try await watch(server, "resourceVersion=\(server.version)", path: path, seconds: 8) {
            server.remove(widgets)
        }
        #expect(summary(removed.answer) == ["DELETED x"] && removed.isClean && removed.answer.isComplete)
        let gone = try await RawClient.get(path, from: server).answer
        #expect(gone.code == 404 && gone.header("content-type") == "text/plain; charset=utf-8")
        await server.stop()
    }

    @Test func openWatchesSurviveTheLossOfRights() async throws {
        let server = try await TestAPIServer.start()
        let exchange = try await watch(server, "resourceVersion=\(server.version)") {
            server.setToken("admin-token", nil)
            #expect(try await RawClient.get("/api/v1/pods", from: server).answer.code == 401)
            try server.apply(pod("a"))
        }
        #expect(summary(exchange.answer) == ["ADDED a"])
        await server.stop()
    }
}
