import BPFEmit
import PolicyAPI

/// What stays in force of this node's Node object when an API server does not have it any more, or has it without any label: host
/// policies select the node by its labels, and what is known less takes nothing off. Every kubelet labels its node, so an object
/// without any is no whole one. Kept until there is one again, over restarts of the agent too.
struct NodeKeeper: Sendable {
    /// What is wrong with the object.
    private enum Loss: Hashable {
        case gone
        case unlabelled
    }

    private let key: ObjectKey
    private let isKeeping: Bool
    /// The object in force.
    private var last: Node?
    private var loss: Loss?
    /// The labels that an earlier agent had in force, until the first call of `filter`.
    private var remembered: [String: String]?

    /// For the node of this name. Without `isKeeping` the object counts as it is: a folder says what its author means.
    init(node: String, isKeeping: Bool, remembered: [String: String]?) {
        key = ObjectKey(kind: ObjectKind.node.rawValue, namespace: "", name: node)
        self.isKeeping = isKeeping
        self.remembered = isKeeping ? remembered : nil
    }

    /// What the next agent has to be told.
    func labels(in store: ObjectStore) -> [String: String]? {
        guard isKeeping else { return nil }
        if case .node(let node)? = store.object(key), !node.metadata.labels.isEmpty { return node.metadata.labels }
        return last?.metadata.labels ?? remembered
    }

    /// The changes that are to be put in force of those of the objects, in order.
    mutating func filter(_ changes: [ObjectChange], in store: ObjectStore) -> [ObjectChange] {
        guard isKeeping else { return changes }
        defer { remembered = nil }
        let recalled = recall(store)
        return recalled
            + changes.compactMap { change -> ObjectChange? in
                switch change {
                case .upsert(.node(let node)) where node.metadata.name == key.name:
                    return .upsert(.node(take(node)))
                case .delete(let deleted) where deleted == key && last != nil:
                    loss = .gone
                    return nil
                case .upsert, .delete, .standIns, .name, .ownAddresses, .ownNetworks: return change
                }
            }
    }

    private mutating func take(_ node: Node) -> Node {
        var node = node
        loss = nil
        if node.metadata.labels.isEmpty, let labels = last?.metadata.labels ?? remembered, !labels.isEmpty {
            node.metadata.labels = labels
            loss = .unlabelled
        }
        last = node
        return node
    }

    private mutating func recall(_ store: ObjectStore) -> [ObjectChange] {
        guard let remembered, last == nil, store.object(key) == nil else { return [] }
        let node = Node(metadata: ObjectMeta(name: key.name, labels: remembered), addresses: [])
        last = node
        loss = .gone
        return [.upsert(.node(node))]
    }

    /// What the operator should know about it.
    var conditions: [Condition] {
        loss.map { loss in
            Condition(
                kind: .nodeKept, subject: key.name,
                message: "the Node object \(loss == .gone ? "is gone" : "has no labels any more"): "
                    + "those that it had last stay in force until there is one with labels again")
        }.map { [$0] } ?? []
    }
}
