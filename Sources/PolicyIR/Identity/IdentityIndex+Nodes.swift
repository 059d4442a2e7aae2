public import NetTypes
public import PolicyAPI

/// Nodes: whose their addresses are and what policies can see of them.
extension IdentityIndex {
    /// What policies can see of an address of a node.
    struct NodeClass: Hashable, Sendable {
        var isLocal: Bool
        var isServer: Bool
        /// Index in `blockSets`.
        var blocks: Int32
        /// Index in `NodeTable.labelSets`.
        var labels: Int32
    }

    /// Nodes, their addresses and their classes.
    struct NodeTable: Sendable {
        var owners = NodeOwners()
        /// Keys of node labels by how many times policies mention them.
        private(set) var keys: [String: Int] = [:]
        /// Whether keys came or went since the last `settle`.
        var hasOtherKeys = false
        /// All labels of each Node object.
        var labels: [String: [String: String]] = [:]
        /// Labels of the keys that policies mention, sorted by key; the first set is empty.
        var labelSets: [[LabelPair]] = [[]]
        var labelSetIDs: [[LabelPair]: Int32] = [[]: 0]
        /// Of each Node object, index in `labelSets`.
        var labelSetOf: [String: Int32] = [:]
        /// Nodes that have another set of labels since the last `settle`.
        var relabelled: Set<String> = []
        /// The nodes with an address of the API server.
        var servers: Set<String> = []
        var remoteIDs: [NodeClass: RemoteID] = [:]
        /// The remote of each address of a node.
        var remoteOf: [IPAddress: RemoteID] = [:]
        /// The local node and "some other node" always exist: their traffic may come from addresses that no object names.
        var base: (local: RemoteID, other: RemoteID)?

        mutating func retain(key: String) {
            keys[key, default: 0] += 1
            if keys[key] == 1 { hasOtherKeys = true }
        }

        mutating func release(key: String) {
            guard let count = keys[key] else { return }
            keys[key] = count > 1 ? count - 1 : nil
            if count == 1 { hasOtherKeys = true }
        }
    }

    /// Sets a Node object; `nil`: there is none of this name.
    public mutating func setNode(_ name: String, _ node: Node?) {
        nodes.owners.set(node: name, addresses: node?.addresses)
        nodes.labels[name] = node?.metadata.labels
        updateLabelSet(of: name)
    }

    /// Sets a hostNetwork pod; `nil`, or a finished one: there is none of this qualified name.
    public mutating func setHostPod(_ name: String, _ pod: Pod?) {
        guard let pod, !pod.isFinished else {
            nodes.owners.set(pod: name, nil)
            return
        }
        nodes.owners.set(pod: name, (pod.nodeName.isEmpty ? localNode : pod.nodeName, pod.addresses))
    }

    /// The remote of an address of a node.
    public func nodeRemote(at address: IPAddress) -> RemoteID? { nodes.remoteOf[address] }

    /// The number of the local node at no address in particular; `nil` before the first `settle`.
    public var localNodeNumber: UInt32? { nodes.base.map { number(of: $0.local) } }

    /// The `reserved:` labels of the local node.
    public var localReserved: Set<String> {
        let host = ReservedIdentity.host.labelKey
        return nodes.servers.contains(localNode) ? [host, ReservedIdentity.kubeAPIServer.labelKey] : [host]
    }

    /// Addresses of nodes with their remotes.
    public var nodeEntries: [IPAddress: RemoteID] { nodes.remoteOf }

