import Foundation
import Glibc
import Testing

@testable import KubeClient

/// Tokens, files and plugins.
struct CredentialStoreTests {
    private static func access(_ credentials: ClusterAccess.Credentials) throws -> ClusterAccess {
        ClusterAccess(
            origin: "test", server: try #require(ServerURL("https://api.test")), authorities: nil, serverName: nil,
            proxy: nil, credentials: credentials)
    }

    private static func plugin(_ script: String, version: String = ExecPlugin.versions[0]) -> ExecPlugin {
        ExecPlugin(
            apiVersion: version, command: "/bin/sh", arguments: ["-c", script], environment: ["EXTRA": "more"],
            installHint: "apt install it", origin: "config:1: users[me].user.exec",
            cluster: ExecPlugin.ClusterInfo(server: "https://api.test"))
    }

    private static func credential(_ status: String, version: String = ExecPlugin.versions[0]) -> String {
        #"{"kind":"ExecCredential","apiVersion":"\#(version)","status":\#(status)}"#
    }

    @Test func aTokenFileIsReadForEveryRequest() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "token-\(UUID())").path()
        defer { try? FileManager.default.removeItem(atPath: file) }
        let store = CredentialStore(try Self.access(.tokenFile(file)))
        await #expect(throws: RequestFailure.self) { try await store.current() }
        try "first\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try await store.current().authorization == "Bearer first")
        try "second".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try await store.current().authorization == "Bearer second")
        try "two lines\nof it".write(toFile: file, atomically: true, encoding: .utf8)
        await #expect(throws: RequestFailure.self) { try await store.current() }
    }

    @Test func whatAPluginPrintsIsKeptUntilItEnds() async throws {
        let count = FileManager.default.temporaryDirectory.appending(path: "count-\(UUID())").path()
        defer { try? FileManager.default.removeItem(atPath: count) }
        let printed = Self.credential(
            #"{"token":"t'$(wc -l < \#(count) | tr -d " ")'","expirationTimestamp":"2030-01-01T00:10:00Z"}"#)
        let script = "echo x >> \(count); echo '\(printed)'"
        let clock = TestDate()
        clock.now = try Date("2030-01-01T00:00:00Z", strategy: .iso8601)
        let store = CredentialStore(try Self.access(.exec(Self.plugin(script)))) { clock.now }
        #expect(try await store.current().authorization == "Bearer t1")
        clock.now += 540
        #expect(try await store.current().authorization == "Bearer t1")
        clock.now += 40
        #expect(try await store.current().authorization == "Bearer t2", "ten seconds before the end there are new ones")
        clock.now -= 540
        store.refuse()
        #expect(try await store.current().authorization == "Bearer t3", "refused ones are not shown again")
    }

    @Test func pluginsAreToldOfTheCluster() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "info-\(UUID())").path()
        defer { try? FileManager.default.removeItem(atPath: file) }
        let script =
            #"printf '%s\n%s' "$EXTRA" "$KUBERNETES_EXEC_INFO" > \#(file); echo '\#(Self.credential(#"{"token":"t"}"#))'"#
        #expect(
            try await CredentialStore(try Self.access(.exec(Self.plugin(script)))).current().authorization == "Bearer t"
        )
        let told = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        #expect(told.first == "more")
        let info = try JSONSerialization.jsonObject(with: Data(try #require(told.last).utf8)) as? NSDictionary
        let wanted: NSDictionary = [
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "spec": ["interactive": false, "cluster": ["server": "https://api.test"]],
        ]
        #expect(info == wanted)
    }

    @Test(arguments: [
        ("exit 3", "ended with status 3"), ("kill -9 $$", "ended with signal 9"),
        ("echo no", "printed no ExecCredential"),
        (
            "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"status\":{\"token\":\"SECRET\"}}'",
            "was asked for client.authentication.k8s.io/v1"
        ),
        ("echo '\(credential("{}"))'", "neither token nor certificate"),
        ("echo '\(credential(#"{"token":"SEC RET"}"#))'", "a token that cannot be sent"),
        ("echo '\(credential(#"{"clientCertificateData":"SECRET"}"#))'", "only one of"),
        ("echo '\(credential(#"{"token":"SECRET","expirationTimestamp":"tomorrow"}"#))'", "no RFC 3339 time"),
        // Fields that were taken for one another.
        ("echo '\(credential(#"{"token":"2030","expirationTimestamp":"SECRET"}"#))'", "no RFC 3339 time"),
        (
            "echo '\(credential(#"{"token":"x"}"#, version: "SECRET"))'",
            "was asked for client.authentication.k8s.io/v1"
        ),
        ("head -c 2000000 /dev/zero", "printed more than"),
    ])
    func whatPluginsDoWrongIsSaidWithoutTheirSecrets(script: String, words: String) async throws {
        let store = CredentialStore(try Self.access(.exec(Self.plugin(script))))
        do throws(RequestFailure) {
            _ = try await store.current()
            Issue.record("taken")
        } catch {
            guard case .credentials(let text) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(text.contains(words) && !text.contains("SEC"), "\(text)")
        }
    }

    private static func temporary(_ name: String) -> String {
        FileManager.default.temporaryDirectory.appending(path: "\(name)-\(UUID())").path()
    }

    private static func number(in file: String) -> pid_t? {
        let text = try? String(contentsOfFile: file, encoding: .utf8)
        return text.flatMap { pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    @Test("a pipe in the place of a file is refused at once", .timeLimit(.minutes(1)))
    func pipesAreNotWaitedFor() async throws {
        let file = Self.temporary("pipe")
        try #require(mkfifo(file, 0o600) == 0)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let store = CredentialStore(try Self.access(.tokenFile(file)))
        await #expect(throws: RequestFailure.self) { try await store.current() }
        var access = try Self.access(.token("t"))
        access.authorities = .file(file)
        let other = CredentialStore(access)
        await #expect(throws: RequestFailure.self) { try await other.current() }
    }

    @Test("a plugin that does not answer is ended when nobody waits for it any more", .timeLimit(.minutes(2)))
    func whoGivesUpEndsThePlugin() async throws {
        let file = Self.temporary("number")
        defer { try? FileManager.default.removeItem(atPath: file) }
        let connection = KubeConnection(try Self.access(.exec(Self.plugin("echo $$ > \(file); exec sleep 1000"))))
        let asking = Task { try? await connection.document(KubeRequest("/api")) }
        try await expectEventually("it has begun") { Self.number(in: file) != nil }
        let number = try #require(Self.number(in: file))
        asking.cancel()
        let found = await asking.value
        #expect(found == nil)
        try await expectEventually("it is gone") { kill(number, 0) != 0 }
        await connection.close()
    }

    @Test("a plugin that does not answer is ended with the connection", .timeLimit(.minutes(2)))
    func closingEndsThePlugin() async throws {
        let file = Self.temporary("number")
        defer { try? FileManager.default.removeItem(atPath: file) }
        let connection = KubeConnection(try Self.access(.exec(Self.plugin("echo $$ > \(file); exec sleep 1000"))))
        let asking = Task { () -> RequestFailure? in
            do throws(RequestFailure) {
                _ = try await connection.document(KubeRequest("/api"))
                return nil
            } catch {
                return error
            }
        }
        try await expectEventually("it has begun") { Self.number(in: file) != nil }
        await connection.close()
        let failure = await asking.value
        #expect(failure?.message.contains("signal 9") == true, "\(String(describing: failure))")
    }

    @Test("a plugin that failed is not run again at once for each of those who ask")
    func aFailureIsForAll() async throws {
        let file = Self.temporary("count")
        defer { try? FileManager.default.removeItem(atPath: file) }
        let store = CredentialStore(try Self.access(.exec(Self.plugin("echo x >> \(file); exit 3"))))
        for _ in 0..<5 { await #expect(throws: RequestFailure.self) { try await store.current() } }
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").count
        #expect(lines < 5, "\(lines)")
    }

    @Test func aMissingPluginSaysHowToGetIt() async throws {
        var plugin = Self.plugin("")
        plugin.command = "no-such-plugin"
        let store = CredentialStore(try Self.access(.exec(plugin)))
        await #expect(
            throws: RequestFailure.credentials(
                "config:1: users[me].user.exec: no-such-plugin is not there, or not executable (apt install it)")
        ) {
            try await store.current()
        }
    }
}

/// A date that the test sets.
private final class TestDate: @unchecked Sendable {
    private let lock = NSLock()
    private var date = Date()

    var now: Date {
        get { lock.withLock { date } }
        set { lock.withLock { date = newValue } }
    }
}
