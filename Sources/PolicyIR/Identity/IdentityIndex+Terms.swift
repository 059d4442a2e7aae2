import PolicyAPI

/// Peers: each distinct one is a term, and knows which remotes it matches.
extension IdentityIndex {
    /// The term of a peer; `nil` for names, which give an address no identity: who has one is known when a packet goes there. Peers
    /// that mean the same by the same words share one, wherever they are written.
    public mutating func term(of peer: Peer) -> TermID? {
        guard let shape = shape(of: peer) else { return nil }
        termKey.removeAll(keepingCapacity: true)
        IdentityIndex.appendKey(of: shape, to: &termKey)
        let hash = classHash.hash(termKey)
        var probe = termTable.probe(hash)
        while let candidate = termTable.next(&probe) {
            if termKeys[candidate] == termKey { return TermID(truncatingIfNeeded: candidate) }
        }
        termTable.append(hash)
        termKeys.append(termKey)
        terms.append(PeerTerm(shape: shape))
        return TermID(truncatingIfNeeded: terms.count - 1)
    }

    /// The live remotes that a term matches, each once. The first time it finds them; from then on it is told.
    public mutating func matches(of term: TermID) -> [RemoteID] {
        if let known = terms[Int(term)].matches { return known }
        let found = find(terms[Int(term)].shape)
        terms[Int(term)].matches = found
        for place in IdentityIndex.places(terms[Int(term)].shape) { evaluated[place, default: []].append(term) }
        return found
    }

    /// The classes of pods of which a term matches a live remote: sorted, each once.
    public mutating func podClasses(matching term: TermID) -> [ClassID] {
        var found: [ClassID] = []
        for remote in matches(of: term) where remotes[Int(remote)].kind == .pod {
            found.append(remotes[Int(remote)].podClass)
        }
        return found.sortedOnce
    }

    /// Forgets what a term matches: nobody asks for it any more.
    public mutating func forget(_ term: TermID) {
        guard terms[Int(term)].matches != nil else { return }
        terms[Int(term)].matches = nil
        for place in IdentityIndex.places(terms[Int(term)].shape) {
            if let index = evaluated[place]?.firstIndex(of: term) { evaluated[place]?.remove(at: index) }
            if evaluated[place]?.isEmpty == true { evaluated[place] = nil }
        }
    }

    /// Tells the terms that somebody has asked for of a remote that has come to life. Returns those that match it.
    public mutating func announce(_ remote: RemoteID) -> [TermID] {
        let found = asked(about: remote)
        for term in found { terms[Int(term)].matches?.append(remote) }
        return found
    }

    /// Tells the terms that somebody has asked for of a remote that no end is like any more. Returns those that matched it.
    public mutating func withdraw(_ remote: RemoteID) -> [TermID] {
        let found = asked(about: remote)
        for term in found {
            // Newcomers go in the shortest time: they stand at the end.
            if let place = terms[Int(term)].matches?.lastIndex(of: remote) {
                terms[Int(term)].matches?.remove(at: place)
            }
        }
        return found
    }

    /// The evaluated terms that match a remote.
    private func asked(about remote: RemoteID) -> [TermID] {
        let entry = remotes[Int(remote)]
        var found: [TermID] = []
        appendMatching(remote, at: .anywhere, to: &found)
        switch entry.kind {
        case .pod:
            let name = namespaces[Int(classes[Int(entry.podClass)].namespace)].name
            appendMatching(remote, at: .namespace(name), to: &found)
        case .host, .remoteNode:
            break
        case .outside:
            let seen = outside.classes[Int(entry.details)]
            for prefix in IdentityIndex.defaultPrefixes where prefix.isIPv4 == seen.isIPv4 {
                appendMatching(remote, at: .prefix(prefix), to: &found)
            }
            for prefix in seen.prefixes { appendMatching(remote, at: .prefix(prefix), to: &found) }
        }
        for block in blockSets[Int(entry.blocks)] {
            appendMatching(remote, at: .prefix(blocks.prefixes[Int(block)]), to: &found)
        }
        return found
    }

    private func appendMatching(_ remote: RemoteID, at place: TermPlace, to found: inout [TermID]) {
        guard let candidates = evaluated[place] else { return }
        for term in candidates where matches(term, remote) { found.append(term) }
    }

