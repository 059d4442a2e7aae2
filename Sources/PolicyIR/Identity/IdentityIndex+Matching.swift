import NetTypes
import PolicyAPI

/// Which remotes a term matches: all of them by the shortest way, or one of them.
extension IdentityIndex {
    /// Scanning this many classes is cheaper than looking for a shorter list.
    private static let scanLimit = 128

    /// The live remotes of a shape.
    mutating func find(_ shape: PeerTerm.Shape) -> [RemoteID] {
        switch shape {
        case .selector(let requirements, let reserved, let otherNodes):
            var found: [RemoteID] = []
            for podClass in podClasses(requirements) { appendLiveRemotes(ofClass: podClass, to: &found) }
            if reserved {
                for set in reservedSets.indices.dropFirst()
                where matches(reserved: Int32(truncatingIfNeeded: set), requirements) {
                    for remote in remotesOfReserved[set]
                    where isLive(remote) && (otherNodes == nil || remotes[Int(remote)].kind != .remoteNode) {
                        found.append(remote)
                    }
                }
            }
            if let otherNodes { appendLiveNodes(otherNodes, otherThanLocal: true, to: &found) }
            return found
        case .nodes(let requirements):
            var found: [RemoteID] = []
            appendLiveNodes(requirements, otherThanLocal: false, to: &found)
            return found
        case .entity(let entity):
            var found = IdentityIndex.holdsPods(entity) ? podRemotes : []
            for set in reservedSets.indices.dropFirst() where holds(entity, reserved: set) {
                appendLive(remotesOfReserved[set], to: &found)
            }
            return found
        case .addresses(let prefix, let except, let block, let exceptBlocks):
            var found: [RemoteID] = []
            if let block {
                for set in blockSetsInside[block] ?? []
                where !IdentityIndex.holds(blockSets[Int(set)], anyOf: exceptBlocks) {
                    appendLive(remotesOfBlocks[Int(set)], to: &found)
                }
            }
            appendOutside(prefix, except: except, to: &found)
            return found
        }
    }

    /// Whether a term matches ends like a remote, be it alive or not. Says of live ones what `find` says.
    public func matches(_ term: TermID, _ remote: RemoteID) -> Bool {
        let entry = remotes[Int(remote)]
        switch (terms[Int(term)].shape, entry.kind) {
        case (.selector(let requirements, _, _), .pod):
            return matches(entry.podClass, requirements)
        case (.selector(_, _, let otherNodes?), .remoteNode):
            return matches(node: entry, otherNodes)
        case (.selector(let requirements, let reserved, _), .host),
            (.selector(let requirements, let reserved, _), .remoteNode),
            (.selector(let requirements, let reserved, _), .outside):
            return reserved && matches(reserved: entry.reserved, requirements)
        case (.entity(let entity), .pod):
            return IdentityIndex.holdsPods(entity)
        case (.entity(let entity), .host), (.entity(let entity), .remoteNode), (.entity(let entity), .outside):
            return holds(entity, reserved: Int(entry.reserved))
        case (.nodes(let requirements), .host), (.nodes(let requirements), .remoteNode):
            return matches(node: entry, requirements)
        case (.addresses(_, _, let block, let exceptBlocks), .pod),
            (.addresses(_, _, let block, let exceptBlocks), .host),
            (.addresses(_, _, let block, let exceptBlocks), .remoteNode):
            guard let block else { return false }
            let inside = blockSets[Int(entry.blocks)]
            return inside.contains(block) && !IdentityIndex.holds(inside, anyOf: exceptBlocks)
        case (.addresses(let prefix, let except, _, _), .outside):
            let seen = outside.classes[Int(entry.details)]
            return seen.isInside(prefix) && !seen.isInside(anyOf: except)
        case (.nodes, .pod), (.nodes, .outside):
            return false
        }
    }

    /// Whether a set of NetworkPolicy prefixes, which are few, holds one of some, which are sorted.
    private static func holds(_ set: [Int32], anyOf sorted: [Int32]) -> Bool {
        !sorted.isEmpty && set.contains { sorted.sortedContains($0) }
    }

    /// Adds the remotes of the entries outside the cluster that are in a prefix and in none of its exceptions, which are sorted; each once.
    ///
    /// - Complexity: O(entries in the prefix + exceptions).
    private mutating func appendOutside(_ prefix: IPPrefix, except: [IPPrefix], to found: inout [RemoteID]) {
        let entries = outside.entries.inside(prefix)
        // Several entries may be of one class: of many they are noted by number.
        var seen: Set<RemoteID> = []
        var isSeen = Array(repeating: false, count: entries.count > remotes.count / 64 ? remotes.count : 0)
        // Two prefixes are one in the other or apart, and both lists are sorted. So of the exceptions so far only the latest that is in no
        // other can hold the next entry.
        var next = 0
        var latest: IPPrefix?
        for entry in entries {
            let inner = outside.entries.prefixes[Int(entry)]
            while next < except.count, !(inner < except[next]) {
                let exception = except[next]
                if exception.isIPv4 == prefix.isIPv4, latest?.contains(exception) != true { latest = exception }
                next += 1
            }
            if latest?.contains(inner) == true { continue }
            let remote = outside.remoteOfEntry[Int(entry)]
            if isSeen.isEmpty {
                if entries.count == 1 || seen.insert(remote).inserted { found.append(remote) }
            } else if !isSeen[Int(remote)] {
                isSeen[Int(remote)] = true
                found.append(remote)
            }
        }
    }

