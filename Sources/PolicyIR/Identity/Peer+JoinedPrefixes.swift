import NetTypes

extension [Peer] {
    /// Peers that match the same ends, with one for those that are the same prefix with other exceptions: it excepts what all of them except.
    ///
    /// Of thousands of those each would match nearly all that the others do.
    ///
    /// - Complexity: O(n log n) for n prefixes and exceptions.
    package var withJoinedPrefixes: [Peer] {
        var lists: [JoinedPrefix: [[IPPrefix]]] = [:]
        var hasSeveral = false
        for peer in self {
            guard case .addresses(let prefix, let except, let space) = peer else { continue }
            let key = JoinedPrefix(prefix: prefix, space: space)
            if lists[key] != nil { hasSeveral = true }
            lists[key, default: []].append(except)
        }
        if !hasSeveral { return self }
        var found: [Peer] = []
        found.reserveCapacity(count)
        for peer in self {
            guard case .addresses(let prefix, _, let space) = peer else {
                found.append(peer)
                continue
            }
            // In the place of the first.
            guard let excepted = lists.removeValue(forKey: JoinedPrefix(prefix: prefix, space: space)) else { continue }
            found.append(
                excepted.count == 1 ? peer : .addresses(prefix, except: JoinedPrefix.common(excepted), space))
        }
        return found
    }
}

/// What peers that are joined have in common.
private struct JoinedPrefix: Hashable {
    var prefix: IPPrefix
    var space: AddressSpace

    /// The largest prefixes that each of some lists covers by one of its own, sorted: together they hold the addresses that all lists hold.
    static func common(_ lists: [[IPPrefix]]) -> [IPPrefix] {
        var counts: [IPPrefix: Int] = [:]
        for list in lists {
            if list.isEmpty { return [] }
            for prefix in largest(list) { counts[prefix, default: 0] += 1 }
        }
        var found: [IPPrefix] = []
        // The prefixes that hold the latest one, from the largest on, each with how many lists cover it. Two prefixes of a list are apart,
        // so a list counts once.
        var way: [(prefix: IPPrefix, lists: Int)] = []
        for prefix in counts.keys.sorted(by: PrefixTable.precedes) {
            while let last = way.last, !last.prefix.contains(prefix) { way.removeLast() }
            let covering = way.last?.lists ?? 0
            let own = covering + (counts[prefix] ?? 0)
            if own == lists.count, covering < own { found.append(prefix) }
            way.append((prefix, own))
        }
        return found
    }

    /// The prefixes that are in no other of a list, each once.
    private static func largest(_ list: [IPPrefix]) -> [IPPrefix] {
        if list.count == 1 { return list }
        var found: [IPPrefix] = []
        for prefix in list.sorted(by: PrefixTable.precedes) where found.last?.contains(prefix) != true {
            found.append(prefix)
        }
        return found
    }
}
