import PolicyAPI
import PolicyIR

/// The peers of a rule, prepared for comparison with those of many others.
struct PeerCover {
    /// A peer with the values that comparison needs.
    private struct Entry {
        var peer: Peer
        /// Its pods, for selectors.
        var pods: PodRange?
    }

    /// `nil` for everyone, which is more than the entity `all`: that one excludes unknown ends.
    private let entries: [Entry]?

    init(_ peers: PeerMatch) {
        guard case .anyOf(let some) = peers else {
            entries = nil
            return
        }
        entries = some.map { Entry(peer: $0, pods: PodRange($0)) }
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
        case (.endpoints, .endpoints), (.endpoints, .pods), (.pods, .endpoints), (.pods, .pods):
            guard let pods = outer.pods, let others = inner.pods else { return false }
            return pods.covers(others)
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
