import BPFEmit
import PolicyAPI
import PolicyIR

/// What of a namespace stays in force although it is being deleted, for as long as pods of it have an interface on this node.
///
/// A namespace goes with all that is in it, and a pod that runs on (its Pod object was deleted by force, its process does not end) would
/// lose the labels by which policies select it, and then the policies of its namespace: it would be open. So
///
/// - the labels of a namespace without object stay while a pod of it is here;
/// - its own policies stay that are deleted while it is being deleted, or with it while a pod without object is here;
/// - a pod is here too whose object or whose interface is still to come: as soon as both are there it is enforced with what is in force then;
/// - whether it is being deleted is asked of the API server before one of its policies goes: kinds are followed apart, so the end of a
///   policy may come before its namespace's, but the server has marked the namespace before it deletes anything of it;
/// - the next agent knows the labels by `BindingRecords`, and of the policies the names: where one of them was deleted with the namespace,
///   while no agent ran too, it isolates those pods, but for what policies of the cluster allow them.
///
/// What is deleted from a namespace that is there goes. One that is there again counts as it is.
struct NamespaceKeeper: Sendable {
    /// Namespaces with pods on this node.
    struct Occupied: Hashable, Sendable {
        /// Those known to have any.
        private(set) var all: Set<String> = []
        /// Those known to have pods without object.
        private(set) var orphaned: Set<String> = []
        /// Whether there is a pod without object of which nobody says the namespace: it may be of any.
        private(set) var hasNameless = false

        init() {}

        init(_ view: BindingView) {
            for endpoint in view.endpoints {
                let namespace = endpoint.pod.metadata.namespace
                all.insert(namespace)
                if !endpoint.isCurrent { orphaned.insert(namespace) }
            }
            for pod in view.waiting { all.insert(pod.metadata.namespace) }
            for stub in view.stubs where stub.isPod {
                if stub.reference.namespace.isEmpty {
                    hasNameless = true
                } else {
                    all.insert(stub.reference.namespace)
                    orphaned.insert(stub.reference.namespace)
                }
            }
        }

        /// Whether a namespace has pods here, or may have.
        func contains(_ namespace: String) -> Bool { hasNameless || all.contains(namespace) }

        /// Whether it has pods without object here, or may have.
        func isOrphaned(_ namespace: String) -> Bool { hasNameless || orphaned.contains(namespace) }
    }

    /// What is in force and was deleted.
    private(set) var kept: Set<ObjectKey> = []
    /// Policies that were deleted, by the number of the question that is to say whether their namespace is; 0: to be asked.
    private var doubtful: [ObjectKey: UInt64] = [:]
    /// Those of namespaces that are being deleted, as the server says and `filter` was not told yet.
    private var ending: Set<ObjectKey> = []
    private var questions: UInt64 = 0
    private let asksServer: Bool
    /// Labels of the namespaces in force, by name.
    private var labels: [String: [String: String]] = [:]
    /// The policies in force, by namespace.
    private var policies: [String: Set<ObjectKey>] = [:]
    /// Whether `policies` has become another set since `takeNews` was called last, of a namespace with pods here.
    private var hasNews = false
    /// What an earlier agent had in force, until the first call of `filter`.
    private var remembered: [String: BindingRecords.NamespaceRecord]

    /// Nothing is kept yet. `remembered` is what an earlier agent had in force, by namespace. Without `asksServer` nobody is asked about
    /// namespaces: a folder is read as a whole.
    init(remembered: [String: BindingRecords.NamespaceRecord] = [:], asksServer: Bool = false) {
        self.remembered = remembered
        self.asksServer = asksServer
    }

    /// Whether policies stay until a namespace was asked about.
    var isAsking: Bool { !doubtful.isEmpty }

    /// The policies that are in force and were deleted, with why they are, in words.
    var policiesKept: [ObjectKey: String] {
        var found: [ObjectKey: String] = [:]
        for key in kept where key.isPolicy {
            found[key] =
                doubtful[key] == nil
                ? "its namespace is gone or being deleted, and pods of that are, or may be, still on this node"
                : "it was deleted, and the API server is asked whether its namespace is being deleted too"
        }
        return found
    }

