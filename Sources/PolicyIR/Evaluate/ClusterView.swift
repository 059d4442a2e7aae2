public import NetTypes
public import PolicyAPI

/// Resolves addresses, pods, namespaces and DNS names of a cluster. A lookup without policies.
public struct ClusterView: Sendable {
    /// The owner of an address.
    public enum Owner: Hashable, Sendable {
        /// A pod on the pod network.
        case pod(Pod)
        /// The node of this name.
        case node(String)
        /// Outside the cluster.
        case outside
        /// None, because several pods, or a pod and a node, claim it.
        case contested
    }

    /// The name of the local node: `host` in flows, and the node of pods without `nodeName`.
    public let localNode: String
    private let podsByName: [String: Pod]
    private let namespaceLabels: [String: [String: String]]
    private let owners: [IPAddress: Owner]
    private let nodeAddresses: [String: [IPAddress]]
    private let nodeLabels: [String: [String: String]]
    private let namesByAddress: [IPAddress: Set<String>]
    private let apiServers: Set<IPAddress>
    private let localNetworks: [IPPrefix]

    /// A view of these objects. The local node is `localNode`, else `defaultNode(of:)`.
    public init(_ objects: ClusterObjects, localNode: String? = nil) {
        let local = localNode ?? ClusterView.defaultNode(of: objects)

        var pods: [String: Pod] = [:]
        var owners: [IPAddress: Owner] = [:]
        var nodeAddresses: [String: [IPAddress]] = [:]
        // By name, so that the order of the input does not matter where two objects claim one address.
        for node in objects.nodes.sorted(by: { $0.metadata.name < $1.metadata.name }) {
            for address in node.addresses where owners[address] == nil {
                owners[address] = .node(node.metadata.name)
                nodeAddresses[node.metadata.name, default: []].append(address)
            }
        }
        let sorted = objects.pods.sorted { $0.qualifiedName < $1.qualifiedName }
        for pod in sorted {
            pods[pod.qualifiedName] = pods[pod.qualifiedName] ?? pod
            // A hostNetwork pod is its node; "a Succeeded or Failed pod owns no address".
            guard pod.hostNetwork, !pod.isFinished else { continue }
            let node = pod.nodeName.isEmpty ? local : pod.nodeName
            for address in pod.addresses where owners[address] == nil {
                owners[address] = .node(node)
                nodeAddresses[node, default: []].append(address)
            }
        }
        for pod in sorted where !pod.hostNetwork && !pod.isFinished {
            // A pod may be given twice; with another pod or a node of the same address the sender is unknown.
            for address in pod.addresses {
                if case .pod(let other)? = owners[address], other.qualifiedName == pod.qualifiedName { continue }
                owners[address] = owners[address] == nil ? .pod(pod) : .contested
            }
        }

        var namesByAddress: [IPAddress: Set<String>] = [:]
        for (name, addresses) in objects.names {
            for address in addresses { namesByAddress[address, default: []].insert(name) }
        }

        self.localNode = local
        self.podsByName = pods
        self.owners = owners
        self.nodeAddresses = nodeAddresses
        self.nodeLabels = Dictionary(
            objects.nodes.map { ($0.metadata.name, $0.metadata.labels) }, uniquingKeysWith: { first, _ in first })
        self.namesByAddress = namesByAddress
        self.localNetworks = objects.localNetworks
        self.apiServers = Set(objects.endpointSlices.flatMap(\.apiServerAddresses))
        self.namespaceLabels = Dictionary(
            objects.namespaces.map { ($0.metadata.name, $0.metadata.labels) }, uniquingKeysWith: { first, _ in first })
    }

    /// The default local node: `node-1`, or, where objects name nodes but not that one, the first of their names.
    public static func defaultNode(of objects: ClusterObjects) -> String {
        let names = Set(objects.nodes.map(\.metadata.name) + objects.pods.map(\.nodeName)).filter { !$0.isEmpty }
        return names.contains("node-1") ? "node-1" : names.min() ?? "node-1"
    }

    /// The pod of this namespace and name.
    public func pod(_ namespace: String, _ name: String) -> Pod? { podsByName["\(namespace)/\(name)"] }

    /// The labels of a namespace; an undeclared one has its name label.
    public func labels(ofNamespace name: String) -> [String: String] {
        namespaceLabels[name] ?? ["kubernetes.io/metadata.name": name]
    }

    /// The owner of an address. One that several running pods, or a pod and a node, claim belongs to none of them.
    public func owner(of address: IPAddress) -> Owner { owners[address] ?? .outside }

    /// The addresses that DNS answers have given for a name.
    func addresses(named name: String) -> Set<IPAddress> {
        Set(namesByAddress.lazy.filter { $0.value.contains(name) }.map(\.key))
    }

    /// The node that a pod runs on.
    public func node(of pod: Pod) -> String { pod.nodeName.isEmpty ? localNode : pod.nodeName }

    /// The labels by which Cilium policies see a pod.
    public func ciliumLabels(of pod: Pod) -> CiliumLabels {
        CiliumLabels(pod: pod, namespaceLabels: labels(ofNamespace: pod.metadata.namespace))
    }

