import NetTypes
import PolicyAPI

/// The part of the index that policies, nodes and names fix: namespaces, nodes, the outside.
extension IdentityIndex {
    /// Adds a namespace; the first of a name counts.
    @discardableResult
    mutating func addNamespace(_ name: String, _ labels: [String: String]) -> Int32 {
        let symbol = symbols.intern(name)
        if let known = namespaceIDs[symbol] { return known }
        let id = Int32(truncatingIfNeeded: namespaces.count)
        let pairs = labels.map { LabelPair(key: symbols.intern($0.key), value: symbols.intern($0.value)) }
        namespaces.append(NamespaceEntry(name: symbol, labels: pairs))
        namespaceIDs[symbol] = id
        return id
    }

    /// The namespace of a name; one that nobody declares has its name label only.
    mutating func namespace(_ name: String) -> Int32 {
        let symbol = symbols.intern(name)
        return namespaceIDs[symbol] ?? addNamespace(name, ["kubernetes.io/metadata.name": name])
    }

    /// Adds nodes and hostNetwork pods. The local node and "some other node" always exist: their traffic may come from
    /// addresses that no object names.
    mutating func addNodes(_ objects: ClusterObjects, localNode: String, apiServers: Set<IPAddress>) {
        var owners: [IPAddress: String] = [:]
        for node in objects.nodes.sorted(by: { $0.metadata.name < $1.metadata.name }) {
            for address in node.addresses where owners[address] == nil { owners[address] = node.metadata.name }
        }
        let onHosts = objects.pods.filter { $0.hostNetwork && !$0.isFinished }
        for pod in onHosts.sorted(by: { $0.qualifiedName < $1.qualifiedName }) {
            for address in pod.addresses where owners[address] == nil {
                owners[address] = pod.nodeName.isEmpty ? localNode : pod.nodeName
            }
        }
        let servers = Set(apiServers.compactMap { owners[$0] })
        var labels: [String: Int32] = [:]
        for node in objects.nodes where labels[node.metadata.name] == nil {
            labels[node.metadata.name] = nodeLabelSet(of: node)
        }
        _ = nodeRemote(
            isLocal: true, isServer: servers.contains(localNode), blocks: 0, nodeLabels: labels[localNode] ?? 0)
        _ = nodeRemote(isLocal: false, isServer: false, blocks: 0, nodeLabels: 0)
        for (address, owner) in owners.sorted(by: { $0.key < $1.key }) {
            let remote = nodeRemote(
                isLocal: owner == localNode, isServer: servers.contains(owner), blocks: blockSet(of: address),
                nodeLabels: labels[owner] ?? 0)
            nodeAddresses[address] = remote
        }
    }

    /// The index of the set of a node's labels that policies mention.
    private mutating func nodeLabelSet(of node: Node) -> Int32 {
        var set: [LabelPair] = []
        for key in nodeKeys {
            guard let value = node.metadata.labels[key] else { continue }
            set.append(LabelPair(key: symbols.intern(key), value: symbols.intern(value)))
        }
        if let known = nodeLabelSets.firstIndex(of: set) { return Int32(truncatingIfNeeded: known) }
        nodeLabelSets.append(set)
        return Int32(truncatingIfNeeded: nodeLabelSets.count - 1)
    }

    /// The remote of nodes like this, a new one if there is none.
    private mutating func nodeRemote(isLocal: Bool, isServer: Bool, blocks: Int32, nodeLabels: Int32) -> RemoteID {
        var names = [isLocal ? ReservedIdentity.host.labelKey : ReservedIdentity.remoteNode.labelKey]
        if isServer { names.append(ReservedIdentity.kubeAPIServer.labelKey) }
        let reserved = reservedSet(names)
        let kind: RemoteKind = isLocal ? .host : .remoteNode
        if let known = remotesOfReserved[Int(reserved)].first(where: {
            remotes[Int($0)].kind == kind && remotes[Int($0)].blocks == blocks
                && remotes[Int($0)].nodeLabels == nodeLabels
        }) {
            return known
        }
        var remote = Remote(
            kind: kind, blocks: blocks, reserved: reserved, nodeLabels: nodeLabels, references: 1)
        if blocks == 0, nodeLabels == 0 {
            remote.number =
                (isLocal ? ReservedIdentity.host : isServer ? .kubeAPIServer : .remoteNode).rawValue
        }
        remote.text = names.joined(separator: "+") + nodeLabelText(nodeLabels) + blockText(blocks)
        let id = append(remote)
        if isLocal { hostRemotes.append(id) }
        return id
    }

