public import NetTypes
import PolicyAPI

/// The outside: prefixes and single addresses that policies can tell apart.
extension IdentityIndex {
    /// What policies can see of an entry outside the cluster.
    struct OutsideClass: Hashable, Sendable {
        var isIPv4: Bool
        /// The policy prefixes that contain it, shortest first. All of a family is in its zero-length prefix: that one tells
        /// nothing apart and is left out.
        var prefixes: [IPPrefix]
        var isServer: Bool

        /// Whether a policy's prefix contains the entries of the class.
        func isInside(_ prefix: IPPrefix) -> Bool {
            prefix.length == 0 ? prefix.isIPv4 == isIPv4 : prefixes.contains(prefix)
        }

        /// Whether one of some policies' prefixes, which are sorted, contains the entries of the class.
        func isInside(anyOf sorted: [IPPrefix]) -> Bool {
            if sorted.count <= fewElements { return sorted.contains { isInside($0) } }
            // What contains it are few.
            return prefixes.contains { sorted.sortedContains($0) }
                || IdentityIndex.defaultPrefixes.contains { $0.isIPv4 == isIPv4 && sorted.sortedContains($0) }
        }
    }

    /// The entries outside the cluster and their classes.
    struct OutsideTable: Sendable {
        /// The prefixes that policies name.
        var named = PrefixTable()
        /// Those, API servers' addresses and the two that hold everything.
        var entries = PrefixTable()
        /// By number of the entry; -1: nobody needs it.
        var remoteOfEntry: [RemoteID] = []
        var classes: [OutsideClass] = []
        var remoteIDs: [OutsideClass: RemoteID] = [:]
        /// Addresses of the API server that have an entry because of that.
        var servers: Set<IPAddress> = []
        /// Policy prefixes that came or went since the last `settle`.
        var changedNamed: Set<IPPrefix> = []
        /// Entries to be looked at.
        var touched: Set<IPPrefix> = []
    }

    /// The number of an entry's identity; `nil` if there is no such entry.
    public func number(ofEntry prefix: IPPrefix) -> UInt32? {
        guard let entry = outside.entries.number(of: prefix) else { return nil }
        return number(of: outside.remoteOfEntry[Int(entry)])
    }

    mutating func retainEntry(_ prefix: IPPrefix) {
        if outside.entries.retain(prefix) { outside.touched.insert(prefix) }
    }

    mutating func releaseEntry(_ prefix: IPPrefix) {
        if outside.entries.release(prefix) { outside.touched.insert(prefix) }
    }

    mutating func retainNamed(_ prefix: IPPrefix) {
        retainEntry(prefix)
        if outside.named.retain(prefix), prefix.length > 0 { outside.changedNamed.insert(prefix) }
    }

    mutating func releaseNamed(_ prefix: IPPrefix) {
        releaseEntry(prefix)
        if outside.named.release(prefix), prefix.length > 0 { outside.changedNamed.insert(prefix) }
    }

    /// Gives addresses of the API server their entries, or takes them.
    mutating func settleServers(_ addresses: Set<IPAddress>) {
        for address in addresses {
            let prefix = IPPrefix(host: address)
            outside.touched.insert(prefix)
            if servers.contains(address) {
                if outside.servers.insert(address).inserted { retainEntry(prefix) }
            } else if outside.servers.remove(address) != nil {
                releaseEntry(prefix)
            }
        }
    }

    /// Puts entries into their classes. Returns those that were looked at.
    mutating func settleOutside() -> Set<IPPrefix> {
        // The first time every entry is new, so looked at already.
        for prefix in outside.changedNamed where !outside.remoteOfEntry.isEmpty {
            for entry in outside.entries.inside(prefix) { outside.touched.insert(outside.entries.prefixes[Int(entry)]) }
        }
        let touched = outside.touched
        outside.changedNamed = []
        outside.touched = []
        while outside.remoteOfEntry.count < outside.entries.prefixes.count { outside.remoteOfEntry.append(-1) }
        for prefix in touched {
            guard let entry = outside.entries.lastNumber(of: prefix) else { continue }
            let isUsed = outside.entries.number(of: prefix) != nil
            let remote = isUsed ? outsideRemote(of: prefix) : -1
            let before = outside.remoteOfEntry[Int(entry)]
            if remote == before { continue }
            if remote >= 0 { retain(remote) }
            if before >= 0 { release(before) }
            outside.remoteOfEntry[Int(entry)] = remote
        }
        return touched
    }

    /// The remote of an entry, a new one if there is none like it.
    private mutating func outsideRemote(of prefix: IPPrefix) -> RemoteID {
        // What is known of a node's address is about the node. Outside, it is the source of whatever the node forwards under its
        // own address.
        let isAddress = prefix.mappedLength == 128 && nodes.remoteOf[prefix.address] == nil
        let seen = OutsideClass(
            isIPv4: prefix.isIPv4,
            prefixes: outside.named.containing(prefix).map { outside.named.prefixes[Int($0)] }
                .filter { $0.length > 0 },
            isServer: isAddress && servers.contains(prefix.address))
        if let known = outside.remoteIDs[seen] { return known }
        let world = prefix.isIPv4 ? ReservedIdentity.worldIPv4 : .worldIPv6
        var names = [ReservedIdentity.world.labelKey, world.labelKey]
        if seen.isServer { names.append(ReservedIdentity.kubeAPIServer.labelKey) }
        var remote = Remote(
            kind: .outside, reserved: reservedSet(names),
            details: Int32(truncatingIfNeeded: outside.classes.count))
        if seen.prefixes.isEmpty, !seen.isServer { remote.number = world.rawValue }
        remote.text = world.labelKey + (seen.isServer ? "+" + ReservedIdentity.kubeAPIServer.labelKey : "")
        if !seen.prefixes.isEmpty {
            remote.text += " in=" + seen.prefixes.map { "\($0)" }.joined(separator: ",")
        }
        let id = append(remote)
        outside.classes.append(seen)
        outside.remoteIDs[seen] = id
        return id
    }
}
