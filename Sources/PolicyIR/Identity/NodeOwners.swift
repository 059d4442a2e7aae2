import NetTypes

/// Which node each address of a node is of: addresses of Node objects first (of two nodes the one whose name comes first),
/// then those of hostNetwork pods (of two the one whose name comes first).
struct NodeOwners: Sendable {
    /// A hostNetwork pod and the node it is on.
    private struct HostPod: Sendable {
        var name: String
        var node: String
    }

    /// Who says an address is theirs, both lists sorted by name.
    private struct Claims: Sendable {
        var nodes: [String] = []
        var pods: [HostPod] = []
    }

    private var claims: [IPAddress: Claims] = [:]
    private var nodes: [String: [IPAddress]] = [:]
    private var pods: [String: (node: String, addresses: [IPAddress])] = [:]
    /// Addresses about which something has changed since somebody asked.
    private var touched: Set<IPAddress> = []

    /// Nobody owns anything.
    init() {}

    /// The name of the node that an address is of.
    func owner(of address: IPAddress) -> String? {
        guard let claim = claims[address] else { return nil }
        return claim.nodes.first ?? claim.pods.first?.node
    }

    /// The addresses of some nodes. O(addresses of all nodes).
    func addresses(of owners: Set<String>) -> [IPAddress] {
        claims.keys.filter { address in owner(of: address).map(owners.contains) ?? false }
    }

    /// The addresses of a Node object; `nil`: there is no such object.
    mutating func set(node name: String, addresses: [IPAddress]?) {
        for address in nodes[name] ?? [] {
            change(address) { $0.nodes.removeAll { $0 == name } }
        }
        nodes[name] = addresses
        for address in addresses ?? [] {
            change(address) { claim in
                guard !claim.nodes.contains(name) else { return }
                claim.nodes.insert(name, at: claim.nodes.firstIndex { $0 > name } ?? claim.nodes.count)
            }
        }
    }

    /// The addresses of a hostNetwork pod and the node it is on; `nil`: there is no such pod.
    mutating func set(pod name: String, _ place: (node: String, addresses: [IPAddress])?) {
        for address in pods[name]?.addresses ?? [] {
            change(address) { $0.pods.removeAll { $0.name == name } }
        }
        pods[name] = place
        guard let place else { return }
        for address in place.addresses {
            change(address) { claim in
                guard !claim.pods.contains(where: { $0.name == name }) else { return }
                claim.pods.insert(
                    HostPod(name: name, node: place.node),
                    at: claim.pods.firstIndex { $0.name > name } ?? claim.pods.count)
            }
        }
    }

    /// The addresses about which something has changed since the last call.
    mutating func takeTouched() -> Set<IPAddress> {
        defer { touched = [] }
        return touched
    }

    private mutating func change(_ address: IPAddress, _ change: (inout Claims) -> Void) {
        touched.insert(address)
        change(&claims[address, default: Claims()])
        if let claim = claims[address], claim.nodes.isEmpty, claim.pods.isEmpty { claims[address] = nil }
    }
}
