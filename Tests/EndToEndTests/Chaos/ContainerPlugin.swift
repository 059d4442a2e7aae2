import Foundation

/// One of the CNI project's reference plugins (Debian: containernetworking-plugins), called as a container runtime does.
struct ContainerPlugin {
    /// What it is configured with.
    let configuration: [String: any Sendable]
    /// The network's name.
    let network: String

    private static let folder = "/usr/lib/cni"

    /// Pods behind one bridge with the node's address on it.
    static func bridge(_ network: String, subnet: String, addresses: String) -> ContainerPlugin {
        ContainerPlugin(
            network: network, type: "bridge", ["bridge": "cni0", "isGateway": true], subnet: subnet, addresses)
    }

    /// Each pod on a link of its own, routed by the node.
    static func pointToPoint(_ network: String, subnet: String, addresses: String) -> ContainerPlugin {
        ContainerPlugin(network: network, type: "ptp", [:], subnet: subnet, addresses)
    }

    private init(
        network: String, type: String, _ more: [String: any Sendable], subnet: String, _ addresses: String
    ) {
        self.network = network
        let range: [String: any Sendable] = ["subnet": subnet]
        let route: [String: any Sendable] = ["dst": "0.0.0.0/0"]
        let addressing: [String: any Sendable] = [
            "type": "host-local", "dataDir": addresses, "ranges": [[range]], "routes": [route],
        ]
        let own: [String: any Sendable] = [
            "cniVersion": "1.0.0", "name": network, "type": type, "ipam": addressing,
        ]
        configuration = own.merging(more) { first, _ in first }
    }

    /// Connects a namespace; returns the result as the plugin printed it.
    func add(container: String, namespace: String, node: String) throws -> [String: Any] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/nsenter")
        process.arguments = ["--net=\(node)", "\(Self.folder)/\(configuration["type"] ?? "")"]
        process.environment = [
            "CNI_COMMAND": "ADD", "CNI_CONTAINERID": container, "CNI_NETNS": namespace, "CNI_IFNAME": "eth0",
            "CNI_PATH": Self.folder, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        ]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        input.fileHandleForWriting.write(try JSONSerialization.data(withJSONObject: configuration))
        try input.fileHandleForWriting.close()
        let answer = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0,
            let result = try JSONSerialization.jsonObject(with: answer) as? [String: Any]
        else { throw PodNetworkError("CNI plugin: \(String(decoding: answer, as: UTF8.self))") }
        return result
    }

    /// What libcni keeps of a result, as containerd has it written.
    func cacheFile(_ result: [String: Any], container: String, namespace: String, pod: ChaosPod) throws -> Data {
        try JSONSerialization.data(withJSONObject: [
            "kind": "cniCacheV1", "containerId": container, "ifName": "eth0", "networkName": network,
            "netns": namespace,
            "cniArgs": [
                ["IgnoreUnknown", "1"], ["K8S_POD_NAMESPACE", pod.namespace], ["K8S_POD_NAME", pod.name],
                ["K8S_POD_INFRA_CONTAINER_ID", container], ["K8S_POD_UID", pod.uid],
            ],
            "result": result,
        ])
    }
}