    /// What is to be asked, each once.
    mutating func takeQuestions() -> [NamespaceQuestion] {
        let new = doubtful.filter { $0.value == 0 }.keys
        var asked: [String: NamespaceQuestion] = [:]
        for key in new.sorted() {
            if asked[key.namespace] == nil {
                questions += 1
                asked[key.namespace] = NamespaceQuestion(name: key.namespace, number: questions)
            }
            doubtful[key] = asked[key.namespace]?.number
        }
        return asked.values.sorted { $0.number < $1.number }
    }

    /// Takes an answer. Whether something is to be put in force.
    mutating func answer(_ question: NamespaceQuestion, isEnding: Bool) -> Bool {
        let decided = doubtful.filter { $0.value == question.number }.keys
        for key in decided {
            doubtful[key] = nil
            if isEnding { ending.insert(key) }
        }
        return !decided.isEmpty
    }

    /// Whether the next agent has to be told something else than at the last call, of policies.
    mutating func takeNews() -> Bool {
        defer { hasNews = false }
        return hasNews
    }

    /// What the next agent has to be told: of namespaces with pods here.
    func records(of occupied: Occupied, in store: ObjectStore) -> [String: BindingRecords.NamespaceRecord] {
        let keeping = Set(kept.filter(\.isPolicy).map(\.namespace))
        var records: [String: BindingRecords.NamespaceRecord] = [:]
        let namespaces = occupied.hasNameless ? occupied.all.union(labels.keys).union(remembered.keys) : occupied.all
        for name in namespaces {
            let labels = store.namespace(name)?.metadata.labels ?? labels[name] ?? remembered[name]?.labels
            let keepsPolicies = keeping.contains(name) || remembered[name]?.keepsPolicies == true
            let names = remembered[name]?.policies ?? (policies[name] ?? []).map(NamespaceKeeper.name).sorted()
            records[name] = labels.map { .init(labels: $0, keepsPolicies: keepsPolicies, policies: names) }
        }
        return records
    }

