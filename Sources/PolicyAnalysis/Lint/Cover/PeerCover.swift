import PolicyAPI
import PolicyIR

/// The peers of a rule, prepared for comparison with those of many others.
struct PeerCover {
    /// A peer with the values that comparison needs.
    private struct Entry {
        var peer: Peer
        /// Its pods, for selectors.
        var scope: SubjectScope?
        /// The conditions on the namespaces of its pods, for selectors of namespaces by label.
        var namespaces: Set<SubjectScope.Condition>
    }

    /// `nil` for everyone, which is more than the entity `all`: that one excludes unknown ends.
    private let entries: [Entry]?

    init(_ peers: PeerMatch) {
        guard case .anyOf(let some) = peers else {
            entries = nil
            return
        }
        entries = some.map { peer in
            switch peer {
            case .endpoints(let selector):
                return Entry(peer: peer, scope: SubjectScope(.endpoints(selector)), namespaces: [])
            case .pods(.named(let name), let selector):
                return Entry(peer: peer, scope: SubjectScope(.pods(.named(name), selector)), namespaces: [])
            case .pods(.matching(let namespaces), let selector):
                var scope = SubjectScope(.pods(.named(""), selector))
                scope?.namespaces = nil
                return Entry(
                    peer: peer, scope: scope,
                    namespaces: Set(namespaces.requirements.map(SubjectScope.Condition.init)))
            case .nodes, .entity, .addresses, .names:
                return Entry(peer: peer, namespaces: [])
            }
        }
    }

    /// Whether these peers match every remote end that the other peers match, whatever ends exist. `false` where comparing
    /// single peers does not prove it.
    func covers(_ other: PeerCover) -> Bool {
        guard let entries else { return true }
        guard let inner = other.entries else { return false }
        return inner.allSatisfy { entry in entries.contains { PeerCover.covers($0, entry) } }
    }

    private static func covers(_ outer: Entry, _ inner: Entry) -> Bool {
        switch (outer.peer, inner.peer) {
        case (.entity(let entity), let peer):
            return outer.peer == peer || entity.covers(peer)
        case (.endpoints, .endpoints):
            return scopeCovers(outer, inner)
        case (.endpoints, .pods(.named, _)):
            // Cilium does not see every label that a NetworkPolicy sees.
            return outer.scope?.conditions.allSatisfy { IdentityLabelFilter.keeps($0.key) } == true
                && scopeCovers(outer, inner)
        case (.pods(.named, _), .pods(.named, _)):
            return scopeCovers(outer, inner)
        case (.pods(.matching(let namespaces), _), .pods(.named(let name), _)):
            return scopeCovers(outer, inner)
                && namespaces.requirements.allSatisfy { $0.key == "kubernetes.io/metadata.name" && $0.accepts(name) }
        case (.pods(.matching, _), .pods(.matching, _)):
            return scopeCovers(outer, inner) && outer.namespaces.isSubset(of: inner.namespaces)
        case (.addresses(let prefix, let except, let space), .addresses(let other, let otherExcept, let otherSpace)):
            // What this one excludes must be excluded there too.
            return prefix.contains(other) && (space == .everywhere || otherSpace == .outsideCluster)
                && except.allSatisfy { hole in
                    !(other.contains(hole) || hole.contains(other)) || otherExcept.contains { $0.contains(hole) }
                }
        case (.names(let selector), .names(.name(let name))):
            return NamePattern(selector).matches(name)
        case (.pods, _), (.endpoints, _), (.nodes, _), (.addresses, _), (.names, _):
            return outer.peer == inner.peer
        }
    }

    private static func scopeCovers(_ outer: Entry, _ inner: Entry) -> Bool {
        guard let scope = outer.scope, let other = inner.scope else { return false }
        return scope.covers(other)
    }
}

extension Entity {
    /// Whether the entity contains every remote end that a peer matches.
    fileprivate func covers(_ peer: Peer) -> Bool {
        switch (self, peer) {
        case (.all, _): return true
        case (.world, .entity(let other)): return other == .worldIPv4 || other == .worldIPv6
        case (.world, .addresses(_, _, .outsideCluster)), (.world, .names): return true
        case (.cluster, .entity(let other)):
            return [.host, .remoteNode, .health, .ingress, .`init`, .unmanaged].contains(other)
        case (.cluster, .pods): return true
        case (.cluster, .endpoints(let selector)):
            // Lowering adds a namespace to selectors of pods; reserved labels may be those of the world.
            return selector.requirements.contains {
                $0.isAbout(CiliumKey.namespace) && ($0.operator == .isIn || $0.operator == .exists)
            }
        case (.world, .pods), (.world, .endpoints), (.world, .nodes), (.world, .addresses(_, _, .everywhere)),
            (.cluster, .nodes), (.cluster, .addresses), (.cluster, .names):
            return false
        case (.worldIPv4, _), (.worldIPv6, _), (.host, _), (.remoteNode, _), (.kubeAPIServer, _), (.health, _),
            (.ingress, _), (.`init`, _), (.unmanaged, _), (.none, _):
            return false
        }
    }
}
