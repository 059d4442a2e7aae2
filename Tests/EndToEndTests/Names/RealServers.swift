import Foundation
import LabKit

/// The pods of examples/l7 with servers and clients that people use: dnsmasq, nginx, openssl s_server, gRPC's; dig, curl, openssl
/// s_client, gRPC's.
final class RealServers {
    /// Debian's packages of them.
    static let packages = "dnsmasq-base nginx bind9-dnsutils curl openssl python3-grpcio"
    private static let files = [
        "/usr/sbin/dnsmasq", "/usr/sbin/nginx", "/usr/bin/dig", "/usr/bin/curl", "/usr/bin/openssl", "/usr/bin/nsenter",
        "/usr/lib/python3/dist-packages/grpc", script,
    ]

    /// Which of the tools this machine does not have.
    static var missing: [String] { files.filter { !FileManager.default.fileExists(atPath: $0) } }

    private static let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "grpc_shop.py")
        .path()

    private static let example = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "examples/l7")

    /// The agent's.
    static let options = ["--services", "translate", "--l7-proxy"]
    private static let tlsServers = ["198.51.100.20", "198.51.100.21", "198.51.100.30"]

    let network: PodNetwork
    let agent: RunningAgent
    private var servers: [ChildProcess] = []
    private var folder: String { agent.folder }

    private var proxy: ChildProcess?

    /// Builds everything; the servers run, and the agent enforces the example's policies and others.
    init(besides others: String = "") throws {
        func manifest(_ name: String) throws -> String {
            try String(contentsOf: Self.example.appending(path: name), encoding: .utf8)
        }
        let cluster = try manifest("cluster.yaml")
        network = try PodNetwork(cluster, tag: "real\(UInt16.random(in: .min ... .max))")
        agent = try RunningAgent(
            network,
            manifests: [
                "cluster.yaml": cluster, "policies.yaml": try manifest("policies.yaml"), "others.yaml": others,
            ].filter { !$0.value.isEmpty })
        try startServers()
        try agent.start(Self.options)
        let proxy = try agent.launch(
            ["proxy", "--instance", agent.instance, "--loops", "1", "--access-log", "none"], output: "proxy.log")
        servers.append(proxy)
        self.proxy = proxy
        let state = "/run/netpold/\(agent.instance).proxy.json"
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: state) { usleep(20_000) }
    }

    deinit {
        // The proxy has to be gone before the agent takes its place away.
        for server in servers { server.signal(SIGKILL) }
        for server in servers { server.waitUntilExit() }
    }

    func endProxy() {
        proxy?.signal(SIGKILL)
        proxy?.waitUntilExit()
    }

    private func startServers() throws {
        try serve(
            in: podPath("dns"),
            [
                "dnsmasq", "--keep-in-foreground", "--no-hosts", "--no-resolv", "--local-ttl=300",
                "--conf-file=/dev/null", "--pid-file=",
                "--user=root", "--listen-address=10.30.0.17,fd00:30:1::17,127.0.0.1", "--bind-interfaces",
                "--address=/api.stripe.com/198.51.100.20", "--address=/js.stripe.com/198.51.100.21",
                "--address=/pypi.org/198.51.100.30", "--address=/api.shop.svc.cluster.local/10.30.0.13",
            ])
        try """
        daemon off; master_process off; user root; pid \(folder)/nginx.pid; error_log \(folder)/nginx-error.log;
        events {}
        http {
          access_log off;
          client_body_temp_path \(folder); proxy_temp_path \(folder); fastcgi_temp_path \(folder);
          uwsgi_temp_path \(folder); scgi_temp_path \(folder);
          server { listen 8080; listen [::]:8080; location / { return 200 "api\\n"; } }
        }
        """.write(toFile: "\(folder)/nginx.conf", atomically: true, encoding: .utf8)
        try serve(in: podPath("api"), ["nginx", "-c", "\(folder)/nginx.conf"])
        try serve(in: podPath("inventory"), ["/usr/bin/python3", Self.script, "serve", "[::]:50051"])
        let outside = NetworkLayout.outsidePath(in: network.folder)
        let made = try run(
            in: outside,
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2",
                "-subj", "/CN=lab", "-keyout", "\(folder)/key.pem", "-out", "\(folder)/cert.pem",
            ])
        guard made.code == 0 else { throw PodNetworkError("no certificate: \(made.output)") }
        for address in Self.tlsServers {
            try serve(
                in: outside,
                [
                    "openssl", "s_server", "-accept", "\(address):443", "-cert", "\(folder)/cert.pem", "-key",
                    "\(folder)/key.pem", "-quiet", "-www",
                ])
        }
        try waitUntilReady()
    }

    /// Until each server takes connections.
    private func waitUntilReady() throws {
        let inside = [("dns", "127.0.0.1", 53), ("api", "127.0.0.1", 8080), ("inventory", "127.0.0.1", 50051)]
        let outside = NetworkLayout.outsidePath(in: network.folder)
        let ends =
            inside.map { (podPath($0.0), $0.1, $0.2) } + Self.tlsServers.map { (outside, $0, 443) }
        for (namespace, address, port) in ends {
            var tries = 0
            while try run(in: namespace, ["bash", "-c", ": < /dev/tcp/\(address)/\(port)"]).code != 0 {
                tries += 1
                guard tries < 100, servers.allSatisfy(\.isRunning) else {
                    throw PodNetworkError("nobody listens at \(address):\(port)\n\(logs)")
                }
                usleep(50_000)
            }
        }
    }

    private var logs: String {
        servers.indices.compactMap { try? String(contentsOfFile: "\(folder)/server-\($0).log", encoding: .utf8) }
            .joined(separator: "\n")
    }

    func podPath(_ pod: String) -> String { "\(NetworkLayout.podsFolder(in: network.folder))/\(pod)" }

    private func serve(in namespace: String, _ command: [String]) throws {
        servers.append(
            try agent.launch(
                ["--net=\(namespace)"] + command, output: "server-\(servers.count).log",
                program: URL(filePath: "/usr/bin/nsenter")))
    }

    private func run(in namespace: String, _ command: [String]) throws -> RunningAgent.Run {
        try agent.run(["--net=\(namespace)"] + command, program: URL(filePath: "/usr/bin/nsenter"))
    }

    /// Runs a client in a pod; what it printed, without white space around it.
    func client(_ pod: String, _ command: [String]) throws -> (code: Int32, output: String) {
        let run = try run(in: podPath(pod), command)
        return (run.code, run.output.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// `dig` at the Service's address: the answer's code and addresses.
    func dig(_ pod: String, _ name: String, _ options: [String] = []) throws -> String {
        let output = try client(
            pod,
            ["dig", "@10.96.0.10", "+time=2", "+tries=1", "+noall", "+comments", "+answer"] + options + [name, "A"]
        ).output
        let code = output.firstMatch(of: #/status: ([A-Z]+)/#).map { String($0.1) } ?? "no answer"
        let addresses = output.matches(of: #/\sA\s+([0-9.]+)/#).map { String($0.1) }
        return ([code] + addresses).joined(separator: " ")
    }

    /// `curl`: the status, and the body without its line end.
    func curl(_ pod: String, _ url: String, _ options: [String] = []) throws -> String {
        try client(
            pod,
            ["curl", "-sk", "--connect-timeout", "1.5", "--max-time", "5", "-w", " %{http_code}"] + options + [url]
        ).output
            .replacing("\r\n", with: "").replacing("\n", with: "")
    }

    /// The status of a gRPC call.
    func call(_ pod: String, _ address: String, _ method: String) throws -> String {
        try client(pod, ["/usr/bin/python3", Self.script, "call", address, method]).output
    }

    /// Whether a handshake with a server name ends well.
    func handshake(_ pod: String, _ address: String, _ name: String?) throws -> Bool {
        let run = try client(
            pod,
            ["timeout", "3", "openssl", "s_client", "-connect", "\(address):443", "-brief"]
                + (name.map { ["-servername", $0] } ?? ["-noservername"]))
        return run.output.contains("CONNECTION ESTABLISHED")
    }
}