    /// ` labels=role=db,zone=a`, or nothing for the empty set.
    private func nodeLabelText(_ set: Int32) -> String {
        let pairs = nodeLabelSets[Int(set)]
        if pairs.isEmpty { return "" }
        return " labels="
            + pairs.map { symbols.escapedText($0.key) + "=" + symbols.escapedText($0.value) }.joined(separator: ",")
    }

    /// Adds the entries outside the cluster and their classes.
    mutating func addOutside(named: Set<IPPrefix>, learnt: LearntAddresses) {
        /// What policies can see of an entry.
        struct OutsideClass: Hashable {
            var isIPv4: Bool
            var prefixes: [Int32]
            var names: [FQDNSelector]
            var isServer: Bool
        }
        let policyPrefixes = outside.prefixes.map { named.contains($0) && $0.length > 0 }
        var known: [OutsideClass: RemoteID] = [:]
        for prefix in outside.prefixes {
            let isHost = prefix.mappedLength == 128
            let seen = OutsideClass(
                isIPv4: prefix.isIPv4,
                // All of a family is in its zero-length prefix: that one tells nothing apart.
                prefixes: outside.containing(prefix).filter { policyPrefixes[Int($0)] },
                names: isHost ? learnt.selectors[prefix.address] ?? [] : [],
                isServer: isHost && learnt.apiServers.contains(prefix.address))
            if let remote = known[seen] {
                outsideRemotes.append(remote)
                continue
            }
            let world = prefix.isIPv4 ? ReservedIdentity.worldIPv4 : .worldIPv6
            var names = [ReservedIdentity.world.labelKey, world.labelKey]
            if seen.isServer { names.append(ReservedIdentity.kubeAPIServer.labelKey) }
            var remote = Remote(kind: .outside, reserved: reservedSet(names), references: 1)
            if seen.prefixes.isEmpty, seen.names.isEmpty, !seen.isServer { remote.number = world.rawValue }
            remote.text = world.labelKey + (seen.isServer ? "+" + ReservedIdentity.kubeAPIServer.labelKey : "")
            if !seen.prefixes.isEmpty {
                remote.text += " in=" + seen.prefixes.map { "\(outside.prefixes[Int($0)])" }.joined(separator: ",")
            }
            if !seen.names.isEmpty {
                remote.text += " names=" + seen.names.map { SymbolTable.escape($0.identityText) }.joined(separator: ",")
            }
            let id = append(remote)
            known[seen] = id
            outsideRemotes.append(id)
            for name in seen.names { remotesOfName[name, default: []].append(id) }
        }
    }

    /// Adds a remote to the lists it is found by.
    mutating func append(_ remote: Remote) -> RemoteID {
        let id = RemoteID(truncatingIfNeeded: remotes.count)
        remotes.append(remote)
        if remote.kind != .pod { remotesOfReserved[Int(remote.reserved)].append(id) }
        if remote.blocks != 0 { remotesOfBlocks[Int(remote.blocks)].append(id) }
        return id
    }

    /// The index of a set of `reserved:` labels.
    private mutating func reservedSet(_ names: [String]) -> Int32 {
        let set = Set(names.map { symbols.intern($0) })
        if let known = reservedSets.firstIndex(of: set) { return Int32(truncatingIfNeeded: known) }
        reservedSets.append(set)
        remotesOfReserved.append([])
        return Int32(truncatingIfNeeded: reservedSets.count - 1)
    }

    /// The index of the set of NetworkPolicy prefixes that contain an address.
    mutating func blockSet(of address: IPAddress) -> Int32 {
        if blocks.isEmpty { return 0 }
        let set = blocks.containing(address)
        if let known = blockSetIDs[set] { return known }
        let id = Int32(truncatingIfNeeded: blockSets.count)
        blockSets.append(set)
        blockSetIDs[set] = id
        remotesOfBlocks.append([])
        return id
    }

    /// ` in=10.0.0.0/8,10.1.0.0/16`, or nothing for the empty set.
    func blockText(_ set: Int32) -> String {
        let prefixes = blockSets[Int(set)]
        return prefixes.isEmpty ? "" : " in=" + prefixes.map { "\(blocks.prefixes[Int($0)])" }.joined(separator: ",")
    }
}
