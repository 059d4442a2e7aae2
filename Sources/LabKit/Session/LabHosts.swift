import PolicyAPI

/// The names of a lab's pods and Services, as /etc/hosts has them in its pods.
struct LabHosts {
    /// A Service and its cluster IPs.
    struct Entry: Codable, Hashable {
        var namespace: String
        var name: String
        var addresses: [String]
    }

    /// The Services of objects that have cluster IPs.
    static func services(of objects: ClusterObjects) -> [Entry] {
        objects.services.filter { !$0.clusterIPs.isEmpty }.map {
            Entry(
                namespace: $0.metadata.namespace, name: $0.metadata.name, addresses: $0.clusterIPs.map(\.description))
        }.sorted { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
    }

    /// The text for somebody in a namespace: its own names come without one, too. Services before pods, as DNS knows Services alone.
    static func text(_ state: LabState, namespace: String) -> String {
        var lines = ["127.0.0.1 localhost", "::1 localhost"]
        var taken: Set<String> = []
        func add(_ addresses: [String], _ names: [String]) {
            let new = names.filter { !taken.contains($0) }
            taken.formUnion(new)
            for address in addresses where !new.isEmpty { lines.append("\(address) \(new.joined(separator: " "))") }
        }
        for service in state.services ?? [] {
            let full = "\(service.name).\(service.namespace)"
            add(
                service.addresses,
                (service.namespace == namespace ? [service.name] : [])
                    + [full, "\(full).svc", "\(full).svc.cluster.local"])
        }
        for pod in state.pods {
            add(pod.addresses, (pod.namespace == namespace ? [pod.name] : []) + ["\(pod.name).\(pod.namespace)"])
        }
        for node in state.nodes { add(node.addresses, [node.name]) }
        for (name, addresses) in (state.names ?? [:]).sorted(by: { $0.key < $1.key }) { add(addresses, [name]) }
        return lines.map { "\($0)\n" }.joined()
    }
}
