import NetTypes

extension ClusterObjects {
    /// A warning for each running pod whose address another pod or a node claims too. Such an address has no
    /// owner (`ClusterView.Owner.contested`). And for each node with an address of another one, whose labels count there.
    func addressConflicts() -> [Diagnostic] {
        var nodeNames: [IPAddress: String] = [:]
        var found: [Diagnostic] = []
        for node in nodes.sorted(by: { $0.metadata.name < $1.metadata.name }) {
            for address in node.addresses {
                guard let first = nodeNames[address] else {
                    nodeNames[address] = node.metadata.name
                    continue
                }
                found.append(
                    Diagnostic(
                        id: .contestedAddress, severity: .warning, location: node.metadata.location,
                        path: "status.addresses",
                        message: "\(address) is also an address of node \(first); the labels of \(first) count there",
                        hint: "remove the Node object that is stale"))
            }
        }
        // A hostNetwork pod is its node.
        for pod in pods where pod.hostNetwork && !pod.isFinished {
            for address in pod.addresses where nodeNames[address] == nil {
                nodeNames[address] = pod.nodeName.isEmpty ? pod.qualifiedName : pod.nodeName
            }
        }
        var owners: [IPAddress: String] = [:]
        let consequence = "it belongs to neither, so no rule that selects pods or addresses allows it"
        let running = pods.filter { !$0.hostNetwork && !$0.isFinished }
        // Nearly always none: only their pods are put in order.
        var claimed: Set<IPAddress> = Set(nodeNames.keys)
        var contested: Set<IPAddress> = []
        for pod in running {
            for address in pod.addresses where !claimed.insert(address).inserted { contested.insert(address) }
        }
        let concerned = running.filter { $0.addresses.contains(where: contested.contains) }
        for pod in concerned.sorted(by: { $0.qualifiedName < $1.qualifiedName }) {
            for address in pod.addresses {
                if let owner = owners[address] {
                    found.append(
                        ClusterObjects.conflict(
                            pod, "\(address) is also an address of pod \(owner); \(consequence)"))
                } else {
                    owners[address] = pod.qualifiedName
                    guard let node = nodeNames[address] else { continue }
                    found.append(
                        ClusterObjects.conflict(
                            pod, "\(address) is also an address of node \(node); \(consequence)"))
                }
            }
        }
        return found
    }

    private static func conflict(_ pod: Pod, _ message: String) -> Diagnostic {
        Diagnostic(
            id: .contestedAddress, severity: .warning, location: pod.metadata.location, path: "status.podIPs",
            message: message,
            hint: "remove the stale pod, or set its phase (Succeeded, Failed) or hostNetwork: true")
    }
}
