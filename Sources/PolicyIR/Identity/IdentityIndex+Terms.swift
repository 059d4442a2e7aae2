import PolicyAPI

/// Peers: each distinct one is a term, and knows which remotes it matches.
extension IdentityIndex {
    /// The term of a peer. Peers that mean the same by the same words share one, wherever they are written.
    public mutating func term(of peer: Peer) -> TermID {
        let shape = shape(of: peer)
        var key = IdentityIndex.key(of: shape)
        if case .names(let selector) = shape { key.append(symbols.intern(selector.identityText)) }
        if let known = termIDs[key] { return known }
        let id = TermID(truncatingIfNeeded: terms.count)
        termIDs[key] = id
        terms.append(PeerTerm(shape: shape))
        if let names = IdentityIndex.namespaceNames(shape) {
            for name in names { termsOfNamespace[name, default: []].append(id) }
        } else {
            termsOfAnyNamespace.append(id)
        }
        return id
    }

    /// The live remotes that a term matches.
    public mutating func matches(of term: TermID) -> [RemoteID] {
        if let known = terms[Int(term)].matches { return known }
        let found = find(terms[Int(term)].shape)
        terms[Int(term)].matches = found
        return found
    }

    /// Tells the terms that somebody has asked for of a remote that has come to life. Returns those that match it.
    public mutating func announce(_ remote: RemoteID) -> [TermID] {
        let found = asked(about: remote).filter { matches($0, remote) }
        for term in found { terms[Int(term)].matches?.append(remote) }
        return found
    }

    /// Tells the terms that somebody has asked for of a remote that no end is like any more. Returns those that matched it.
    public mutating func withdraw(_ remote: RemoteID) -> [TermID] {
        let found = asked(about: remote).filter { matches($0, remote) }
        for term in found {
            // Newcomers go in the shortest time: they stand at the end.
            if let place = terms[Int(term)].matches?.lastIndex(of: remote) {
                terms[Int(term)].matches?.remove(at: place)
            }
        }
        return found
    }

    /// The evaluated terms that could match a remote that is a pod.
    private func asked(about remote: RemoteID) -> [TermID] {
        guard let id = podClass(of: remote) else { return [] }
        let name = namespaces[Int(classes[Int(id)].namespace)].name
        return ((termsOfNamespace[name] ?? []) + termsOfAnyNamespace).filter { terms[Int($0)].matches != nil }
    }

    private mutating func shape(of peer: Peer) -> PeerTerm.Shape {
        switch peer {
        case .pods(.named(let name), let selector):
            return .selector([inNamespace(name)] + compile(pods: selector), reserved: false)
        case .pods(.matching(let scope), let selector):
            return .selector(compile(namespaces: scope) + compile(pods: selector), reserved: false)
        case .endpoints(let selector):
            return .selector(compile(endpoints: selector), reserved: true)
        case .nodes(let selector):
            return .nodes(compile(nodes: selector))
        case .entity(let entity):
            return .entity(entity)
        case .addresses(let prefix, let except, let space):
            let isEverywhere = space == .everywhere
            return .addresses(
                prefix, except: except.sorted(), block: isEverywhere ? blocks.index(of: prefix) : nil,
                exceptBlocks: isEverywhere ? except.compactMap { blocks.index(of: $0) } : [])
        case .names(let selector):
            return .names(selector)
        }
    }

    /// A key that equal shapes share.
    private static func key(of shape: PeerTerm.Shape) -> [UInt32] {
        switch shape {
        case .selector(let requirements, let reserved):
            return key(of: requirements, kind: reserved ? 2 : 1)
        case .nodes(let requirements):
            return key(of: requirements, kind: 6)
        case .entity(let entity):
            return [3, UInt32(truncatingIfNeeded: Entity.allCases.firstIndex(of: entity) ?? 0)]
        case .addresses(let prefix, let except, let block, _):
            var key: [UInt32] = [4, block == nil ? 0 : 1]
            for prefix in [prefix] + except {
                key += [prefix.address.high, prefix.address.low].flatMap {
                    [UInt32(truncatingIfNeeded: $0 >> 32), UInt32(truncatingIfNeeded: $0)]
                }
                key.append(UInt32(truncatingIfNeeded: prefix.mappedLength) | (prefix.isIPv4 ? 0x100 : 0))
            }
            return key
        case .names:
            return [5]
        }
    }

    /// A key that equal conditions of shapes of one kind share.
    private static func key(of requirements: [CompiledRequirement], kind: UInt32) -> [UInt32] {
        var key: [UInt32] = [kind]
        for requirement in requirements {
            switch requirement.target {
            case .label(let label, let reserved): key += [0, label, reserved]
            case .namespaceName: key.append(1)
            case .namespaceLabel(let label): key += [2, label]
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
        return key
    }

    /// The names of the namespaces outside of which a term matches nothing; `nil`: it may match anywhere.
    private static func namespaceNames(_ shape: PeerTerm.Shape) -> [UInt32]? {
        guard case .selector(let requirements, _) = shape else { return nil }
        return requirements.first { $0.target == .namespaceName && $0.operator == .isIn }?.values
    }
}
