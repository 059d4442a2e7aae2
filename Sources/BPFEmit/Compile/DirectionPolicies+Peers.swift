import PolicyIR

/// Remotes that come, go, or are matched by other peers than before: entries of `peers` are patched in place.
extension DirectionPolicies {
    /// What happened to a remote.
    enum RemoteChange {
        /// It came to life; the terms are those that match it.
        case born
        /// It died; the terms are those that matched it.
        case died
        /// The terms began or ceased to match it.
        case relabelled
    }

    /// A bit that a remote may begin or cease to carry.
    struct Touch {
        var remote: IdentityIndex.RemoteID
        var bit: Int32
        var change: RemoteChange
    }

    /// Notes a remote, which has its number already, in the policies that ask for one of the terms. Each remote comes once.
    ///
    /// O(bits that ask for the terms).
    mutating func note(
        _ remote: IdentityIndex.RemoteID, _ terms: some Sequence<IdentityIndex.TermID>, _ change: RemoteChange,
        in index: inout IdentityIndex
    ) {
        waitForNames(of: remote, in: &index)
        // A scope without numbers left: the end stays unknown, which every deny rule names already.
        if index.number(of: remote) == ReservedIdentity.unknown.rawValue { return }
        for term in terms where Int(term) < users.count {
            for user in users[Int(term)] {
                if touches[user.policy].isEmpty { touched.append(user.policy) }
                touches[user.policy].append(
                    Touch(remote: remote, bit: Int32(truncatingIfNeeded: user.bit), change: change))
            }
        }
    }

    /// Brings the policies in step with the remotes that were noted. A policy in which some bit is carried by the first
    /// remote, or by none any more, waits for `compileWaiting`.
    ///
    /// For each policy a binary search and one insertion or removal a remote; a pass over its entries where they are many.
    mutating func patchNoted(in index: inout IdentityIndex) {
        for policy in touched {
            if failures[policy] != nil {
                // Fewer bits may fit.
                waiting.insert(policy)
            } else if !waiting.contains(policy) {
                patch(policy, in: &index)
            }
            touches[policy].removeAll(keepingCapacity: true)
        }
        touched.removeAll(keepingCapacity: true)
    }

    private mutating func patch(_ policy: Int, in index: inout IdentityIndex) {
        var patches: [(order: UInt32, entry: PeerEntry?)] = []
        var changesProgram = false
        let words = policies[policy].image.words
        var before = [UInt64](repeating: 0, count: (policies[policy].carried.count + 63) / 64)
        // Values that many identities share are one array.
        var last: [UInt64] = []
        var start = 0
        while start < touches[policy].count {
            let remote = touches[policy][start].remote
            var end = start + 1
            while end < touches[policy].count, touches[policy][end].remote == remote { end += 1 }
            let number = index.number(of: remote)
            for word in before.indices { before[word] = 0 }
            // The entry of a newborn's number, if there is one, is that of a dead one: a reserved number goes from one to the
            // other.
            if touches[policy][start].change != .born, let words = policies[policy].image.peers.words(of: number) {
                for (word, value) in words.enumerated() { before[word] = value }
            }
            var row = before
            if change(&row, of: policy, by: start..<end, in: &index) { changesProgram = true }
            start = end
            if row == before { continue }
            if number < IdentityScope.pod.numbers.lowerBound { patches.removeAll { $0.order == number } }
            if !row.contains(where: { $0 != 0 }) {
                patches.append((number, nil))
                continue
            }
            if !last.elementsEqual(row.prefix(words)) { last = Array(row.prefix(words)) }
            patches.append((number, PeerEntry(identity: number, words: last)))
        }
        if changesProgram {
            waiting.insert(policy)
        } else if !patches.isEmpty {
            patches.sort { $0.order < $1.order }
            policies[policy].image.peers.set(patches)
            changes[policy] = .peers(patches)
        }
    }

    /// Changes the bits of a remote, and counts who carries them. Returns whether one came to be carried by somebody, or by
    /// nobody.
    private mutating func change(
        _ row: inout [UInt64], of policy: Int, by range: Range<Int>, in index: inout IdentityIndex
    ) -> Bool {
        var changesProgram = false
        let remote = touches[policy][range.lowerBound].remote
        if touches[policy][range.lowerBound].change == .died {
            changesProgram = policies[policy].count(row, by: -1)
            for word in row.indices { row[word] = 0 }
            return changesProgram
        }
        for place in range {
            let touch = touches[policy][place]
            let bit = Int(touch.bit)
            let mask: UInt64 = 1 << UInt64(bit % 64)
            let isCarried = touch.change == .born || carries(remote, bit, of: policy, in: &index)
            if isCarried == (row[bit / 64] & mask != 0) { continue }
            row[bit / 64] ^= mask
            policies[policy].carried[bit] += isCarried ? 1 : -1
            if policies[policy].carried[bit] == (isCarried ? 1 : 0) { changesProgram = true }
        }
        return changesProgram
    }

    /// Whether one of the terms of a bit matches a live remote.
    private func carries(
        _ remote: IdentityIndex.RemoteID, _ bit: Int, of policy: Int, in index: inout IdentityIndex
    ) -> Bool {
        for term in policies[policy].carriers[bit].terms ?? [] where index.matches(term, remote) { return true }
        return false
    }

    /// Policies with bits for the numbers that ends have names under are compiled when such an end comes, goes or changes.
    private mutating func waitForNames(of remote: IdentityIndex.RemoteID, in index: inout IdentityIndex) {
        guard !naming.isEmpty, let podClass = index.podClass(of: remote) else { return }
        let own = index.namedPorts(ofClass: podClass).map {
            TrafficResolver.PortName(name: $0.name, protocol: $0.protocol)
        }
        for policy in naming where !waiting.contains(policy) {
            if failures[policy] != nil || own.contains(where: policies[policy].names.contains) {
                waiting.insert(policy)
            }
        }
    }
}
