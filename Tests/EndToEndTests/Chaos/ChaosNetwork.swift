import Datapath
import Foundation
import Glibc
import NetTypes

/// A node namespace and pods that the CNI project's plugins have connected: half of them behind a bridge, half on links of
/// their own.
final class ChaosNetwork {
    let folder: String
    let node: NetworkNamespace
    private(set) var pods: [ChaosPod] = []
    private var namespaces: [String: NetworkNamespace] = [:]

    /// Builds `count` pods, in these namespaces by turns.
    init(pods count: Int, in podNamespaces: [String] = ["chaos"]) throws {
        folder = "/run/netpold/chaos-\(getpid())-\(UInt16.random(in: .min ... .max))"
        for path in [folder, folder + "/pods", folder + "/cni", folder + "/addresses"] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        node = try NetworkNamespace.create(at: folder + "/node")
        try node.run {
            let netlink = try NetlinkSocket()
            try netlink.setUp(netlink.link(named: "lo").index)
        }
        let bridge = ContainerPlugin.bridge("bridge", subnet: "10.244.1.0/24", addresses: folder + "/addresses")
        let links = ContainerPlugin.pointToPoint("links", subnet: "10.244.2.0/24", addresses: folder + "/addresses")
        for number in 0..<count {
            try add(
                "pod-\(number)", in: podNamespaces[number / 2 % podNamespaces.count],
                app: ["red", "green", "blue"][number % 3], number % 2 == 0 ? bridge : links)
        }
    }

    deinit {
        for name in namespaces.keys { try? NetworkNamespace.remove(at: "\(folder)/pods/\(name)") }
        try? NetworkNamespace.remove(at: folder + "/node")
        try? FileManager.default.removeItem(atPath: folder)
    }

    var nodePath: String { folder + "/node" }
    var podsFolder: String { folder + "/pods" }
    var cacheFolder: String { folder + "/cni" }

    func namespace(_ pod: String) throws -> NetworkNamespace {
        guard let namespace = namespaces[pod] else { throw PodNetworkError("no pod \(pod)") }
        return namespace
    }

    private func add(_ name: String, in namespace: String, app: String, _ plugin: ContainerPlugin) throws {
        let path = "\(folder)/pods/\(name)"
        namespaces[name] = try NetworkNamespace.create(at: path)
        let container = String(repeating: "c0ffee", count: 9) + name
        let result = try plugin.add(container: container, namespace: path, node: nodePath)
        guard let ip = (result["ips"] as? [[String: Any]])?.first?["address"] as? String,
            let address = IPAddress(parsing: ip.prefix { $0 != "/" })
        else { throw PodNetworkError("no address for \(name)") }
        let pod = ChaosPod(namespace: namespace, name: name, app: app, address: address)
        pods.append(pod)
        try plugin.cacheFile(result, container: container, namespace: path, pod: pod)
            .write(to: URL(fileURLWithPath: "\(cacheFolder)/\(plugin.network)-\(container)-eth0"))
    }
}
