public import NetTypes
public import PolicyAPI

/// What policies mention, and the classes of nodes and of the outside that follow from it.
extension IdentityIndex {
    /// What `settle` leaves to its caller.
    public struct Settlement: Sendable {
        /// Addresses that became, ceased to be or are still those of a node, as another class maybe.
        public var nodeAddresses: Set<IPAddress> = []
        /// NetworkPolicy prefixes that came or went: pods' addresses in them have other remotes now.
        public var blocks: Set<IPPrefix> = []
        /// Entries outside the cluster that came, went or have another remote.
        public var entries: Set<IPPrefix> = []
    }

    /// Counts what a policy mentions. O(its peers).
    public mutating func mention(_ policy: LoweredPolicy) {
        let mentions = PolicyMentions(policy)
        for prefix in mentions.everywhere {
            if blocks.retain(prefix) { changedBlocks.insert(prefix) }
            retainNamed(prefix)
        }
        for prefix in mentions.outside { retainNamed(prefix) }
        for key in mentions.nodeKeys { nodes.retain(key: key) }
    }

    /// Counts off what a policy mentioned.
    public mutating func unmention(_ policy: LoweredPolicy) {
        let mentions = PolicyMentions(policy)
        for prefix in mentions.everywhere {
            if blocks.release(prefix) { changedBlocks.insert(prefix) }
            releaseNamed(prefix)
        }
        for prefix in mentions.outside { releaseNamed(prefix) }
        for key in mentions.nodeKeys { nodes.release(key: key) }
    }

    /// Replaces an EndpointSlice. Only those of the service `default/kubernetes` count: they are the API server.
    public mutating func replaceSlice(_ before: EndpointSlice?, by after: EndpointSlice?) {
        servers.serve(adding: after?.apiServerAddresses ?? [], removing: before?.apiServerAddresses ?? [])
    }

    /// Puts nodes and the outside into the classes that everything set so far makes.
    ///
    /// O(what changed): entries inside prefixes that came or went, addresses that changed owners. A node label that policies
    /// begin or cease to mention, and a prefix that came or went, look at all addresses of nodes.
    public mutating func settle() -> Settlement {
        var settlement = Settlement()
        settlement.blocks = changedBlocks
        changedBlocks = []
        let touched = servers.takeTouched()
        settleServers(touched)
        settlement.nodeAddresses = settleNodes(blocks: settlement.blocks, servers: touched)
        for address in settlement.nodeAddresses {
            let prefix = IPPrefix(host: address)
            if outside.entries.number(of: prefix) != nil { outside.touched.insert(prefix) }
        }
        settlement.entries = settleOutside()
        return settlement
    }

    /// The index of the set of NetworkPolicy prefixes that contain an address.
    mutating func blockSet(of address: IPAddress) -> Int32 {
        if blocks.isEmpty { return 0 }
        let set = blocks.containing(address)
        if let known = blockSetIDs[set] { return known }
        let id = Int32(truncatingIfNeeded: blockSets.count)
        blockSets.append(set)
        blockSetIDs[set] = id
        for block in set { blockSetsInside[block, default: []].append(id) }
        remotesOfBlocks.append([])
        return id
    }

    /// ` in=10.0.0.0/8,10.1.0.0/16`, or nothing for the empty set.
    func blockText(_ set: Int32) -> String {
        let prefixes = blockSets[Int(set)]
        return prefixes.isEmpty ? "" : " in=" + prefixes.map { "\(blocks.prefixes[Int($0)])" }.joined(separator: ",")
    }

    /// The index of a set of `reserved:` labels.
    mutating func reservedSet(_ names: [String]) -> Int32 {
        let set = Set(names.map { symbols.intern($0) })
        if let known = reservedSets.firstIndex(of: set) { return Int32(truncatingIfNeeded: known) }
        reservedSets.append(set)
        remotesOfReserved.append([])
        return Int32(truncatingIfNeeded: reservedSets.count - 1)
    }
}
