import Foundation
import Glibc
import Testing

@Suite("netpold proxy, started by hand", .serialized)
struct ProxyCommandTests {
    private static func policy(_ path: String) -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: api, namespace: shop, labels: {app: api}}
        ---
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: api, namespace: shop}
        spec:
          endpointSelector: {matchLabels: {app: api}}
          ingress:
          - toPorts:
            - ports: [{port: "80", protocol: TCP}]
              rules: {http: [{path: "\(path)"}]}
        """
    }

    /// A proxy before a server of the test's.
    private final class Fixture {
        let server: PlainServer
        let proxy: BuiltNetpold.Started
        let manifest: String
        let log: String
        let port: UInt16
        private let folder: String

        init(_ path: String, more: [String] = []) throws {
            folder = "\(NSTemporaryDirectory())/netpold-proxy-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            manifest = "\(folder)/policy.yaml"
            log = "\(folder)/access.log"
            let state = "\(folder)/state"
            try ProxyCommandTests.policy(path).write(toFile: manifest, atomically: true, encoding: .utf8)
            server = try PlainServer()
            let free = try PlainServer()
            port = free.port
            free.stop()
            proxy = try BuiltNetpold.start(
                [
                    "proxy", "--listen", "127.0.0.1:\(port)", "--to", "127.0.0.1:\(server.port)", "-f", manifest,
                    "--pod",
                    "shop/api", "--port", "80", "--access-log", log, "--access-log-format", "json", "--state-file",
                    state,
                ] + more)
            for _ in 0..<1_000 where !FileManager.default.fileExists(atPath: state) { usleep(10_000) }
            #expect(FileManager.default.fileExists(atPath: state))
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        func end(_ signal: Int32 = SIGTERM) throws -> BuiltNetpold.Run {
            kill(proxy.process.processIdentifier, signal)
            return try proxy.finish()
        }
    }

    @Test("decides by the policy, takes a changed one for open connections, keeps the last good one, and ends in order")
    func policies() throws {
        let fixture = try Fixture("/public.*")
        let client = try PlainClient(port: fixture.port)
        client.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.receive(until: "ok").contains("200"))
        client.send("GET /admin?token=hunter2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.receive(until: "Access denied\r\n").contains("403"))
        try "nonsense: [".write(toFile: fixture.manifest, atomically: true, encoding: .utf8)
        usleep(1_200_000)
        client.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.receive(until: "ok").contains("200"))
        try Self.policy("/other").write(toFile: fixture.manifest, atomically: true, encoding: .utf8)
        var isDenied = false
        for _ in 0..<100 where !isDenied {
            usleep(50_000)
            client.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
            isDenied = client.receive(until: "\n").contains("403")
        }
        #expect(isDenied)
        let run = try fixture.end()
        #expect(run.code == 0)
        #expect(run.errors.contains("the rules before stay in force"))
        let log = try String(contentsOfFile: fixture.log, encoding: .utf8)
        #expect(log.contains(#""decision":"denied","status":403"#) && log.contains(#""path":"/admin?token=...""#))
        #expect(!log.contains("hunter2"))
    }

    @Test("SIGTERM lets a request under way end")
    func drains() throws {
        let fixture = try Fixture("/.*")
        let client = try PlainClient(port: fixture.port)
        client.send("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
        #expect(fixture.server.waitForBytes(5, ending: "hello"))
        kill(fixture.proxy.process.processIdentifier, SIGTERM)
        usleep(300_000)
        #expect(throws: (any Error).self) { _ = try PlainClient(port: fixture.port) }
        client.send("world")
        #expect(client.receive(until: "ok").contains("200"))
        #expect(try fixture.proxy.finish().code == 0)
    }

    @Test("killed in the middle of transfers: the server has beginnings of allowed requests, and not a byte of others")
    func killed() throws {
        let fixture = try Fixture("/public.*")
        let allowed = "PUT /public HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n"
        let clients = try (0..<8).map { _ in try PlainClient(port: fixture.port) }
        for (number, client) in clients.enumerated() {
            client.send(
                number.isMultiple(of: 2)
                    ? allowed : "PUT /secret HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
        }
        let threads = clients.map { client in
            let thread = Thread {
                let piece = [UInt8](repeating: 0x78, count: 64 << 10)
                while client.send(piece) {}
            }
            thread.start()
            return thread
        }
        #expect(fixture.server.waitForBytes(4 << 20, ending: nil))
        // A head that is not complete when the end comes.
        let late = try PlainClient(port: fixture.port)
        late.send("GET /public HTTP/1.1\r\nHost: a\r\n")
        #expect(try fixture.end(SIGKILL).code == -SIGKILL)
        for _ in 0..<1_000 where threads.contains(where: { !$0.isFinished }) { usleep(10_000) }
        usleep(200_000)
        let received = fixture.server.received()
        #expect(received.count == 4)
        for bytes in received {
            #expect(bytes.starts(with: allowed.utf8))
            #expect(bytes.dropFirst(allowed.utf8.count).allSatisfy { $0 == 0x78 })
        }
        #expect(throws: (any Error).self) { _ = try PlainClient(port: fixture.port) }
    }

    @Test(
        "arguments that cannot be are refused with what to write instead",
        arguments: [
            (["--listen", "127.0.0.1:0"], "--to 127.0.0.1:80"),
            (["--listen", "localhost:80", "--to", "127.0.0.1:80"], "listen"),
            (["--listen", "127.0.0.1:0", "--to", "127.0.0.1:80"], "-f policies/"),
            (["--to", "127.0.0.1:80"], "belong to --listen"),
            (["--listen", "127.0.0.1:0", "--to", "127.0.0.1:80", "-f", "FILE"], "--pod namespace/name"),
            (
                ["--listen", "127.0.0.1:0", "--to", "127.0.0.1:80", "-f", "FILE", "--pod", "shop/ap"],
                "did you mean shop/api"
            ),
            (
                ["--listen", "127.0.0.1:0", "--to", "127.0.0.1:81", "-f", "FILE", "--pod", "shop/api"],
                "choose with --port"
            ),
            (
                [
                    "--listen", "127.0.0.1:0", "--to", "127.0.0.1:80", "-f", "FILE", "--pod", "shop/api", "--direction",
                    "egress",
                ],
                "no policy isolates"
            ),
        ])
    func mistakes(arguments: [String], says: String) throws {
        let file = "\(NSTemporaryDirectory())/netpold-proxy-\(UUID().uuidString).yaml"
        try Self.policy("/").write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let run = try BuiltNetpold.run(["proxy"] + arguments.map { $0 == "FILE" ? file : $0 })
        #expect(run.code == 2 && run.errors.contains(says), "\(run)")
    }

    @Test("without an agent the node's proxy waits, does not pass for one that serves, and ends when it is told to")
    func waits() throws {
        let instance = "wait-\(getpid())-\(UInt16.random(in: .min ... .max))"
        let state = "/run/netpold/\(instance).proxy.json"
        try FileManager.default.createDirectory(atPath: "/run/netpold", withIntermediateDirectories: true)
        // As a proxy that was killed leaves it; a container's process is number 1 again.
        try #"{"pid":1,"revision":1}"#.write(toFile: state, atomically: true, encoding: .utf8)
        let proxy = try BuiltNetpold.start(["proxy", "--instance", instance, "--access-log", "none"])
        for _ in 0..<1_000 where FileManager.default.fileExists(atPath: state) { usleep(10_000) }
        let probe = try BuiltNetpold.run(["proxy", "--probe", "--instance", instance])
        #expect(probe.code == 1 && probe.errors.contains("no proxy serves"), "\(probe)")
        usleep(500_000)
        kill(proxy.process.processIdentifier, SIGTERM)
        let run = try proxy.finish()
        #expect(run.code == 0 && run.errors.contains("waiting for /run/netpold/\(instance).proxy-netns"), "\(run)")
    }

    @Test("an address that is taken is said to be so")
    func taken() throws {
        let server = try PlainServer()
        let file = "\(NSTemporaryDirectory())/netpold-proxy-\(UUID().uuidString).yaml"
        try Self.policy("/").write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let run = try BuiltNetpold.run([
            "proxy", "--listen", "127.0.0.1:\(server.port)", "--to", "127.0.0.1:80", "-f", file, "--pod", "shop/api",
        ])
        #expect(run.code == 3 && run.errors.contains("choose another port"), "\(run)")
        server.stop()
    }
}