    /// The changes that are to be put in force of those of the objects, in order.
    mutating func filter(_ changes: [ObjectChange], occupied: Occupied, in store: ObjectStore) -> [ObjectChange] {
        var result = recall(occupied, store)
        // Policies go by what becomes of their namespace, wherever that stands in the list.
        for case .delete(let key) in changes where key.objectKind == .namespace && occupied.contains(key.name) {
            kept.insert(key)
        }
        for change in changes {
            switch change {
            case .upsert(let object):
                keepNoMore(object.key)
                if case .namespace(let namespace) = object {
                    labels[namespace.metadata.name] = namespace.metadata.labels
                    ask(again: namespace)
                }
                result.append(change)
            case .standIns(_, let key):
                keepNoMore(key)
                result.append(change)
            case .delete(let key):
                if isToBeAsked(key, occupied, store) { doubtful[key] = 0 }
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
        result += release(occupied, store)
        for change in result { note(change, occupied) }
        return result
    }

    /// Notes which policies are in force.
    private mutating func note(_ change: ObjectChange, _ occupied: Occupied) {
        let key: ObjectKey
        let isThere: Bool
        switch change {
        case .upsert(let object): (key, isThere) = (object.key, true)
        case .standIns(_, let refused): (key, isThere) = (refused, true)
        case .delete(let deleted): (key, isThere) = (deleted, false)
        case .name, .ownAddresses, .ownNetworks: return
        }
        guard key.isPolicy, !key.namespace.isEmpty else { return }
        let isNews =
            isThere
            ? policies[key.namespace, default: []].insert(key).inserted
            : policies[key.namespace]?.remove(key) != nil
        if policies[key.namespace]?.isEmpty == true { policies[key.namespace] = nil }
        hasNews = hasNews || isNews && occupied.contains(key.namespace)
    }

    /// What a policy is called in records.
    private static func name(_ policy: ObjectKey) -> String { "\(policy.kind) \(policy.name)" }

    private mutating func keepNoMore(_ key: ObjectKey) {
        kept.remove(key)
        doubtful[key] = nil
        ending.remove(key)
    }

    /// A namespace that was said to be ending has another state than before: that one, if it is not the end, may be an older one, or
    /// the namespace is there again.
    private mutating func ask(again namespace: Namespace) {
        for key in ending where key.namespace == namespace.metadata.name {
            ending.remove(key)
            if !namespace.isTerminating { doubtful[key] = 0 }
        }
    }

    /// Whether a policy goes of which it is not known whether its namespace goes too.
    private func isToBeAsked(_ key: ObjectKey, _ occupied: Occupied, _ store: ObjectStore) -> Bool {
        asksServer && key.isPolicy && occupied.contains(key.namespace)
            && store.namespace(key.namespace)?.isTerminating == false
    }

    /// Whether something that is deleted stays.
    private func isKept(_ key: ObjectKey, _ occupied: Occupied, _ store: ObjectStore) -> Bool {
        if doubtful[key] != nil { return true }
        if ending.contains(key), store.namespace(key.namespace) != nil { return occupied.contains(key.namespace) }
        if key.objectKind == .namespace { return occupied.contains(key.name) }
        guard key.isPolicy, !key.namespace.isEmpty else { return false }
        if let namespace = store.namespace(key.namespace) {
            return namespace.isTerminating && occupied.contains(key.namespace)
        }
        // A folder need not declare namespaces: that there is none says nothing, that there is none any more does.
        guard kept.contains(NamespaceKeeper.key(key.namespace)), occupied.contains(key.namespace) else { return false }
        // What was kept while it ended stays with it, and a server lets it go only after everything in it: objects of pods that are
        // still followed are behind. In a folder a policy of pods that are there is one that somebody deletes.
        return asksServer || kept.contains(key) || occupied.isOrphaned(key.namespace)
    }

    /// Deletes what need not be kept any more.
    private mutating func release(_ occupied: Occupied, _ store: ObjectStore) -> [ObjectChange] {
        // Policies first: a pod that is still there must not meet them without its namespace's labels.
        let over = kept.filter { !isKept($0, occupied, store) }.sorted { $0.isPolicy && !$1.isPolicy }
        kept.subtract(over)
        ending.subtract(over)
        for key in over where key.objectKind == .namespace { labels[key.name] = nil }
        return over.map { .delete($0) }
    }

    /// What an agent before kept, or would keep now: the labels are known, the policies are not, so that nothing but policies of the
    /// cluster allows anything to its pods.
    private mutating func recall(_ occupied: Occupied, _ store: ObjectStore) -> [ObjectChange] {
        defer { remembered = [:] }
        var result: [ObjectChange] = []
        for (name, record) in remembered.sorted(by: { $0.key < $1.key }) where occupied.contains(name) {
            if let namespace = store.namespace(name) {
                guard namespace.isTerminating else { continue }
            } else {
                let namespace = Namespace(metadata: ObjectMeta(name: name, labels: record.labels))
                result.append(.upsert(.namespace(namespace)))
                labels[name] = namespace.metadata.labels
                kept.insert(NamespaceKeeper.key(name))
            }
            // Nothing can be made in a namespace that is being deleted: what is missing went with it.
            let isMissing = { (policy: String) in
                let parts = policy.split(separator: " ", maxSplits: 1).map(String.init)
                return parts.count != 2 || !store.has(ObjectKey(kind: parts[0], namespace: name, name: parts[1]))
            }
            guard
                record.keepsPolicies || occupied.isOrphaned(name)
                    || record.policies?.contains(where: isMissing) == true
            else { continue }
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
        let kept = kept.filter { doubtful[$0] == nil }
        let namespaces = Set(kept.map { $0.objectKind == .namespace ? $0.name : $0.namespace })
        return namespaces.map { name in
            let policies = kept.filter { $0.isPolicy && $0.namespace == name }.count
            return Condition(
                kind: .namespaceKept, subject: name,
                message:
                    "the namespace is gone or being deleted, and pods of it are, or may be, still on this node: for them its labels"
                    + (policies == 0 ? "" : " and \(policies) of its policies")
                    + " stay in force until they are gone")
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
