import Agent
import BPFEmit
import Datapath
import Foundation
import Glibc
import NetTypes
import Testing

@testable import netpold

/// Two pods, `a` and `b`, of an `EdgeNode` with a place for the L7 proxy, and the outside: HTTP servers at `b` and outside, clients at
/// `a` and outside, and a stand-in for the proxy (l7.py), which lets requests for /api/ pass.
final class L7World {
    /// Who has L7 rules.
    enum Setting: String, CaseIterable {
        case egress, ingress, both
        var isEgress: Bool { self != .ingress }
        var isIngress: Bool { self != .egress }
    }

    /// A way that connections go.
    enum Way: String, CaseIterable {
        case podToPod, podToOutside, outsideToPod
        var client: String { self == .outsideToPod ? "outside" : "a" }
        var server: String { self == .podToOutside ? "outside" : "b" }
    }

    /// What comes of a command of the client.
    struct Answer: Decodable, CustomStringConvertible {
        var body: String?
        var length: Int?
        var error: String?
        var after: Double?

        var description: String { error.map { "\($0) after \(after ?? 0) s" } ?? body ?? "\(length ?? 0) bytes" }
    }

    static let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "l7.py").path()
    static var canRun: Bool { EdgeNode.canBuild && access("/usr/bin/python3", X_OK) == 0 && access(script, R_OK) == 0 }

    let edge: EdgeNode
    let place: ProxyPlace
    private let pins: PinPath
    private var relay: ScriptProcess?
    private var proxy: ChildProcess?
    private var proxyFiles: [String] = []
    /// Whether the proxy is netpold's, which leaves requests as they are.
    private var isReal = false
    private var servers: [ScriptProcess] = []
    private var clients: [String: ScriptProcess] = [:]

    init(_ topology: EdgeNode.Topology, _ attachment: AttachmentStyle = .automatic, reversePathFilter: Int = 0) throws {
        edge = try EdgeNode(topology, pods: ["a", "b"])
        let instance = "l7-\(getpid())-\(UInt16.random(in: .min ... .max))"
        pins = try PinPath(instance: instance)
        place = ProxyPlace(instance: instance)
        edge.options = DatapathOptions(pins: pins, attachment: attachment, flowSets: 1 << 14)
        edge.options.proxy = place
        edge.options.services = .translate
        for link in ["all", "default"] {
            try edge.set(edge.node, "ipv4/conf/\(link)/rp_filter", "\(reversePathFilter)")
        }
        for namespace in [edge.outside, try edge.pod("a"), try edge.pod("b")] {
            try edge.set(namespace, "core/somaxconn", "8192")
            try edge.set(namespace, "ipv4/tcp_max_syn_backlog", "8192")
            try edge.set(namespace, "ipv4/ip_local_port_range", "10000 65000")
            try edge.set(namespace, "ipv4/tcp_tw_reuse", "1")
        }
        servers = [
            try ScriptProcess(["server", "80"], in: edge.outside.path),
            try ScriptProcess(["server", "80"], in: try edge.pod("b").path),
            try ScriptProcess(["server", "80"], in: edge.node.path),
        ]
        for server in servers { try server.waitUntilReady() }
        clients = [
            "a": try ScriptProcess(["client"], in: try edge.pod("a").path),
            "outside": try ScriptProcess(["client"], in: edge.outside.path),
        ]
    }

    deinit {
        relay?.end(SIGKILL)
        proxy?.signal(SIGKILL)
        proxy?.waitUntilExit()
        for file in proxyFiles { unlink(file) }
        for child in servers + Array(clients.values) { child.end(SIGKILL) }
        if let datapath = edge.datapath {
            try? edge.node.run { try datapath.detach() }
        } else {
            try? edge.node.run { try NodeDatapath.remove(pins) }
        }
        edge.restart()
    }

    func address(_ end: String, v6: Bool) -> IPAddress {
        switch end {
        case "outside": EdgeNode.address(2, v6: v6, network: 8)
        case "node": EdgeNode.address(1, v6: v6, network: 8)
        default: edge.address(end, v6: v6)
        }
    }

    // MARK: policies and the proxy

    static func policy(_ setting: Setting) -> String {
        let ports = """
            toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{path: "/api/.*"}]}}]
            """
        var policies: [String] = []
        if setting.isEgress {
            policies.append(
                """
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: egress, namespace: edge}
                spec: {endpointSelector: {matchLabels: {app: a}}, egress: [{toEntities: [all], \(ports)}]}
                """)
        }
        if setting.isIngress {
            policies.append(
                """
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: ingress, namespace: edge}
                spec: {endpointSelector: {matchLabels: {app: b}}, ingress: [{fromEntities: [all], \(ports)}]}
                """)
        }
        return policies.joined(separator: "\n---\n")
    }

    private static let services = services("web", port: 8000, target: 80)

    /// A Service of each server, that of `b` at 10.96.0.1 and fd96::1, that of the outside at .2.
    static func services(_ port: String, port number: Int, target: Int) -> String {
        [("b", 1), ("outside", 2)].map { service(of: $0, $1, port, number, target) }.joined(separator: "\n---\n")
    }

    private static func service(of name: String, _ number: Int, _ port: String, _ from: Int, _ to: Int) -> String {
        let slices = [false, true].map { v6 in
            let address = name == "b" ? EdgeNode.address(3, v6: v6) : EdgeNode.address(2, v6: v6, network: 8)
            return """
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: \(name)-\(v6 ? 6 : 4), namespace: edge, labels: {kubernetes.io/service-name: \(name)}}
                addressType: IPv\(v6 ? 6 : 4)
                ports: [{name: \(port), port: \(to), protocol: TCP}]
                endpoints: [{addresses: ["\(address)"]}]
                """
        }
        let service = """
            apiVersion: v1
            kind: Service
            metadata: {name: \(name), namespace: edge}
            spec:
              clusterIP: 10.96.0.\(number)
              clusterIPs: [10.96.0.\(number), "fd96::\(number)"]
              ports: [{name: \(port), port: \(from), targetPort: \(to)}]
            """
        return ([service] + slices).joined(separator: "\n---\n")
    }

    /// The Service of a server.
    static func service(of server: String, v6: Bool) -> IPAddress {
        let number = server == "b" ? 1 : 2
        return v6 ? IPAddress(high: 0xfd96 << 48, low: UInt64(number)) : IPAddress(ipv4: 0x0a60_0000 | UInt32(number))
    }

    func apply(_ setting: Setting) throws { try apply(Self.policy(setting)) }

    func apply(_ policies: String) throws { try edge.apply("\(policies)\n---\n\(Self.services)") }

    /// Starts the stand-in in the proxy's namespace; once something was applied.
    func startRelay() throws {
        let child = try ScriptProcess(["relay", pins.folder], in: place.namespace)
        relay = child
        try child.waitUntilReady()
    }

    /// Starts `netpold proxy` with rules that let requests for /api/ pass, by whatever number policies and rules go. With
    /// `making` that makes its place: once it says that it waits for that.
    func startProxy(before making: (() throws -> Void)? = nil) throws {
        let files = "\(FileManager.default.temporaryDirectory.path())/\(place.instance)"
        let element: [String: Any] = [
            "method": "", "path": "/api/.*", "host": "", "headers": [String](), "headerMatches": [String](),
            "origin": ["kind": "CiliumNetworkPolicy", "namespace": "edge", "name": "l7", "path": "spec"],
        ]
        let rules: [[String: Any]] = (0..<4).map { ["number": $0, "http": [element]] }
        let policies: [[String: Any]] = (1..<500).map { ["id": $0, "direction": "egress", "rules": rules] }
        let snapshot: [String: Any] = [
            "format": "netpold-proxy-rules", "version": 1, "revision": 1, "policies": policies,
        ]
        try JSONSerialization.data(withJSONObject: snapshot).write(to: URL(filePath: "\(files).rules.json"))
        try launchProxy(rules: "\(files).rules.json", state: "\(files).state", before: making)
    }

    /// Whether `netpold proxy --probe` says that it serves.
    func proxyServes() throws -> Bool {
        let state = try #require(proxyFiles.first { $0.hasSuffix(".state") })
        return try BuiltNetpold.run(["proxy", "--probe", "--state-file", state]).code == 0
    }

    /// Starts `netpold proxy`, which from the next change of policies on has the rules that the datapath tells of, as the agent writes
    /// them.
    func startProxyOfAgent() throws {
        guard let paths = InstancePaths(instance: place.instance), let datapath = edge.datapath else {
            throw PodNetworkError("nothing was applied")
        }
        let writer = RuleSnapshotWriter(paths) { problem in print(problem) }
        datapath.onRules = { writer.write($0, $1) }
        try launchProxy(rules: paths.proxyRules, state: paths.proxyState)
    }

    /// What the proxy says of each request.
    var accessLog: String { "\(FileManager.default.temporaryDirectory.path())/\(place.instance).access.log" }

    private func launchProxy(rules: String, state: String, before making: (() throws -> Void)? = nil) throws {
        let log = "\(FileManager.default.temporaryDirectory.path())/\(place.instance).proxy.log"
        proxyFiles += [rules, state, log, accessLog]
        let process = try ChildProcess(
            "/usr/bin/nsenter",
            [
                "--net=\(edge.node.path)", RunningAgent.executable.path(), "proxy", "--instance", place.instance,
                "--rules", rules, "--state-file", state, "--access-log", accessLog, "--loops", "2",
            ], output: log)
        proxy = process
        isReal = true
        if let making {
            func says() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
            for _ in 0..<500 where process.isRunning && !says().contains("waiting for \(place.namespace)") {
                usleep(20_000)
            }
            #expect(says().contains("waiting for \(place.namespace)"))
            #expect(try !proxyServes())
            try making()
        }
        for _ in 0..<500 where process.isRunning && access(state, F_OK) != 0 { usleep(20_000) }
        guard access(state, F_OK) == 0 else { throw PodNetworkError("no proxy") }
    }

    func endRelay(_ signal: Int32 = SIGKILL) {
        relay?.end(signal)
        relay = nil
    }

    /// As `netpold detach`, once the agent has ended.
    func detach() throws {
        edge.restart()
        try edge.node.run { try NodeDatapath.remove(pins) }
    }

    // MARK: requests

    func ask(_ end: String, _ command: [String: Any]) throws -> Answer {
        guard let client = clients[end] else { throw PodNetworkError("no client \(end)") }
        return try JSONDecoder().decode(Answer.self, from: client.ask(command))
    }

    func count(_ end: String, _ command: [String: Any]) throws -> [String: Int] {
        guard let client = clients[end] else { throw PodNetworkError("no client \(end)") }
        return try JSONDecoder().decode([String: Int].self, from: client.ask(command))
    }

    /// A request on a connection of its own.
    func ask(_ way: Way, v6: Bool, _ path: String, _ more: [String: Any] = [:]) throws -> Answer {
        try ask(way.client, ["to": "\(address(way.server, v6: v6))", "path": path].merging(more) { $1 })
    }

    /// What is to come of a request.
    func expected(_ setting: Setting, _ way: Way, v6: Bool, _ path: String) -> String {
        let isProxied = setting.isEgress && way.client == "a" || setting.isIngress && way.server == "b"
        if isProxied, !path.hasPrefix("/api/") { return "Access denied\r\n" }
        return "\(address(way.client, v6: v6)) \(path) proxied=\(isProxied && !isReal ? 1 : 0)"
    }

    /// The failures of the matrix of one setting: every way, both families, a request that is allowed and one that is not.
    ///
    /// - Parameters:
    ///   - setting: whose policies are in force.
    ///   - throughService: pods ask the Services of the servers.
    /// - Returns: those whose answer is not what it should be.
    /// - Throws: when a client has ended.
    func failures(_ setting: Setting, throughService: Bool = false) throws -> [String] {
        var failures: [String] = []
        for way in Way.allCases {
            for v6 in [false, true] {
                for path in ["/api/users/1", "/who"] {
                    var more: [String: Any] = [:]
                    if throughService, way.client == "a" {
                        more = ["to": "\(Self.service(of: way.server, v6: v6))", "port": 8000]
                    }
                    let answer = try ask(way, v6: v6, path, more)
                    guard answer.body != expected(setting, way, v6: v6, path) else { continue }
                    failures.append("\(setting) \(way) \(v6 ? "v6" : "v4") \(path): \(answer)")
                }
            }
        }
        return failures
    }
}
