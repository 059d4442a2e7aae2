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
        var pending: [(text: String, remote: RemoteID)] = []
        for (id, remote) in remotes.enumerated() where remote.number == 0 && remote.references > 0 {
            let id = RemoteID(truncatingIfNeeded: id)
            pending.append((text(of: id), id))
        }
        pending.sort { $0.text < $1.text }
        for (text, remote) in pending { remotes[Int(remote)].text = text }
        guard allocator.wantsMembers else {
            for (text, remote) in pending {
                remotes[Int(remote)].number = allocator.number(for: text, scope: scope(of: remote))
            }
            return
        }
        var addresses: [RemoteID: [IPAddress]] = [:]
        for (address, remote) in members() { addresses[remote, default: []].append(address) }
        for (address, remote) in nodeAddresses { addresses[remote, default: []].append(address) }
        var prefixes: [RemoteID: [IPPrefix]] = [:]
        for (prefix, remote) in zip(outside.prefixes, outsideRemotes) { prefixes[remote, default: []].append(prefix) }
        let numbers = allocator.assign(
            pending.map {
                IdentityAllocator.Request(
                    key: $0.text, scope: scope(of: $0.remote), addresses: addresses[$0.remote] ?? [],
                    prefixes: prefixes[$0.remote] ?? [])
            })
        for (entry, number) in zip(pending, numbers) { remotes[Int(entry.remote)].number = number }
    }

    /// Gives one remote that has come to life a number, unless it has one.
    public mutating func assignNumber(to remote: RemoteID, _ allocator: inout IdentityAllocator) {
        guard remotes[Int(remote)].number == 0 else { return }
        let text = text(of: remote)
        remotes[Int(remote)].text = text
        remotes[Int(remote)].number = allocator.number(for: text, scope: scope(of: remote))
    }

    /// The live identities with what they stand for, sorted by number.
    public var identities: [(number: UInt32, text: String)] {
        var found: [(number: UInt32, text: String)] = []
        for (id, remote) in remotes.enumerated() where remote.references > 0 {
            found.append((remote.number, text(of: RemoteID(truncatingIfNeeded: id))))
        }
        return found.sorted { ($0.number, $0.text) < ($1.number, $1.text) }
    }

    /// The entries outside the cluster with their identity numbers, sorted by prefix.
    public var outsideEntries: [(prefix: IPPrefix, number: UInt32)] {
        zip(outside.prefixes, outsideRemotes).map { ($0, number(of: $1)) }.sorted { $0.0 < $1.0 }
    }

    /// Addresses of nodes with their remotes.
    public var nodeEntries: [IPAddress: RemoteID] { nodeAddresses }

    private func scope(of remote: RemoteID) -> IdentityScope {
        switch remotes[Int(remote)].kind {
        case .pod: .pod
        case .host: .host
        case .remoteNode: .node
        case .outside: .outside
        }
    }
}
