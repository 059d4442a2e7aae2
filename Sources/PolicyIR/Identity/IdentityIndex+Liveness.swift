/// Remotes that come to life with their first address and die with their last.
extension IdentityIndex {
    /// Counts an address (or a pod without one) that has a remote.
    public mutating func retain(_ remote: RemoteID) {
        noteLiveness(of: remote)
        remotes[Int(remote)].references += 1
    }

    /// Counts an address off.
    public mutating func release(_ remote: RemoteID) {
        noteLiveness(of: remote)
        remotes[Int(remote)].references -= 1
    }

    /// Whether some end is like this.
    public func isLive(_ remote: RemoteID) -> Bool { remotes[Int(remote)].references > 0 }

    /// From now on remembers which remotes come and go, for `takeLiveness`.
    public mutating func watchLiveness() { livenessBefore = [:] }

    /// The remotes that died and those that came to life since the last call. Those that did both are in neither list.
    public mutating func takeLiveness() -> (died: [RemoteID], born: [RemoteID]) {
        var died: [RemoteID] = []
        var born: [RemoteID] = []
        for (remote, wasLive) in livenessBefore ?? [:] where isLive(remote) != wasLive {
            if wasLive { died.append(remote) } else { born.append(remote) }
        }
        livenessBefore?.removeAll(keepingCapacity: true)
        return (died.sorted(), born.sorted())
    }

    /// The remotes that terms began or ceased to match since the last call because namespaces got other labels, with those
    /// terms. Some may have died since.
    public mutating func takeRelabelled() -> [RemoteID: Set<TermID>] {
        defer { relabelled = [:] }
        return relabelled
    }

    /// Adds a remote to the lists it is found by.
    mutating func append(_ remote: Remote) -> RemoteID {
        let id = RemoteID(truncatingIfNeeded: remotes.count)
        remotes.append(remote)
        // The world has its number from the start.
        if remote.number != 0 { numbering += 1 }
        if remote.kind != .pod { remotesOfReserved[Int(remote.reserved)].append(id) }
        if remote.blocks != 0 { remotesOfBlocks[Int(remote.blocks)].append(id) }
        return id
    }

    private mutating func noteLiveness(of remote: RemoteID) {
        guard livenessBefore != nil, livenessBefore?[remote] == nil else { return }
        let isLive = isLive(remote)
        livenessBefore?[remote] = isLive
    }
}
