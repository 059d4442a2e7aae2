import Foundation

/// What libcni writes down for each interface that it has made.
extension EdgeWorld {
    /// The folder of the notes, which the agent is told of.
    var cache: String { "\(agent.folder)/cni" }

    /// A note of a pod's interface, as containerd and libcni 1.x write it.
    func note(_ pod: String, interface: String, _ address: String) throws {
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        let netns = "\(network.podsFolder)/\(pod)"
        let text = """
            {"kind":"cniCacheV1","containerId":"\(Self.container(pod))","config":"eyJjbmlWZXJzaW9uIjoiMS4wLjAifQ==",
             "ifName":"eth0","networkName":"k8s-pod-network","netns":"\(netns)",
             "cniArgs":[["IgnoreUnknown","1"],["K8S_POD_NAMESPACE","lab"],["K8S_POD_NAME","\(pod)"],
                        ["K8S_POD_INFRA_CONTAINER_ID","\(Self.container(pod))"],
                        ["K8S_POD_UID","\(Self.uids[pod] ?? "")"]],
             "capabilityArgs":{"dns":{"Servers":["10.96.0.10"]}},
             "result":{"cniVersion":"1.0.0",
                       "interfaces":[{"name":"\(interface)"},{"name":"eth0","sandbox":"\(netns)"}],
                       "ips":[{"interface":1,"address":"\(address)/32","gateway":"169.254.1.1"}],
                       "routes":[{"dst":"0.0.0.0/0"}],"dns":{}}}
            """
        try text.write(toFile: file(pod), atomically: true, encoding: .utf8)
    }

    /// The note is gone.
    func forget(_ pod: String) throws { try FileManager.default.removeItem(atPath: file(pod)) }

    private func file(_ pod: String) -> String { "\(cache)/k8s-pod-network-\(Self.container(pod))-eth0" }

    private static func container(_ pod: String) -> String {
        let digits = pod.utf8.map { String($0, radix: 16) }.joined()
        return String((digits + String(repeating: "0", count: 64)).prefix(64))
    }
}
