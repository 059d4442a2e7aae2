extension PeerMatch {
    /// Whether every remote end that the other matches is matched by this one, whichever ends there are. `false` where single
    /// peers do not show it.
    func covers(_ other: PeerMatch) -> Bool {
        switch (self, other) {
        case (.everyone, _): true
        // No list of peers is everyone: none of them is about an end that several objects claim.
        case (.anyOf, .everyone): false
        case (.anyOf(let outer), .anyOf(let inner)):
            inner.allSatisfy { peer in outer.contains { $0.covers(peer) } }
        }
    }
}

extension Peer {
    /// Whether every remote end that the other matches is matched by this one.
    func covers(_ other: Peer) -> Bool {
        if self == other { return true }
        switch self {
        case .entity(let entity):
            return entity.covers(other)
        case .endpoints(let outer):
            guard let scope = SubjectScope(.endpoints(outer)), let inner = other.podScope else { return false }
            // Cilium does not see every label that a NetworkPolicy sees.
            if case .pods = other, !scope.conditions.allSatisfy({ IdentityLabelFilter.keeps($0.key) }) { return false }
            return scope.covers(inner)
        case .pods(let space, let outer):
            let conditions = Set(outer.requirements.map(SubjectScope.Condition.init))
            guard case .pods(let innerSpace, let inner) = other, space.covers(innerSpace) else { return false }
            return conditions.isSubset(of: inner.requirements.map(SubjectScope.Condition.init))
        case .addresses(let prefix, let except, let space):
            guard case .addresses(let inner, let innerExcept, let innerSpace) = other, prefix.contains(inner),
                space == .everywhere || innerSpace == .outsideCluster
            else { return false }
            // What this one leaves out must be left out there too.
            return except.allSatisfy { hole in
                !(inner.contains(hole) || hole.contains(inner)) || innerExcept.contains { $0.contains(hole) }
            }
        case .names(let selector):
            guard case .names(.name(let name)) = other else { return false }
            return NamePattern(selector).matches(name)
        default:
            return false
        }
    }

    /// The pods that a peer stands for; `nil` for one that may be something else.
    var podScope: SubjectScope? {
        switch self {
        case .endpoints(let selector): SubjectScope(.endpoints(selector))
        case .pods(let scope, let selector): SubjectScope(.pods(scope, selector))
        default: nil
        }
    }
}

extension Entity {
    /// Whether the entity holds every remote end that a peer matches.
    fileprivate func covers(_ peer: Peer) -> Bool {
        switch (self, peer) {
        case (.all, _): return true
        case (.world, .entity(let other)): return other == .worldIPv4 || other == .worldIPv6
        case (.world, .addresses(_, _, .outsideCluster)), (.world, .names): return true
        case (.cluster, .entity(let other)):
            return [.host, .remoteNode, .health, .ingress, .`init`, .unmanaged].contains(other)
        case (.cluster, .pods): return true
        case (.cluster, .endpoints(let selector)):
            // Lowering adds a namespace to what means pods; reserved labels may be the world's.
            return selector.requirements.contains {
                $0.isAbout(CiliumKey.namespace) && ($0.operator == .isIn || $0.operator == .exists)
            }
        default: return false
        }
    }
}

extension NamespaceScope {
    /// Whether every namespace of the other scope is of this one.
    fileprivate func covers(_ other: NamespaceScope) -> Bool {
        switch (self, other) {
        case (.named(let outer), .named(let inner)): return outer == inner
        case (.named, .matching): return false
        case (.matching(let outer), .named(let inner)):
            return outer.requirements.allSatisfy {
                $0.key == "kubernetes.io/metadata.name" && $0.accepts(inner)
            }
        case (.matching(let outer), .matching(let inner)):
            let conditions = Set(outer.requirements.map(SubjectScope.Condition.init))
            return conditions.isSubset(of: inner.requirements.map(SubjectScope.Condition.init))
        }
    }
}
