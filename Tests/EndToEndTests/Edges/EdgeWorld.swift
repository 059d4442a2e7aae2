import Agent
import Datapath
import Foundation
import LabKit
import NetTypes

/// Three pods behind veths of a node and an agent over them. A policy lets `client` reach TCP 8001 of every pod, and nobody
/// anything else; the pods serve it.
final class EdgeWorld {
    static let policy = """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: closed, namespace: lab}
        spec:
          podSelector: {}
          policyTypes: [Ingress]
          ingress:
          - from: [{podSelector: {matchLabels: {app: client}}}]
            ports: [{port: 8001}]
        """

    static let names = ["server", "client", "spy"]

    /// A pod's manifest.
    static func pod(_ name: String, _ addresses: String..., uid: String? = nil, node: String = "node-1") -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: \(name), namespace: lab, uid: \(uid ?? uids[name] ?? "uid-of-\(name)"), labels: {app: \(name)}}
        spec: {nodeName: \(node), containers: [{name: main}]}
        status: {phase: Running, podIPs: [\(addresses.map { "{ip: \($0)}" }.joined(separator: ", "))]}
        """
    }

    static let server = pod("server", "10.244.7.10", "fd00:7::10")
    static let client = pod("client", "10.244.7.11", "fd00:7::11")
    static let spy = pod("spy", "10.244.7.12")
    static let uids = [
        "server": "00000000-0000-4000-8000-000000000010", "client": "00000000-0000-4000-8000-000000000011",
        "spy": "00000000-0000-4000-8000-000000000012",
    ]

    let network: PodNetwork
    let agent: RunningAgent
    private let loop: EventLoop
    private var responders: [Responder] = []

    /// Builds everything but starts no agent. `pods` are the Pod objects that it is to read.
    init(pods: [String] = [server, client, spy]) throws {
        let all = [EdgeWorld.server, EdgeWorld.client, EdgeWorld.spy].joined(separator: "\n---\n")
        network = try PodNetwork(all, tag: "edge\(UInt16.random(in: .min ... .max))")
        agent = try RunningAgent(network, manifests: ["policy.yaml": EdgeWorld.policy])
        loop = try EventLoop()
        try write(pods: pods)
        for name in EdgeWorld.names { try serve(in: network.namespace(name)) }
    }

    /// The Pod objects from now on.
    func write(pods: [String]) throws { try agent.write("pods.yaml", pods.joined(separator: "\n---\n")) }

    /// Serves TCP 8001 on every address of a namespace.
    func serve(in namespace: NetworkNamespace) throws {
        let every = [IPAddress(ipv4: 0), IPAddress(high: 0, low: 0)]
        responders.append(
            try Responder(
                name: "pod", in: namespace, ports: every.map { .init(address: $0, protocol: .tcp, port: 8001) },
                loop: loop))
    }

    /// Whether TCP 8001 of `destination` answers who asks from an address of a namespace.
    func reaches(_ namespace: NetworkNamespace, from source: String, to destination: String) throws -> Bool {
        let (source, destination) = (try address(source), try address(destination))
        let probe = Probe(
            namespace: namespace, source: source, destination: destination, protocol: .tcp, port: 8001, retries: 0)
        return try Prober(loop: loop).run([probe]) == [.answered(by: "pod")]
    }

    /// The pairs of pods that reach each other, as `client>server`.
    func pairs(_ names: [String] = names) throws -> Set<String> {
        var found: Set<String> = []
        for from in names {
            for to in names where to != from {
                let isThrough = try reaches(
                    network.namespace(from), from: network.address(from).description,
                    to: network.address(to).description)
                if isThrough { found.insert("\(from)>\(to)") }
            }
        }
        return found
    }

    /// What the policy says of the three pods.
    static let allowed: Set = ["client>server", "client>spy"]

    /// What a pod needs on its interface to send by the node's interface `link`: the kernel forgets it with the last address.
    func routes(over link: String) throws -> [String] {
        let gateway = try network.routed.node.run { try NetlinkSocket().link(named: link).mac }
        return [
            "neigh replace 169.254.1.1 lladdr \(gateway) dev eth0", "route replace 169.254.1.1 dev eth0",
            "route replace default via 169.254.1.1 dev eth0",
        ]
    }

    /// The rows of `netpold endpoints` without their revisions, which count what changed meanwhile.
    func endpoints() throws -> [String: EndpointReport] {
        try agent.endpoints().mapValues { row in
            var row = row
            row.revision = nil
            return row
        }
    }

    /// Runs `ip` in a pod, as whoever is root there may.
    func ip(in pod: String, _ commands: String...) throws { try ip(in: pod, commands) }

    /// As above.
    func ip(in pod: String, _ commands: [String]) throws {
        for command in commands { try run("/usr/sbin/ip", command, in: "\(network.podsFolder)/\(pod)") }
    }

    /// Runs `ip` on the node.
    func ip(_ commands: String...) throws {
        for command in commands { try run("/usr/sbin/ip", command, in: network.nodePath) }
    }

    private func run(_ program: String, _ arguments: String, in namespace: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/nsenter")
        process.arguments = ["--net=\(namespace)", program] + arguments.split(separator: " ").map(String.init)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw PodNetworkError("\(program) \(arguments) failed") }
    }

    private func address(_ text: String) throws -> IPAddress {
        guard let address = IPAddress(parsing: text) else { throw PodNetworkError("no address: \(text)") }
        return address
    }
}