    /// Puts addresses of nodes into their classes; `moved` are those that the API server got or lost. Returns those that were looked at.
    mutating func settleNodes(blocks changed: Set<IPPrefix>, servers moved: Set<IPAddress>) -> Set<IPAddress> {
        if nodes.hasOtherKeys {
            nodes.hasOtherKeys = false
            for name in nodes.labels.keys { updateLabelSet(of: name) }
        }
        let servers = Set(servers.addresses.compactMap { nodes.owners.owner(of: $0) })
        let others = nodes.relabelled.union(servers.symmetricDifference(nodes.servers))
        nodes.relabelled = []
        nodes.servers = servers

        var touched = nodes.owners.takeTouched()
        if !others.isEmpty { touched.formUnion(nodes.owners.addresses(of: others)) }
        for address in moved where nodes.owners.owner(of: address) != nil { touched.insert(address) }
        if !changed.isEmpty {
            for address in nodes.remoteOf.keys where changed.contains(where: { $0.contains(address) }) {
                touched.insert(address)
            }
        }
        for address in touched {
            let owner = nodes.owners.owner(of: address)
            let remote = owner.map { nodeRemote(of: $0, at: address, blocks: blockSet(of: address)) }
            let before = nodes.remoteOf[address]
            if remote == before { continue }
            if let remote { retain(remote) }
            if let before { release(before) }
            nodes.remoteOf[address] = remote
        }
        settleBase()
        return touched
    }

    private mutating func settleBase() {
        let local = nodeRemote(of: localNode, at: nil, blocks: 0)
        if let base = nodes.base {
            guard base.local != local else { return }
            retain(local)
            release(base.local)
            nodes.base?.local = local
        } else {
            let other = nodeRemote(NodeClass(isLocal: false, isServer: false, blocks: 0, labels: 0))
            retain(local)
            retain(other)
            nodes.base = (local, other)
        }
    }

    /// The remote of a node at one of its addresses. The API server is all of the local node, and of another one only its own addresses.
    private mutating func nodeRemote(of owner: String, at address: IPAddress?, blocks: Int32) -> RemoteID {
        let isLocal = owner == localNode
        return nodeRemote(
            NodeClass(
                isLocal: isLocal,
                isServer: isLocal ? nodes.servers.contains(owner) : address.map { servers.contains($0) } == true,
                blocks: blocks, labels: nodes.labelSetOf[owner] ?? 0))
    }

    /// The remote of nodes like this, a new one if there is none.
    private mutating func nodeRemote(_ node: NodeClass) -> RemoteID {
        if let known = nodes.remoteIDs[node] { return known }
        var names = [node.isLocal ? ReservedIdentity.host.labelKey : ReservedIdentity.remoteNode.labelKey]
        if node.isServer { names.append(ReservedIdentity.kubeAPIServer.labelKey) }
        var remote = Remote(
            kind: node.isLocal ? .host : .remoteNode, blocks: node.blocks, reserved: reservedSet(names),
            details: node.labels)
        if node.blocks == 0, node.labels == 0 {
            remote.number =
                (node.isLocal ? ReservedIdentity.host : node.isServer ? .kubeAPIServer : .remoteNode).rawValue
        }
        remote.text = names.joined(separator: "+") + nodeLabelText(node.labels) + blockText(node.blocks)
        let id = append(remote)
        nodes.remoteIDs[node] = id
        return id
    }

    /// Finds the set of a node's labels that policies mention.
    private mutating func updateLabelSet(of name: String) {
        var set: [LabelPair] = []
        if let labels = nodes.labels[name] {
            for key in nodes.keys.keys.sorted() {
                guard let value = labels[key] else { continue }
                set.append(LabelPair(key: symbols.intern(key), value: symbols.intern(value)))
            }
        }
        let id = nodes.labelSetIDs[set] ?? Int32(truncatingIfNeeded: nodes.labelSets.count)
        if Int(id) == nodes.labelSets.count {
            nodes.labelSets.append(set)
            nodes.labelSetIDs[set] = id
        }
        guard id != nodes.labelSetOf[name] ?? 0 else { return }
        nodes.labelSetOf[name] = id
        nodes.relabelled.insert(name)
    }

    /// ` labels=role=db,zone=a`, or nothing for the empty set.
    private func nodeLabelText(_ set: Int32) -> String {
        let pairs = nodes.labelSets[Int(set)]
        if pairs.isEmpty { return "" }
        return " labels="
            + pairs.map { symbols.escapedText($0.key) + "=" + symbols.escapedText($0.value) }.joined(separator: ",")
    }
}
