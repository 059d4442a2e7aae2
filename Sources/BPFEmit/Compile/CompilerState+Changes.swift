import NetTypes
public import PolicyAPI
import PolicyIR

/// Pods that come, go and change.
extension CompilerState {
    /// What one change has touched so far, as it was before.
    private struct Before {
        var identities: [IPAddress: UInt32?] = [:]
        var liveness: [IdentityIndex.RemoteID: Bool] = [:]
        var remotes: [IdentityIndex.RemoteID] = []
    }

    /// Adds a pod, or replaces the one of its namespace and name. Returns what changes in the node's image.
    public mutating func apply(_ pod: Pod) -> NodeDelta { change(pod.qualifiedName, to: pod) }

    /// Removes a pod. Returns what changes in the node's image.
    public mutating func remove(podNamed name: String, in namespace: String) -> NodeDelta {
        change("\(namespace)/\(name)", to: nil)
    }

    private mutating func change(_ name: String, to pod: Pod?) -> NodeDelta {
        let wasOnHost = objects.pods.contains { $0.qualifiedName == name }
        if wasOnHost || pod?.hostNetwork == true { return rebuild(name, pod) }

        let old = podNumber(name)
        let leaving = old.flatMap { pods[$0] }
        var before = Before()
        if let old, let leaving {
            for address in Set(leaving.pod.addresses) { withdraw(address, of: Int32(truncatingIfNeeded: old), &before) }
            if leaving.pod.addresses.isEmpty {
                let remote = index.remote(of: leaving.podClass, at: nil)
                note(remote, &before)
                index.release(remote)
            }
            pods[old] = nil
            podNumbers?[name] = nil
        }
        var new: Int?
        if let pod, !pod.isFinished { new = register(pod, in: old, &before) }

        var delta = NodeDelta()
        settleChanges(before, &delta)
        if let leaving, leaving.isLocal {
            leave(leaving)
            delta.changesEndpoints = true
        }
        if let new, pods[new]?.isLocal == true {
            enter(new)
            delta.changesEndpoints = true
        }
        // A pod anywhere that claims the address of a local one, or no longer claims it, takes or gives it.
        if delta.addresses.contains(where: { isClaimedHere($0.address) }) { delta.changesEndpoints = true }
        return delta
    }

    private func isClaimedHere(_ address: IPAddress) -> Bool {
        guard let claim = claims[address] else { return false }
        return ([claim.pod] + claim.others).contains { pods[Int($0)]?.isLocal == true }
    }

    private mutating func register(_ pod: Pod, in slot: Int?, _ before: inout Before) -> Int {
        let entry = PodEntry(pod: pod, podClass: index.podClass(of: pod), isLocal: isLocal(pod))
        let number = slot ?? pods.count
        if slot == nil { pods.append(entry) } else { pods[number] = entry }
        podNumbers?[pod.qualifiedName] = Int32(truncatingIfNeeded: number)
        for address in pod.addresses {
            note(address, &before)
            if let claim = claims[address], claim.remote >= 0, claim.pod != number { contest(address, claim, &before) }
            claim(address, for: Int32(truncatingIfNeeded: number))
            noteSettling(address, &before)
        }
        if pod.addresses.isEmpty {
            let remote = index.remote(of: entry.podClass, at: nil)
            note(remote, &before)
            index.retain(remote)
        }
        return number
    }

    /// A second pod claims an address: it belongs to neither.
    private mutating func contest(_ address: IPAddress, _ claim: Claim, _ before: inout Before) {
        note(claim.remote, &before)
        index.release(claim.remote)
        claims[address]?.remote = -1
    }

    private mutating func withdraw(_ address: IPAddress, of pod: Int32, _ before: inout Before) {
        guard var claim = claims[address] else { return }
        note(address, &before)
        if claim.pod == pod {
            if claim.remote >= 0 {
                note(claim.remote, &before)
                index.release(claim.remote)
            }
            guard let next = claim.others.first else {
                claims[address] = nil
                return
            }
            claim = Claim(pod: next, remote: -1, others: Array(claim.others.dropFirst()))
        } else {
            claim.others.removeAll { $0 == pod }
        }
        claims[address] = claim
        noteSettling(address, &before)
    }

    private mutating func noteSettling(_ address: IPAddress, _ before: inout Before) {
        guard let remote = settle(address) else { return }
        // It was counted before it could be noted.
        index.release(remote)
        note(remote, &before)
        index.retain(remote)
    }

    private func note(_ remote: IdentityIndex.RemoteID, _ before: inout Before) {
        guard before.liveness[remote] == nil else { return }
        before.liveness[remote] = index.isLive(remote)
        before.remotes.append(remote)
    }

    private func note(_ address: IPAddress, _ before: inout Before) {
        if before.identities[address] == nil { before.identities[address] = .some(identity(of: address)) }
    }

