import ArgumentParser
import NetTypes
import PolicyAPI
import PolicyIR

/// Who translates Services, for commands without a node.
struct ServiceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Who translates Services on the nodes: translate (netpold), observe (another component), off (policies see their addresses).",
            valueName: "what"))
    var services = ServiceMode.translate

    @Option(
        help: ArgumentHelp(
            "An address at which a DNS cache of the node listens, for the DNS Service. May be repeated.",
            valueName: "address"))
    var nodeLocalDns: [IPAddress] = []

    /// What nodes do about Services.
    var settings: ServiceSettings {
        var settings = ServiceSettings(mode: services)
        settings.listeners.formUnion(nodeLocalDns)
        return settings
    }

    /// Gives the local node the listeners' addresses.
    func addListeners(to objects: inout ClusterObjects, localNode: String?) {
        guard !nodeLocalDns.isEmpty else { return }
        let name = localNode ?? ClusterView.defaultNode(of: objects)
        if let index = objects.nodes.firstIndex(where: { $0.metadata.name == name }) {
            let known = objects.nodes[index].addresses
            objects.nodes[index].addresses += nodeLocalDns.filter { !known.contains($0) }
        } else {
            objects.nodes.append(Node(metadata: ObjectMeta(name: name), addresses: nodeLocalDns))
        }
    }
}
