/// Makes synthetic pods for workloads whose pods are not among the objects: a Git repository has Deployments and policies,
/// but no pods.
///
/// A Deployment `web` of namespace `shop` becomes `shop/web-1`, `shop/web-2` and so on, one per replica; a StatefulSet `db`
/// becomes `shop/db-0`, with its ordinal as label; a DaemonSet becomes one pod on each Node, in the order of their names; a
/// Job or CronJob becomes the pods that run at a time. Numbers of real pods are skipped.
struct WorkloadPods {
    /// The maximum number of pods per workload: more would get the same verdicts.
    static let replicaLimit = 10

    /// The synthetic pods.
    private(set) var pods: [Pod] = []
    /// Workloads with more replicas than synthetic pods.
    private(set) var cut: [Workload] = []

    private let real: [String: [Pod]]
    private let nodes: [String]
    private var names: Set<String>

    /// Pods of the files that name no owner and are those of a workload by its selector: their names, with the owner.
    private(set) var claimed: [String: ObjectOwner] = [:]

    /// Makes the pods of `workloads`; one that is owned by another (a ReplicaSet of a Deployment) is skipped.
    init(_ workloads: [Workload], _ objects: ClusterObjects) {
        real = Dictionary(grouping: objects.pods, by: \.metadata.namespace)
        nodes = Set(objects.nodes.map(\.metadata.name)).sorted()
        names = Set(objects.pods.map(\.qualifiedName))
        let known = Set(workloads.map(\.description))
        let order = workloads.sorted {
            ($0.metadata.namespace, $0.metadata.name, $0.kind.rawValue)
                < ($1.metadata.namespace, $1.metadata.name, $1.kind.rawValue)
        }
        for workload in order {
            let isOwned = workload.owners.contains {
                known.contains("\($0.kind) \(workload.metadata.namespace)/\($0.name)")
            }
            if !isOwned, !hasPods(workload) { add(workload) }
            if !isOwned { claim(workload) }
        }
    }

    private func hasPods(_ workload: Workload) -> Bool {
        guard let pods = real[workload.metadata.namespace] else { return false }
        let selector = workload.ownSelector
        return pods.contains { pod in
            pod.owners.contains { workload.owns($0) }
                || (!selector.requirements.isEmpty && selector.matches(pod.metadata.labels))
        }
    }

    private mutating func claim(_ workload: Workload) {
        let selector = workload.ownSelector
        guard !selector.requirements.isEmpty else { return }
        for pod in real[workload.metadata.namespace] ?? []
        where pod.owners.isEmpty && claimed[pod.qualifiedName] == nil && selector.matches(pod.metadata.labels) {
            claimed[pod.qualifiedName] = ObjectOwner(kind: workload.kind.rawValue, name: workload.metadata.name)
        }
    }

    private mutating func add(_ workload: Workload) {
        if workload.kind == .daemonSet, !nodes.isEmpty {
            for (index, node) in nodes.enumerated() { add(workload, number: index + 1, node: node) }
            return
        }
        let count = min(workload.replicas, WorkloadPods.replicaLimit)
        if count < workload.replicas { cut.append(workload) }
        let first = workload.kind == .statefulSet ? workload.firstOrdinal : 1
        for number in 0..<count { add(workload, number: first + number, node: workload.template.nodeName) }
    }

    private mutating func add(_ workload: Workload, number: Int, node: String) {
        var pod = workload.template
        var number = number
        repeat {
            pod.metadata.name = "\(workload.metadata.name)-\(number)"
            number += 1
        } while !names.insert(pod.qualifiedName).inserted
        pod.metadata.location = workload.metadata.location
        pod.nodeName = node
        pod.isSynthetic = true
        pod.owners = [ObjectOwner(kind: workload.kind.rawValue, name: workload.metadata.name)]
        // Labels that controllers add and policies may select.
        switch workload.kind {
        case .statefulSet:
            pod.metadata.labels["statefulset.kubernetes.io/pod-name"] = pod.metadata.name
            pod.metadata.labels["apps.kubernetes.io/pod-index"] = "\(number - 1)"
        case .job:
            pod.metadata.labels["job-name"] = workload.metadata.name
            pod.metadata.labels["batch.kubernetes.io/job-name"] = workload.metadata.name
        case .deployment, .daemonSet, .replicaSet, .replicationController, .cronJob: break
        }
        pods.append(pod)
    }
}

extension Workload {
    /// The selector of its pods, or, where it has none, the labels of its template.
    fileprivate var ownSelector: LabelSelector {
        guard selector.requirements.isEmpty else { return selector }
        return LabelSelector(
            template.metadata.labels.sorted { $0.key < $1.key }
                .map { LabelRequirement(key: $0.key, operator: .isIn, values: [$0.value]) })
    }

    /// Whether an owner of a pod is this workload, or one that it has created: a ReplicaSet `web-5d4f` of a Deployment
    /// `web`, a Job `backup-28391` of a CronJob `backup`.
    fileprivate func owns(_ owner: ObjectOwner) -> Bool { kind.owns(owner, as: metadata.name) }
}

extension Workload.Kind {
    /// Whether an owner of a pod is the workload of this kind with a name, or one that it has created.
    public func owns(_ owner: ObjectOwner, as name: String) -> Bool {
        if owner.kind == rawValue { return owner.name == name }
        let made: Workload.Kind? =
            switch self {
            case .deployment: .replicaSet
            case .cronJob: .job
            case .statefulSet, .daemonSet, .replicaSet, .replicationController, .job: nil
            }
        guard owner.kind == made?.rawValue, owner.name.hasPrefix(name + "-") else { return false }
        return !owner.name.dropFirst(name.count + 1).contains("-")
    }
}
