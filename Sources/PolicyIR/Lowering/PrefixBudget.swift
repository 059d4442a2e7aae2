import NetTypes
package import PolicyAPI

/// How many prefixes each policy object names, and which objects are closed because all together name more than there is room for
/// (docs/decisions/0029).
///
/// While the sum of what each names is within the limit, nothing is counted but that sum. Beyond it the prefixes themselves are,
/// since policies that name the same take room once.
package struct PrefixBudget: Sendable {
    /// The prefixes that policies of a cluster may name together, each once.
    ///
    /// The kernel's table holds 131,072 (`NP_MAX_PREFIXES`). While one image takes another's place the prefixes of both are in it, so
    /// each may have half; of that 4,096 are for what no policy names: the API server's addresses and the two that hold everything.
    package static let standard = 61_440

    private let limit: Int
    /// By object, those that name any: how many, repetitions included.
    private var mentions: [ClusterObject.Key: Int] = [:]
    private var sum = 0
    /// Only while the sum is beyond the limit.
    private var room: SharedRoom<ClusterObject.Key, IPPrefix>?
    /// Whether what an object names has changed since `close` was called last.
    private var isStale = false
    /// The objects that are closed.
    package private(set) var closed: Set<ClusterObject.Key> = []

    /// Nobody has named anything.
    package init(limit: Int) { self.limit = limit }

    /// Sets what an object's policies name. O(their peers).
    ///
    /// - Parameters:
    ///   - key: the object.
    ///   - entry: its policies as written, and itself; without an object, they stay whatever they name. `nil`: there is none.
    package mutating func set(_ key: ClusterObject.Key, _ entry: (object: ClusterObject?, policies: [LoweredPolicy])?) {
        let count = entry.map { PolicyMentions.count($0.policies) } ?? 0
        let before = mentions[key] ?? 0
        if count == 0, before == 0 { return }
        isStale = true
        mentions[key] = count == 0 ? nil : count
        sum += count - before
        PrefixBudget.set(key, entry, in: &room)
    }

    /// Finds out which objects are closed, and returns those that were not or are not any more. `entry` gives an object and its
    /// policies as written.
    ///
    /// O(1) where nothing that names a prefix was set. Within the limit, or as long as the distinct prefixes are, O(what was set).
    package mutating func close(
        _ entry: (ClusterObject.Key) -> (object: ClusterObject?, policies: [LoweredPolicy])?
    ) -> Set<ClusterObject.Key> {
        guard isStale else { return [] }
        isStale = false
        if sum <= limit {
            room = nil
        } else if room == nil {
            room = SharedRoom(limit: limit)
            for key in mentions.keys { PrefixBudget.set(key, entry(key), in: &room) }
        }
        let now = room?.leftOut() ?? []
        defer { closed = now }
        return closed.symmetricDifference(now)
    }

    /// How many prefixes a closed object names.
    package func count(of key: ClusterObject.Key) -> Int { room?.count(of: key) ?? 0 }

    private static func set(
        _ key: ClusterObject.Key, _ entry: (object: ClusterObject?, policies: [LoweredPolicy])?,
        in room: inout SharedRoom<ClusterObject.Key, IPPrefix>?
    ) {
        room?.set(
            key, (entry?.policies ?? []).lazy.flatMap { PolicyMentions($0).prefixes }, owner: key.namespace,
            rank: entry?.object.map(PrefixBudget.rank))
    }

    /// A tenant's policies give way before the cluster's, and those before the nodes', in whose place nothing is enforced.
    private static func rank(_ object: ClusterObject) -> Int {
        if object.selectsNodes { return 2 }
        return object.key.namespace.isEmpty ? 1 : 0
    }

    /// What an object that is closed says about itself.
    package func diagnostic(of object: ClusterObject) -> Diagnostic {
        let key = object.key
        let name = key.namespace.isEmpty ? key.name : "\(key.namespace)/\(key.name)"
        let effect: String
        switch object {
        case .clusterPolicy: effect = "everything is denied in the directions in which it denies or passes"
        case _ where object.selectsNodes:
            effect = "nodes are not protected by it, and pods that it selects are isolated"
        default: effect = "the pods that it selects are isolated"
        }
        return Diagnostic(
            id: object.selectsNodes ? .hostPolicy : .tooManyPrefixes, location: object.metadata.location,
            message:
                "\(object.kind) \(name): no room for its prefixes, \(count(of: key)); all policies together may name \(limit). So it is "
                + "closed: \(effect)",
            hint: "use fewer and larger prefixes, here or in other policies of \(PrefixBudget.scope(key))")
    }

    private static func scope(_ key: ClusterObject.Key) -> String {
        key.namespace.isEmpty ? "the whole cluster" : "namespace \(key.namespace)"
    }
}

extension ClusterObject {
    /// Whether a rule of it is a host policy.
    fileprivate var selectsNodes: Bool {
        guard case .ciliumPolicy(let policy) = self else { return false }
        return policy.rules.contains { if case .nodes = $0.subject { true } else { false } }
    }
}
