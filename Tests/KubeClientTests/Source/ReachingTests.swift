import Agent
import Foundation
import KubeClient
import KubeObjects
import KubeTestServer
import Testing

/// The ways to an API server, and proofs of who asks that change under way, each from the first list to watches.
struct ReachingTests {
    private func server() async throws -> TestAPIServer {
        let server = try await TestAPIServer.start()
        try server.apply("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}")
        return server
    }

    private static func namespace(_ name: String) -> String {
        "{apiVersion: v1, kind: Namespace, metadata: {name: \(name)}}"
    }

    private static let reader = APIUser(name: "agent", rules: [.init(verbs: ["list", "watch"], resources: ["*"])])

    @Test("through an HTTP proxy, with and without a password: every connection is a tunnel", arguments: [false, true])
    func proxy(hasPassword: Bool) async throws {
        let server = try await server()
        // "u:p" in base64.
        let proxy = try ConnectProxy(authorization: hasPassword ? "Basic dTpw" : nil)
        let run = try SourceRun(server) { config in
            config.replacing(
                "server: \(server.url)\n",
                with:
                    "server: \(server.url)\n    proxy-url: http://\(hasPassword ? "u:p@" : "")127.0.0.1:\(proxy.port)\n"
            )
        }
        _ = try await run.until("synced") { $0.isSynced }
        #expect(!proxy.requests.isEmpty)
        #expect(proxy.requests.allSatisfy { $0.hasPrefix("CONNECT 127.0.0.1:\(server.port) HTTP/1.1\r\n") })
        // Nothing of what is asked can be read on the way.
        #expect(!proxy.requests.contains { $0.contains("admin-token") || $0.contains("/api") })
        let before = proxy.requests.count
        server.cutConnections()
        try server.apply(Self.namespace("later"))
        try await run.until("followed") { $0.has(.namespace, "later") }
        #expect(proxy.requests.count > before)
        await run.stop()
    }

    @Test("a proxy that refuses is a condition, and there is no way round it")
    func refusingProxy() async throws {
        let server = try await server()
        let proxy = try ConnectProxy(authorization: "Basic other")
        let run = try SourceRun(server) { config in
            config.replacing(
                "server: \(server.url)\n",
                with: "server: \(server.url)\n    proxy-url: http://127.0.0.1:\(proxy.port)\n")
        }
        let state = try await run.until("said") { $0.conditions.contains { $0.kind == .sourceUnavailable } }
        #expect(!state.isSynced && server.requests.isEmpty, "\(server.requests)")
        await run.stop()
    }

    private func run(_ server: TestAPIServer, named name: String) throws -> SourceRun {
        try SourceRun(server) { config in
            config.replacing(
                "server: \(server.url)\n", with: "server: \(server.url)\n    tls-server-name: \(name)\n")
        }
    }

    /// The server's certificate is for its address too, which is not what is asked for.
    @Test(
        "a certificate for the address that answers does for no other name: nothing is asked there",
        arguments: ["h2", "http/1.1"])
    func certificateOfAnAddress(alpn: String) async throws {
        var settings = TestAPIServer.Settings()
        settings.protocols = [alpn]
        let named = try run(try await TestAPIServer.start(settings), named: "kubernetes.default.svc")
        try await named.until("synced") { $0.isSynced }
        await named.stop()
        let other = try run(try await TestAPIServer.start(settings), named: "other.example")
        let state = try await other.until("said") { state in
            state.conditions.contains { $0.message.contains("for other names") }
        }
        #expect(state.synced.isEmpty && other.server.requests.isEmpty, "\(other.server.requests)")
        await other.stop()
    }

    @Test("a token file that is written anew is read at the next request; the old token is of no use any more")
    func rotation() async throws {
        let server = try await server()
        let file = FileManager.default.temporaryDirectory.appending(path: "token-\(UUID())").path()
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "first".write(toFile: file, atomically: true, encoding: .utf8)
        server.setToken("first", Self.reader)
        let run = try SourceRun(server, .tokenFile(file))
        _ = try await run.until("synced") { $0.isSynced }
        for number in 2...4 {
            server.setToken("token-\(number)", Self.reader)
            try "token-\(number)".write(toFile: file, atomically: true, encoding: .utf8)
            server.setToken(number == 2 ? "first" : "token-\(number - 1)", nil)
            server.cutConnections()
            try server.apply(Self.namespace("ns-\(number)"))
            try await run.until("followed with token \(number)") { $0.has(.namespace, "ns-\(number)") }
        }
        // Without a token that counts it says so, and goes on when there is one.
        server.setToken("token-4", nil)
        server.cutConnections()
        try await run.until("said") { $0.conditions.contains { $0.kind == .sourceUnavailable } }
        server.setToken("token-5", Self.reader)
        try "token-5".write(toFile: file, atomically: true, encoding: .utf8)
        try server.apply(Self.namespace("last"))
        try await run.until("again") { $0.has(.namespace, "last") && $0.conditions.isEmpty }
        await run.stop()
    }

    @Test("a plugin is asked again when the API server refuses what it has printed")
    func plugin() async throws {
        let server = try await server()
        let file = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID())").path()
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "first".write(toFile: file, atomically: true, encoding: .utf8)
        server.setToken("first", Self.reader)
        let script = "\(file).sh"
        defer { try? FileManager.default.removeItem(atPath: script) }
        try
            #"printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"}}' "$(cat "$1")""#
            .write(toFile: script, atomically: true, encoding: .utf8)
        let run = try SourceRun(server) { config in
            config.replacing(
                "    token: admin-token\n",
                with: """
                        exec:
                          apiVersion: client.authentication.k8s.io/v1
                          command: /bin/sh
                          args: [\(script), \(file)]
                          interactiveMode: Never

                    """)
        }
        _ = try await run.until("synced") { $0.isSynced }
        server.setToken("second", Self.reader)
        try "second".write(toFile: file, atomically: true, encoding: .utf8)
        server.setToken("first", nil)
        server.cutConnections()
        try server.apply(Self.namespace("later"))
        try await run.until("followed") { $0.has(.namespace, "later") && $0.conditions.isEmpty }
        await run.stop()
    }
}