    private mutating func shape(of peer: Peer) -> PeerTerm.Shape? {
        switch peer {
        case .pods(.named(let name), let selector):
            var conditions = [inNamespace(name)]
            add(pods: selector, to: &conditions)
            return .selector(conditions, reserved: false)
        case .pods(.matching(let scope), let selector):
            var conditions: [CompiledRequirement] = []
            conditions.reserveCapacity(scope.requirements.count + selector.requirements.count)
            add(namespaces: scope, to: &conditions)
            add(pods: selector, to: &conditions)
            return .selector(conditions, reserved: false)
        case .endpoints(let selector):
            return .selector(
                compile(endpoints: selector), reserved: true,
                otherNodes: selector.mentionsReserved ? compile(nodes: selector) : nil)
        case .nodes(let selector):
            return .nodes(compile(nodes: selector))
        case .entity(let entity):
            return .entity(entity)
        case .addresses(let prefix, let except, let space):
            let isEverywhere = space == .everywhere
            return .addresses(
                prefix, except: except.sorted(), block: isEverywhere ? blocks.number(of: prefix) : nil,
                exceptBlocks: isEverywhere ? except.compactMap { blocks.number(of: $0) }.sorted() : [])
        case .names:
            return nil
        }
    }

    /// Adds a key that equal shapes share.
    private static func appendKey(of shape: PeerTerm.Shape, to key: inout [UInt32]) {
        switch shape {
        case .selector(let requirements, let reserved, let otherNodes):
            // As many conditions of other nodes as of pods: nothing has to stand between them.
            key.append(otherNodes != nil ? 7 : reserved ? 2 : 1)
            appendKey(of: requirements, to: &key)
            appendKey(of: otherNodes ?? [], to: &key)
        case .nodes(let requirements):
            key.append(6)
            appendKey(of: requirements, to: &key)
        case .entity(let entity):
            key += [3, UInt32(truncatingIfNeeded: Entity.allCases.firstIndex(of: entity) ?? 0)]
        case .addresses(let prefix, let except, let block, _):
            key += [4, block == nil ? 0 : 1]
            key.reserveCapacity(key.count + 5 * (except.count + 1))
            for prefix in [prefix] + except {
                for half in [prefix.address.high, prefix.address.low] {
                    key += [UInt32(truncatingIfNeeded: half >> 32), UInt32(truncatingIfNeeded: half)]
                }
                key.append(UInt32(truncatingIfNeeded: prefix.mappedLength) | (prefix.isIPv4 ? 0x100 : 0))
            }
        }
    }

    /// Adds a key that equal conditions of shapes of one kind share.
    private static func appendKey(of requirements: [CompiledRequirement], to key: inout [UInt32]) {
        for requirement in requirements {
            switch requirement.target {
            case .label(let label, let reserved):
                key.append(0)
                key.append(label)
                key.append(reserved)
            case .namespaceName: key.append(1)
            case .namespaceLabel(let label):
                key.append(2)
                key.append(label)
            case .serviceAccount: key.append(3)
            case .cluster: key.append(4)
            }
            let op: UInt32 =
                switch requirement.operator {
                case .isIn: 0
                case .notIn: 1
                case .exists: 2
                case .doesNotExist: 3
                }
            key.append(op)
            key.append(UInt32(truncatingIfNeeded: requirement.values.count))
            key += requirement.values
        }
    }

    /// Where a term is looked for when a remote comes or goes; each remote that it matches has exactly one of the places.
    private static func places(_ shape: PeerTerm.Shape) -> [TermPlace] {
        switch shape {
        // A node may have a label of any name.
        case .selector(_, _, .some): return [.anywhere]
        case .selector(let requirements, _, nil):
            // Outside of the namespaces it names it matches nothing.
            let names = requirements.first { $0.target == .namespaceName && $0.operator == .isIn }?.values
            return names.map { Set($0).map(TermPlace.namespace) } ?? [.anywhere]
        case .nodes, .entity: return [.anywhere]
        case .addresses(let prefix, _, _, _): return [.prefix(prefix)]
        }
    }
}

extension [IdentityIndex.ClassID] {
    /// The classes in their order, each once.
    package var sortedOnce: [IdentityIndex.ClassID] {
        var found: [IdentityIndex.ClassID] = []
        found.reserveCapacity(count)
        for podClass in sorted() where podClass != found.last { found.append(podClass) }
        return found
    }
}