    /// The classes of pods that satisfy all conditions.
    private mutating func podClasses(_ requirements: [CompiledRequirement]) -> [ClassID] {
        let scope = requirements.filter(\.isAboutNamespace)
        let others = requirements.filter { !$0.isAboutNamespace }
        let candidates: [Int32]
        if let names = requirements.first(where: { $0.target == .namespaceName && $0.operator == .isIn })?.values {
            // A selector may name a namespace twice.
            candidates = Set(names).compactMap { namespaceIDs[$0] }
        } else {
            candidates = namespaces.indices.map { Int32(truncatingIfNeeded: $0) }
        }
        var accepted: [Int32] = []
        var total = 0
        for namespace in candidates where matches(namespace: namespace, scope) {
            accepted.append(namespace)
            total += namespaces[Int(namespace)].classes.count
        }
        if total > IdentityIndex.scanLimit, let short = shortList(others), short.count < total {
            var isAccepted = Array(repeating: false, count: namespaces.count)
            for namespace in accepted { isAccepted[Int(namespace)] = true }
            var found: [ClassID] = []
            for podClass in short where isAccepted[Int(classes[Int(podClass)].namespace)] && matches(podClass, others) {
                found.append(podClass)
            }
            return found
        }
        // Loops, not closures: a closure that captures `self` copies it.
        var found: [ClassID] = []
        for namespace in accepted {
            for podClass in namespaces[Int(namespace)].classes where matches(podClass, others) {
                found.append(podClass)
            }
        }
        return found
    }

    /// The classes that one of the conditions leaves, by its label's postings: a superset of the answer.
    private mutating func shortList(_ requirements: [CompiledRequirement]) -> [ClassID]? {
        for requirement in requirements where requirement.operator == .isIn {
            guard case .label(let key, _) = requirement.target, key != SymbolTable.none else { continue }
            if postings[key] == nil { postings[key] = makePostings(key) }
            return Set(requirement.values).sorted().flatMap { postings[key]?[$0] ?? [] }
        }
        return nil
    }

    private func makePostings(_ key: UInt32) -> [UInt32: [ClassID]] {
        var found: [UInt32: [ClassID]] = [:]
        for (id, podClass) in classes.enumerated() {
            for index in Int(podClass.labels.lowerBound)..<Int(podClass.labels.upperBound)
            where labels[index].key == key {
                found[labels[index].value, default: []].append(ClassID(truncatingIfNeeded: id))
            }
        }
        return found
    }

    private func appendLive(_ remotes: [RemoteID], to found: inout [RemoteID]) {
        for remote in remotes where isLive(remote) { found.append(remote) }
    }

    private func appendLiveNodes(
        _ requirements: [CompiledRequirement], otherThanLocal: Bool, to found: inout [RemoteID]
    ) {
        for id in nodes.remoteIDs.values
        where isLive(id) && !(otherThanLocal && remotes[Int(id)].kind == .host)
            && matches(node: remotes[Int(id)], requirements)
        {
            found.append(id)
        }
    }

    private func appendLiveRemotes(ofClass id: ClassID, to found: inout [RemoteID]) {
        var next = classes[Int(id)].firstRemote
        while next >= 0 {
            if isLive(next) { found.append(next) }
            next = remotes[Int(next)].next
        }
    }

    /// Whether an entity holds pods of the cluster.
    private static func holdsPods(_ entity: Entity) -> Bool { entity == .all || entity == .cluster }

    /// Whether an entity holds remotes with a set of `reserved:` labels (docs/spec/cilium-network-policy.md 5.1).
    private func holds(_ entity: Entity, reserved set: Int) -> Bool {
        if entity == .all { return true }
        let wanted: [ReservedIdentity] =
            switch entity {
            case .all, .none: []
            case .world: [.world, .worldIPv4, .worldIPv6]
            case .worldIPv4: [.worldIPv4]
            case .worldIPv6: [.worldIPv6]
            case .host: [.host]
            case .remoteNode: [.remoteNode]
            case .kubeAPIServer: [.kubeAPIServer]
            case .cluster: [.host, .remoteNode, .initial, .ingress, .health, .unmanaged, .kubeAPIServer]
            case .health: [.health]
            case .ingress: [.ingress]
            case .`init`: [.initial]
            case .unmanaged: [.unmanaged]
            }
        return wanted.contains { reservedSets[set].contains(symbols.symbol(of: $0.labelKey)) }
    }
}
