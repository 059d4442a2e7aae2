import Foundation
import LabKit

/// The pods of examples/l7 with servers and clients that people use: dnsmasq, nginx, openssl s_server; dig, curl, openssl s_client.
final class RealServers {
    static let tools = ["dnsmasq", "dig", "nginx", "curl", "openssl", "nsenter"]

    /// Which of the tools this machine does not have.
    static var missing: [String] {
        let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        return tools.filter { tool in
            !folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)") }
        }
    }

    private static let example = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "examples/l7")

    let network: PodNetwork
    let agent: RunningAgent
    private var servers: [Process] = []
    private var folder: String { agent.folder }

    /// Builds everything; the servers run, and the agent enforces.
    init() throws {
        func manifest(_ name: String) throws -> String {
            try String(contentsOf: Self.example.appending(path: name), encoding: .utf8)
        }
        let cluster = try manifest("cluster.yaml")
        network = try PodNetwork(cluster, tag: "real\(UInt16.random(in: .min ... .max))")
        agent = try RunningAgent(
            network, manifests: ["cluster.yaml": cluster, "policies.yaml": try manifest("policies.yaml")])
        try startServers()
        try agent.start(["--services", "translate", "--l7-proxy"])
        servers.append(
            try agent.launch(
                ["proxy", "--instance", agent.instance, "--loops", "1", "--access-log", "none"], output: "proxy.log"))
        let state = "/run/netpold/\(agent.instance).proxy.json"
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: state) { usleep(20_000) }
    }

    deinit {
        for server in servers {
            // Test processes may be started with SIGTERM blocked.
            kill(server.processIdentifier, SIGKILL)
            server.waitUntilExit()
        }
    }

    private func startServers() throws {
        try serve(
            in: podPath("dns"),
            [
                "dnsmasq", "--keep-in-foreground", "--no-hosts", "--no-resolv", "--conf-file=/dev/null", "--pid-file=",
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
        try """
        daemon off; master_process off; user root; pid \(folder)/grpc.pid; error_log \(folder)/grpc-error.log;
        events {}
        http {
          access_log off;
          client_body_temp_path \(folder); proxy_temp_path \(folder); fastcgi_temp_path \(folder);
          uwsgi_temp_path \(folder); scgi_temp_path \(folder);
          server {
            listen 50051 http2;
            location / { default_type application/grpc; add_header grpc-status 0; return 200 ""; }
          }
        }
        """.write(toFile: "\(folder)/grpc.conf", atomically: true, encoding: .utf8)
        try serve(in: podPath("inventory"), ["nginx", "-c", "\(folder)/grpc.conf"])
        let outside = NetworkLayout.outsidePath(in: network.folder)
        let made = try run(
            in: outside,
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2",
                "-subj", "/CN=lab", "-keyout", "\(folder)/key.pem", "-out", "\(folder)/cert.pem",
            ])
        guard made.code == 0 else { throw PodNetworkError("no certificate: \(made.output)") }
        for address in ["198.51.100.20", "198.51.100.21", "198.51.100.30"] {
            try serve(
                in: outside,
                [
                    "openssl", "s_server", "-accept", "\(address):443", "-cert", "\(folder)/cert.pem", "-key",
                    "\(folder)/key.pem", "-quiet", "-www",
                ])
        }
        usleep(500_000)
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
        try client(pod, ["curl", "-sk", "--max-time", "3", "-w", " %{http_code}"] + options + [url]).output
            .replacing("\r\n", with: "").replacing("\n", with: "")
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
