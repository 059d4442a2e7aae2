import PolicyIR

/// The lists of the image, and how they differ from before.
extension CompilerState {
    private static let contestedRecord = IdentityRecord(
        number: ReservedIdentity.unknown.rawValue, label: "contested")

    /// Makes the lists from nothing.
    mutating func fillLists() {
        addresses = claims.entries(in: index)
        let pods = addresses.count
        for (address, remote) in index.nodeEntries where claims.remote(at: address) == nil {
            addresses.append(AddressEntry(address: address, identity: index.number(of: remote)))
        }
        for address in sharedAddresses
        where claims.remote(at: address) == nil && index.nodeRemote(at: address) == nil {
            guard let identity = identity(of: address) else { continue }
            addresses.append(AddressEntry(address: address, identity: identity))
        }
        if addresses.count > pods { addresses.sort { $0.address < $1.address } }
        prefixes = index.outsideEntries.map { PrefixEntry(prefix: $0.prefix, identity: $0.number) }
        identities = index.identities.map { IdentityRecord(number: $0.number, label: $0.text) }
        updateContested()
        endpoints = makeEndpoints()
    }

    /// Patches the lists after everything else is as it should be. Returns what is other than before.
    mutating func updateLists(_ batch: Batch) -> NodeDelta {
        var delta = NodeDelta()
        var changesEndpoints = batch.changesEndpoints
        for address in batch.addresses.count > 1 ? batch.addresses.sorted() : Array(batch.addresses) {
            let identity = identity(of: address)
            // Whether it is contested counts for its pod even where the number says nothing.
            if !changesEndpoints {
                for pod in claims.claimants(of: address) where pods.local.contains(pod) { changesEndpoints = true }
            }
            if identity == addresses.entry(address)?.identity { continue }
            delta.addresses.append(NodeDelta.AddressChange(address: address, identity: identity))
        }
        addresses.set(
            delta.addresses.map { change in
                (change.address, change.identity.map { AddressEntry(address: change.address, identity: $0) })
            })
        for prefix in batch.entries.sorted() {
            let identity = index.number(ofEntry: prefix)
            if identity == prefixes.entry(prefix)?.identity { continue }
            delta.prefixes.append(NodeDelta.PrefixChange(prefix: prefix, identity: identity))
        }
        prefixes.set(
            delta.prefixes.map { change in
                (change.prefix, change.identity.map { PrefixEntry(prefix: change.prefix, identity: $0) })
            })
        updateIdentities(batch, &delta)
        updateContested()
        if changesEndpoints || !batch.moved.isEmpty {
            let found = makeEndpoints()
            delta.changesEndpoints = found != endpoints
            endpoints = found
        }
        addPolicies(batch, &delta)
        return delta
    }

    private mutating func updateIdentities(_ batch: Batch, _ delta: inout NodeDelta) {
        if batch.died.isEmpty, batch.born.isEmpty { return }
        let record = { (index: IdentityIndex, remote: IdentityIndex.RemoteID) in
            IdentityRecord(number: index.number(of: remote), label: index.text(of: remote))
        }
        let gone = batch.died.map { record(index, $0) }
        let new = batch.born.map { record(index, $0) }.sorted { $0.order < $1.order }
        identities.set(
            (gone.map { ($0.order, nil) } + new.map { ($0.order, $0) }).sorted { $0.order < $1.order })
        delta.newIdentities = new
        delta.retiredIdentities = gone.map(\.number).sorted()
    }

    /// Identity 0 has a record while an address has it.
    private mutating func updateContested() {
        let record = CompilerState.contestedRecord
        let isWanted = !claims.contested.isEmpty
        if isWanted != (identities.entry(record.order) != nil) { identities.set(record.order, isWanted ? record : nil) }
    }

    private mutating func addPolicies(_ batch: Batch, _ delta: inout NodeDelta) {
        var programs: Set<NodeDelta.ProgramChange> = []
        for (number, direction, before) in batch.moved {
            guard let subject = subjects[number], before != compiled.image(subject[direction]) else { continue }
            programs.insert(NodeDelta.ProgramChange(subject: subject.key, direction: direction))
        }
        let moved = Dictionary(grouping: batch.moved, by: \.direction).mapValues { Set($0.map(\.subject)) }
        for (number, change) in compiled.takeChanges().sorted(by: { $0.key < $1.key }) {
            let direction = compiled.policies[number].direction
            let keys = compiled.policies[number].subjects.subtracting(moved[direction] ?? [])
                .compactMap { subjects[$0]?.key }.sorted()
            if keys.isEmpty { continue }
            switch change {
            case .program:
                for key in keys { programs.insert(NodeDelta.ProgramChange(subject: key, direction: direction)) }
            case .peers(let patches):
                for (identity, entry) in patches {
                    delta.peers.append(
                        NodeDelta.PeerChange(
                            subjects: keys, direction: direction, identity: identity, words: entry?.words ?? []))
                }
            }
        }
        delta.programs = programs.sorted {
            ($0.subject, $0.direction.rawValue) < ($1.subject, $1.direction.rawValue)
        }
    }

    private func makeEndpoints() -> [EndpointImage] {
        var found: [EndpointImage] = []
        for number in pods.local {
            guard let pod = pods.pod(number), let podClass = pods.podClass(number),
                let subject = subjects.number(of: podClass).flatMap({ subjects[$0] })
            else { continue }
            let own = pod.addresses.filter { (claims.remote(at: $0) ?? -1) >= 0 }
            found.append(
                EndpointImage(
                    namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid,
                    addresses: own, subject: subject.key,
                    identity: own.first.flatMap { identity(of: $0) } ?? index.number(ofClass: podClass)
                        ?? ReservedIdentity.unknown.rawValue))
        }
        return found.sorted { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
    }
}
