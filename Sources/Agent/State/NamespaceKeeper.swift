import BPFEmit
import PolicyAPI
import PolicyIR

/// What of a namespace stays in force although it is being deleted, for as long as pods of it have an interface on this node.
///
/// A namespace goes with all that is in it, and a pod that runs on (its Pod object was deleted by force, its process does not end) would
/// lose the labels by which policies select it, and then the policies of its namespace: it would be open. So
///
/// - the labels of a namespace without object stay while a pod of it is bound here;
/// - its own policies stay that are deleted while it is being deleted, or with it while a pod without object is bound here;
/// - the next agent knows the labels by `BindingRecords`, and not the policies: it isolates those pods, but for what policies of the
///   cluster allow them.
///
/// What is deleted from a namespace that is there goes. One that is there again counts as it is.
struct NamespaceKeeper: Sendable {
    /// Namespaces with pods on this node.
    struct Occupied: Sendable {
        /// Those with any.
        var all: Set<String> = []
        /// Those with pods whose object is gone.
        var orphaned: Set<String> = []

        init(_ endpoints: [BindingView.Endpoint]) {
            for endpoint in endpoints {
                let namespace = endpoint.pod.metadata.namespace
                all.insert(namespace)
                if !endpoint.isCurrent { orphaned.insert(namespace) }
            }
        }
    }

    /// What is in force and was deleted.
    private(set) var kept: Set<ObjectKey> = []
    /// Labels of the namespaces in force, by name.
    private var labels: [String: [String: String]] = [:]
    /// What an earlier agent had in force, until the first call of `filter`.
    private var remembered: [String: BindingRecords.NamespaceRecord]

    /// Nothing is kept yet. `remembered` is what an earlier agent had in force, by namespace.
    init(remembered: [String: BindingRecords.NamespaceRecord] = [:]) {
        self.remembered = remembered
    }

    /// What the next agent has to be told: of namespaces with pods here.
    func records(of occupied: Occupied, in store: ObjectStore) -> [String: BindingRecords.NamespaceRecord] {
        let keeping = Set(kept.filter(\.isPolicy).map(\.namespace))
        var records: [String: BindingRecords.NamespaceRecord] = [:]
        for name in occupied.all {
            let labels = store.namespace(name)?.metadata.labels ?? labels[name] ?? remembered[name]?.labels
            let keepsPolicies = keeping.contains(name) || remembered[name]?.keepsPolicies == true
            records[name] = labels.map { .init(labels: $0, keepsPolicies: keepsPolicies) }
        }
        return records
    }

    /// The changes that are to be put in force of those of the objects, in order.
    mutating func filter(_ changes: [ObjectChange], occupied: Occupied, in store: ObjectStore) -> [ObjectChange] {
        var result = recall(occupied, store)
        // Policies go by what becomes of their namespace, wherever that stands in the list.
        for case .delete(let key) in changes where key.objectKind == .namespace && occupied.all.contains(key.name) {
            kept.insert(key)
        }
        for change in changes {
            switch change {
            case .upsert(let object):
                kept.remove(object.key)
                if case .namespace(let namespace) = object {
                    labels[namespace.metadata.name] = namespace.metadata.labels
                }
                result.append(change)
            case .standIns(_, let key):
                kept.remove(key)
                result.append(change)
            case .delete(let key):
                if isKept(key, occupied, store) {
                    kept.insert(key)
                } else {
                    if key.objectKind == .namespace { labels[key.name] = nil }
                    result.append(change)
                }
            case .name, .ownAddresses, .ownNetworks:
                result.append(change)
            }
        }
        return result + release(occupied, store)
    }

    /// Whether something that is deleted stays.
    private func isKept(_ key: ObjectKey, _ occupied: Occupied, _ store: ObjectStore) -> Bool {
        if key.objectKind == .namespace { return occupied.all.contains(key.name) }
        guard key.isPolicy, !key.namespace.isEmpty else { return false }
        if let namespace = store.namespace(key.namespace) {
            return namespace.isTerminating && occupied.all.contains(key.namespace)
        }
        // A folder need not declare namespaces: that there is none says nothing, that there is none any more does.
        return kept.contains(NamespaceKeeper.key(key.namespace)) && occupied.orphaned.contains(key.namespace)
    }

    /// Deletes what need not be kept any more.
    private mutating func release(_ occupied: Occupied, _ store: ObjectStore) -> [ObjectChange] {
        // Policies first: a pod that is still there must not meet them without its namespace's labels.
        let over = kept.filter { !isKept($0, occupied, store) }.sorted { $0.isPolicy && !$1.isPolicy }
        kept.subtract(over)
        for key in over where key.objectKind == .namespace { labels[key.name] = nil }
        return over.map { .delete($0) }
    }

    /// What an agent before kept, or would keep now: the labels are known, the policies are not, so that nothing but policies of the
    /// cluster allows anything to its pods.
    private mutating func recall(_ occupied: Occupied, _ store: ObjectStore) -> [ObjectChange] {
        defer { remembered = [:] }
        var result: [ObjectChange] = []
        for (name, record) in remembered.sorted(by: { $0.key < $1.key }) where occupied.all.contains(name) {
            if let namespace = store.namespace(name) {
                guard namespace.isTerminating else { continue }
            } else {
                let namespace = Namespace(metadata: ObjectMeta(name: name, labels: record.labels))
                result.append(.upsert(.namespace(namespace)))
                labels[name] = namespace.metadata.labels
                kept.insert(NamespaceKeeper.key(name))
            }
            guard record.keepsPolicies || occupied.orphaned.contains(name) else { continue }
            let closed = ClusterObject.networkPolicy(
                NetworkPolicy(
                    metadata: ObjectMeta(name: NamespaceKeeper.standIn, namespace: name), podSelector: LabelSelector(),
                    policyTypes: [.ingress, .egress], ingress: [], egress: []))
            result.append(.upsert(closed))
            kept.insert(closed.key)
        }
        return result
    }

    /// No object of an API server has this name.
    static let standIn = "(namespace gone)"

    private static func key(_ namespace: String) -> ObjectKey {
        ObjectKey(kind: ObjectKind.namespace.rawValue, namespace: "", name: namespace)
    }

    /// What the operator should know about it.
    var conditions: [Condition] {
        let namespaces = Set(kept.map { $0.objectKind == .namespace ? $0.name : $0.namespace })
        return namespaces.map { name in
            let policies = kept.filter { $0.isPolicy && $0.namespace == name }.count
            return Condition(
                kind: .namespaceKept, subject: name,
                message:
                    "the namespace is gone or being deleted, and pods of it are still on this node: for them its labels"
                    + (policies == 0 ? "" : " and \(policies) of its policies")
                    + " stay in force until their interfaces are gone")
        }
    }
}

extension ObjectStore {
    /// The Namespace object in force.
    fileprivate func namespace(_ name: String) -> Namespace? {
        let key = ObjectKey(kind: ObjectKind.namespace.rawValue, namespace: "", name: name)
        if case .namespace(let namespace)? = object(key) { return namespace }
        return nil
    }
}