    /// Brings terms, policies and the delta in line with what is alive now.
    private mutating func settleChanges(_ before: Before, _ delta: inout NodeDelta) {
        var programs: Set<Int> = []
        for remote in before.remotes {
            let isLive = index.isLive(remote)
            guard isLive != before.liveness[remote] else { continue }
            if isLive {
                index.assignNumber(to: remote, &allocator)
                delta.newIdentities.append(
                    IdentityRecord(number: index.number(of: remote), label: index.text(of: remote)))
            } else {
                delta.retiredIdentities.append(index.number(of: remote))
            }
            let terms = isLive ? index.announce(remote) : index.withdraw(remote)
            update(remote, terms, isLive: isLive, &programs, &delta)
        }
        for number in programs.sorted() {
            compile(number)
            for key in keys(of: number) {
                delta.programs.append(NodeDelta.ProgramChange(subject: key, direction: policies[number].direction))
            }
        }
        // A policy that was compiled anew carries its entries in its own image.
        let replaced = Set(delta.programs)
        delta.peers.removeAll { change in
            change.subjects.contains { replaced.contains(.init(subject: $0, direction: change.direction)) }
        }
        for (address, identity) in before.identities {
            let now = self.identity(of: address)
            if now != identity { delta.addresses.append(NodeDelta.AddressChange(address: address, identity: now)) }
        }
        delta.addresses.sort { $0.address < $1.address }
        delta.newIdentities.sort { $0.number < $1.number }
        delta.retiredIdentities.sort()
        delta.programs.sort { ($0.subject, $0.direction.rawValue) < ($1.subject, $1.direction.rawValue) }
    }

    /// Puts a remote into, or takes it out of, the policies whose bits ask for one of these terms.
    private mutating func update(
        _ remote: IdentityIndex.RemoteID, _ terms: [IdentityIndex.TermID], isLive: Bool, _ programs: inout Set<Int>,
        _ delta: inout NodeDelta
    ) {
        if let podClass = index.podClass(of: remote) {
            for policy in namingPolicies {
                let isNamed = policies[policy].names.contains {
                    !index.ports(ofClass: podClass, named: $0.name, $0.protocol).isEmpty
                }
                if isNamed || failures[policy] != nil { programs.insert(policy) }
            }
        }
        var rows: [Int: [UInt64]] = [:]
        for term in terms where Int(term) < users.count {
            for user in users[Int(term)] where !programs.contains(user.policy) && failures[user.policy] == nil {
                let width = (policies[user.policy].carried.count + 63) / 64
                rows[user.policy, default: Array(repeating: 0, count: width)][user.bit / 64] |=
                    1 << UInt64(user.bit % 64)
            }
        }
        let number = index.number(of: remote)
        // A scope without numbers left: the end stays unknown, which every deny rule names already.
        if number == ReservedIdentity.unknown.rawValue { return }
        for (policy, row) in rows.sorted(by: { $0.key < $1.key }) {
            if policies[policy].count(row, by: isLive ? 1 : -1) {
                programs.insert(policy)
                continue
            }
            let words = Array(row.prefix(policies[policy].image.words))
            patch(policy, number, isLive ? words : nil)
            delta.peers.append(
                NodeDelta.PeerChange(
                    subjects: keys(of: policy), direction: policies[policy].direction, identity: number,
                    words: isLive ? words : []))
        }
    }

    /// Writes or removes an entry of a policy's `peers`.
    private mutating func patch(_ policy: Int, _ identity: UInt32, _ words: [UInt64]?) {
        var low = 0
        var high = policies[policy].image.peers.count
        while low < high {
            let middle = (low + high) / 2
            if policies[policy].image.peers[middle].identity < identity { low = middle + 1 } else { high = middle }
        }
        let isThere =
            low < policies[policy].image.peers.count && policies[policy].image.peers[low].identity == identity
        if isThere { policies[policy].image.peers.remove(at: low) }
        if let words { policies[policy].image.peers.insert(PeerEntry(identity: identity, words: words), at: low) }
    }

    /// The keys of the subjects that have a policy, sorted.
    private func keys(of policy: Int) -> [String] {
        policies[policy].subjects.compactMap { subjects[$0]?.key }.sorted()
    }

    /// Compiles again because a node's addresses changed.
    private mutating func rebuild(_ name: String, _ pod: Pod?) -> NodeDelta {
        var all = objects
        all.pods.removeAll { $0.qualifiedName == name }
        all.pods += pods.compactMap { $0?.pod }.filter { $0.qualifiedName != name }
        if let pod { all.pods.append(pod) }
        self = CompilerState(all, policies: lowered, localNode: localNode, allocator: allocator)
        var delta = NodeDelta()
        delta.changesEverything = true
        return delta
    }
}