    /// The labels by which host policies select a node: "node labels are matched as `k8s:` labels of the host endpoint after
    /// the identity label filter".
    public func hostLabels(ofNode name: String?) -> CiliumLabels {
        CiliumLabels(host: name.flatMap { nodeLabels[$0] } ?? [:], reserved: reservedLabels(ofHost: name))
    }

    /// A pod as a remote end, at one of its addresses.
    public func remoteEnd(pod: Pod, address: IPAddress?) -> RemoteEnd {
        RemoteEnd(
            kind: .pod(pod), address: address, namespaceLabels: labels(ofNamespace: pod.metadata.namespace),
            labels: ciliumLabels(of: pod))
    }

    /// A node as a remote end, seen from a pod on the node `observer`. `name` is `nil` for some node other than `observer`.
    public func remoteEnd(node name: String?, address: IPAddress?, seenFrom observer: String) -> RemoteEnd {
        let isHost = name == observer
        let reserved = isHost ? reservedLabels(ofHost: name) : reservedLabels(ofOtherNodeAt: address)
        // The labels of "some other node" and of nodes without a Node object are unknown.
        let labels = name.flatMap { nodeLabels[$0] } ?? [:]
        return RemoteEnd(
            kind: isHost ? .host : .remoteNode, address: address, labels: CiliumLabels(reserved: reserved),
            nodeLabels: CiliumLabels(node: labels, reserved: reserved))
    }

    /// "kube-apiserver: on the local host": an added label, whichever of its addresses is used.
    private func reservedLabels(ofHost name: String?) -> Set<String> {
        let addresses = name.flatMap { nodeAddresses[$0] } ?? []
        return addresses.contains(where: apiServers.contains) ? ["host", "kube-apiserver"] : ["host"]
    }

    /// "kube-apiserver: on a remote node": an added label of the addresses that it has, and of no others of the node.
    private func reservedLabels(ofOtherNodeAt address: IPAddress?) -> Set<String> {
        address.map { apiServers.contains($0) } == true ? ["remote-node", "kube-apiserver"] : ["remote-node"]
    }

    /// The owner of an address as a remote end, seen from a pod on the node `observer` (default: the local node).
    public func remoteEnd(address: IPAddress, seenFrom observer: String? = nil) -> RemoteEnd {
        switch owner(of: address) {
        case .pod(let pod): return remoteEnd(pod: pod, address: address)
        case .node(let name): return remoteEnd(node: name, address: address, seenFrom: observer ?? localNode)
        case .outside:
            // An external address has the world label and that of its family, so that dual stack and single stack need no
            // distinction.
            var reserved: Set<String> = ["world", address.isIPv4 ? "world-ipv4" : "world-ipv6"]
            if apiServers.contains(address) { reserved.insert("kube-apiserver") }
            var end = RemoteEnd(
                kind: .outside, address: address, labels: CiliumLabels(reserved: reserved),
                names: namesByAddress[address] ?? [])
            let observer = observer ?? localNode
            if isAnswered(address, byNode: observer) {
                end.others = [remoteEnd(node: observer, address: nil, seenFrom: observer)]
            } else if address.isLinkLocal {
                // On its link it may be anybody's, a pod's too.
                end.others = [RemoteEnd(kind: .contested, address: address, labels: CiliumLabels(reserved: []))]
            }
            return end
        case .contested:
            return RemoteEnd(kind: .contested, address: address, labels: CiliumLabels(reserved: []))
        }
    }

    /// Somebody unknown behind an address of the pod's node, which has forwarded his packet under its own address.
    public func remoteEnd(masqueradedAs address: IPAddress) -> RemoteEnd {
        var end = RemoteEnd(
            kind: .outside, address: address,
            labels: CiliumLabels(reserved: ["world", address.isIPv4 ? "world-ipv4" : "world-ipv6"]))
        end.isMasqueraded = true
        return end
    }

    /// Whether a node's stack takes what a pod of it sends to an address that is nobody's: a group of any scope, broadcast,
    /// or an address that comes with the networks of the node's interfaces, which are known of the local node.
    private func isAnswered(_ address: IPAddress, byNode node: String) -> Bool {
        if address.isGroup { return true }
        return node == localNode
            && localNetworks.contains { network in
                guard network.mappedLength <= 126, network.contains(address) else { return false }
                // The last address of an IPv4 network is its broadcast, the first of an IPv6 one that of its routers.
                guard let ipv4 = address.ipv4 else { return address == network.address }
                return ~ipv4 << UInt32(network.length) == 0
            }
    }

    /// An address of a node of one family, if any is known.
    public func address(ofNode name: String, isIPv4: Bool) -> IPAddress? {
        nodeAddresses[name]?.first { $0.isIPv4 == isIPv4 }
    }
}

extension IPAddress {
    /// Whether many listen to it: a multicast group of any scope, or 255.255.255.255.
    fileprivate var isGroup: Bool { ipv4.map { $0 == .max || $0 >> 28 == 0xe } ?? (high >> 56 == 0xff) }

    /// Whether it is a link-local address of IPv6. Those of IPv4 are no other pod's: nothing answers there for a pod but what its
    /// node routes, as a cloud's metadata.
    var isLinkLocal: Bool { high >> 54 == 0xfe80 >> 6 }
}
