public import NetTypes

/// Numbers for remotes.
extension IdentityIndex {
    /// Gives every live remote that has no number yet one, in the order of their texts.
    ///
    /// - Parameters:
    ///   - allocator: the source of the numbers.
    ///   - members: the addresses of pods with their remotes, for adoption after a restart; called only then.
    public mutating func assignNumbers(
        _ allocator: inout IdentityAllocator, members: () -> [(IPAddress, RemoteID)]
    ) {
        var writer = ClassTextWriter()
        var pending: [(text: String, remote: RemoteID)] = []
        pending.reserveCapacity(remotes.count)
        for id in remotes.indices where remotes[id].number == 0 && remotes[id].references > 0 {
            let text =
                remotes[id].text.isEmpty
                ? writer.text(ofClass: remotes[id].podClass, remotes[id].blocks, in: self) : remotes[id].text
            pending.append((text, RemoteID(truncatingIfNeeded: id)))
        }
        pending.sort { $0.text < $1.text }
        if !pending.isEmpty { numbering += 1 }
        allocator.reserve(pending.count)
        for (text, remote) in pending { remotes[Int(remote)].text = text }
        guard allocator.wantsMembers else {
            for (text, remote) in pending {
                remotes[Int(remote)].number = allocator.number(for: text, scope: scope(of: remote))
            }
            return
        }
        var addresses: [RemoteID: [IPAddress]] = [:]
        for (address, remote) in members() { addresses[remote, default: []].append(address) }
        for (address, remote) in nodes.remoteOf { addresses[remote, default: []].append(address) }
        var prefixes: [RemoteID: [IPPrefix]] = [:]
        for (prefix, remote) in zip(outside.entries.prefixes, outside.remoteOfEntry) where remote >= 0 {
            prefixes[remote, default: []].append(prefix)
        }
        let numbers = allocator.assign(
            pending.map {
                IdentityAllocator.Request(
                    key: $0.text, scope: scope(of: $0.remote), addresses: addresses[$0.remote] ?? [],
                    prefixes: prefixes[$0.remote] ?? [])
            })
        for (entry, number) in zip(pending, numbers) { remotes[Int(entry.remote)].number = number }
    }

    /// Gives remotes that have come to life numbers, in the order of their texts; those that have one keep it.
    public mutating func assignNumbers(to born: [RemoteID], _ allocator: inout IdentityAllocator) {
        var pending: [(text: String, remote: RemoteID)] = []
        for remote in born where remotes[Int(remote)].number == 0 { pending.append((text(of: remote), remote)) }
        if pending.count > 1 { pending.sort { $0.text < $1.text } }
        if !pending.isEmpty { numbering += 1 }
        for (text, remote) in pending {
            remotes[Int(remote)].text = text
            remotes[Int(remote)].number = allocator.number(for: text, scope: scope(of: remote))
        }
    }

    /// The live identities with what they stand for, sorted by number.
    public var identities: [(number: UInt32, text: String)] {
        var found: [(number: UInt32, text: String)] = []
        found.reserveCapacity(remotes.count)
        for remote in byNumber where remotes[Int(remote)].references > 0 {
            found.append((remotes[Int(remote)].number, text(of: remote)))
        }
        // Only those for which no number was left have the same.
        if found.count > 1, found[1].number == ReservedIdentity.unknown.rawValue {
            found.sort { ($0.number, $0.text) < ($1.number, $1.text) }
        }
        return found
    }

    /// All remotes in the order of their numbers, dead ones included.
    package var byNumber: [RemoteID] {
        var packed: [UInt64] = []
        packed.reserveCapacity(remotes.count)
        for id in remotes.indices { packed.append(UInt64(remotes[id].number) << 32 | UInt64(id)) }
        packed.sort()
        return packed.map { RemoteID(truncatingIfNeeded: $0) }
    }

    /// The entries outside the cluster with their identity numbers, sorted by prefix.
    public var outsideEntries: [(prefix: IPPrefix, number: UInt32)] {
        zip(outside.entries.prefixes, outside.remoteOfEntry).filter { $1 >= 0 }.map { ($0, number(of: $1)) }
            .sorted { $0.0 < $1.0 }
    }

    private func scope(of remote: RemoteID) -> IdentityScope {
        switch remotes[Int(remote)].kind {
        case .pod: .pod
        case .host: .host
        case .remoteNode: .node
        case .outside: .outside
        }
    }
}
