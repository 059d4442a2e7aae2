import NetTypes
package import PolicyAPI

/// How many prefixes each policy object names, and which objects are closed because all together name more than there is room for
/// (docs/decisions/0029). Policies that name the same prefix take room once.
package struct PrefixBudget: Sendable {
    /// The prefixes that policies of a cluster may name together, each once.
    ///
    /// The kernel's table holds 262,144 (`NP_MAX_PREFIXES`). While one image takes another's place the prefixes of both are in it, so
    /// each may have half; of that 4,096 are for what no policy names: the API server's addresses and the two that hold everything.
    package static let standard = 126_976

    private var budget: RoomBudget<ClusterObject.Key, IPPrefix>

    /// Nobody has named anything.
    package init(limit: Int) { budget = RoomBudget(limit: limit) }

    /// An object, `nil` for policies that stay whatever they name, and its policies as written.
    package typealias Entry = (object: ClusterObject?, policies: [LoweredPolicy])

    /// The objects that are closed.
    package var closed: Set<ClusterObject.Key> { budget.leftOut }

    /// Sets what an object's policies name; `nil`: there are none. O(their peers).
    package mutating func set(_ key: ClusterObject.Key, _ entry: Entry?) {
        budget.set(
            key, count: entry.map { PolicyMentions.count($0.policies) } ?? 0, PrefixBudget.claim(key, entry))
    }

    /// Finds out which objects are closed, and returns those that were not or are not any more. `entry` gives an object and its
    /// policies as written. Its cost is that of `RoomBudget.settle`.
    package mutating func close(_ entry: (ClusterObject.Key) -> Entry?) -> Set<ClusterObject.Key> {
        budget.settle { PrefixBudget.claim($0, entry($0)) }
    }

    private static func claim(
        _ key: ClusterObject.Key, _ entry: Entry?
    ) -> RoomBudget<ClusterObject.Key, IPPrefix>.Claim {
        (
            (entry?.policies ?? []).flatMap { PolicyMentions($0).prefixes }, key.namespace,
            entry?.object.map(PrefixBudget.rank)
        )
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
                "\(object.kind) \(name): no room for its prefixes, \(budget.count(of: key)); all policies together may name \(budget.limit). So it is "
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
