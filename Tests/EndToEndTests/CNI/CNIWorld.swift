import Datapath
import Foundation
import Glibc
import NetTypes

/// A node whose pods are made by a chain of CNI plugins that ends in netpold, and a sink on the node that counts what reaches it.
final class CNIWorld {
    /// A pod that was connected.
    struct Pod {
        var name: String
        var container: String
        var path: String
        var namespace: NetworkNamespace
        var result: [String: Any]
        var addresses: [IPAddress]
    }

    let folder: String
    let node: NetworkNamespace
    let agent: AgentProcess
    private var names: [String: String] = [:]

    /// `app: open` may send to the node's UDP port 9000 and be sent to; everybody else is isolated both ways.
    static let policies = """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: closed, namespace: cni}
        spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: open, namespace: cni}
        spec:
          podSelector: {matchLabels: {app: open}}
          policyTypes: [Egress]
          egress: [{ports: [{port: 9000, protocol: UDP}]}]
        """

    init() throws {
        folder = "/run/netpold/cni-\(getpid())-\(UInt16.random(in: .min ... .max))"
        for path in ["\(folder)/pods", "\(folder)/addresses", "\(folder)/cache"] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        node = try NetworkNamespace.create(at: "\(folder)/node")
        try node.run {
            let netlink = try NetlinkSocket()
            try netlink.setUp(netlink.link(named: "lo").index)
        }
        agent = try AgentProcess(
            node: "\(folder)/node", pods: "\(folder)/pods",
            more: ["--cni-cache", "\(folder)/cache", "--unknown", "isolate"],
            cluster: CNIWorld.policies)
    }

    deinit {
        for name in names.keys { try? NetworkNamespace.remove(at: "\(folder)/pods/\(name)") }
        try? NetworkNamespace.remove(at: "\(folder)/node")
        try? FileManager.default.removeItem(atPath: folder)
        try? FileManager.default.removeItem(atPath: "/run/netpold/\(agent.instance).cni")
    }

    /// A chain of plugins whose last is netpold with these options.
    func chain(_ type: String, version: String = "1.0.0", more: [String] = [], _ options: [String: any Sendable] = [:])
        -> PluginChain
    {
        let ranges: [[[String: any Sendable]]] = [[["subnet": "10.9.0.0/16"]], [["subnet": "fd09::/64"]]]
        let routes: [[String: any Sendable]] = [["dst": "0.0.0.0/0"], ["dst": "::/0"]]
        let addressing: [String: any Sendable] = [
            "type": "host-local", "dataDir": "\(folder)/addresses", "ranges": ranges, "routes": routes,
        ]
        var first: [String: any Sendable] = ["type": type, "ipam": addressing]
        if type == "bridge" { first.merge(["bridge": "cni0", "isGateway": true]) { $1 } }
        var plugins = [first]
        for name in more {
            switch name {
            case "portmap": plugins.append(["type": name, "capabilities": ["portMappings": true]])
            case "bandwidth":
                plugins.append(["type": name, "ingressRate": 80_000_000, "ingressBurst": 8_000_000])
            default: plugins.append(["type": name])
            }
        }
        let own: [String: any Sendable] = ["type": "netpold", "instance": agent.instance]
        plugins.append(own.merging(options) { $1 })
        return PluginChain(version: version, network: "pods", plugins: plugins, node: "\(folder)/node")
    }

    /// What a container runtime calls the pod.
    func arguments(_ name: String) -> String {
        "IgnoreUnknown=1;K8S_POD_NAMESPACE=cni;K8S_POD_NAME=\(name);K8S_POD_INFRA_CONTAINER_ID=\(container(name));K8S_POD_UID=\(uid(name))"
    }

    func container(_ name: String) -> String { String(repeating: "c0ffee", count: 9) + name }

    private func uid(_ name: String) -> String { "uid-of-\(name)" }

    /// Writes the Pod objects, as the API server has them while the pods are being made: without addresses.
    func write(pods: [(name: String, app: String)]) throws {
        let text = pods.map { pod in
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: \(pod.name), namespace: cni, uid: \(uid(pod.name)), labels: {app: \(pod.app)}}
            spec: {nodeName: node-1, containers: [{name: main}]}
            status: {phase: Pending}
            """
        }
        try agent.write(text.joined(separator: "\n---\n"), to: "pods.yaml")
    }

    /// Makes a pod's namespace.
    func makeNamespace(_ name: String) throws -> NetworkNamespace {
        let path = "\(folder)/pods/\(name)"
        let namespace = try NetworkNamespace.create(at: path)
        names[name] = path
        try namespace.run {
            let netlink = try NetlinkSocket()
            try netlink.setUp(netlink.link(named: "lo").index)
        }
        return namespace
    }

    /// Makes a pod; returns when the chain has.
    func start(_ name: String, _ chain: PluginChain) throws -> Pod {
        let namespace = try makeNamespace(name)
        let path = "\(folder)/pods/\(name)"
        let result = try chain.add(container(name), namespace: path, arguments: arguments(name))
        let addresses = (result["ips"] as? [[String: Any]] ?? []).compactMap { $0["address"] as? String }
            .compactMap { IPAddress(parsing: $0.prefix { $0 != "/" }) }
        return Pod(
            name: name, container: container(name), path: path, namespace: namespace, result: result,
            addresses: addresses)
    }

    /// Writes what libcni keeps of a result.
    func note(_ pod: Pod, _ chain: PluginChain) throws {
        let arguments = arguments(pod.name).split(separator: ";").map { $0.split(separator: "=").map(String.init) }
        let note: [String: Any] = [
            "kind": "cniCacheV1", "containerId": pod.container, "ifName": "eth0", "networkName": chain.network,
            "netns": pod.path, "cniArgs": arguments, "result": pod.result,
        ]
        let file = "\(folder)/cache/\(chain.network)-\(pod.container)-eth0"
        try JSONSerialization.data(withJSONObject: note).write(to: URL(fileURLWithPath: file), options: .atomic)
    }

    func delete(_ pod: Pod, _ chain: PluginChain) throws {
        try chain.delete(pod.container, namespace: pod.path, arguments: arguments(pod.name), result: pod.result)
        try NetworkNamespace.remove(at: pod.path)
        names[pod.name] = nil
    }

    /// The node's address on the pods' side of a bridge.
    static let gateway = IPAddress(ipv4: 0x0a09_0001)
}
