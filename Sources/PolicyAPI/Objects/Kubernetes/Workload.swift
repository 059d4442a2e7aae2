/// An object that creates pods from a template. In a folder without its pods, synthetic pods take their place.
public struct Workload: Hashable, Sendable {
    /// The kinds that are read.
    public enum Kind: String, Hashable, CaseIterable, Sendable {
        /// apps/v1.
        case deployment = "Deployment"
        /// apps/v1.
        case statefulSet = "StatefulSet"
        /// apps/v1.
        case daemonSet = "DaemonSet"
        /// apps/v1.
        case replicaSet = "ReplicaSet"
        /// v1.
        case replicationController = "ReplicationController"
        /// batch/v1.
        case job = "Job"
        /// batch/v1.
        case cronJob = "CronJob"
    }

    /// The kind.
    public var kind: Kind
    /// Name and namespace.
    public var metadata: ObjectMeta
    /// How many pods it keeps at a time; a DaemonSet keeps one per node instead.
    public var replicas: Int
    /// The ordinal of a StatefulSet's first pod.
    public var firstOrdinal: Int
    /// The selector of its pods; without conditions when absent.
    public var selector: LabelSelector
    /// A pod as the template describes it, without name.
    public var template: Pod
    /// Its owners: the Deployment of a ReplicaSet, the CronJob of a Job.
    public var owners: [ObjectOwner]

    /// A workload.
    public init(
        kind: Kind, metadata: ObjectMeta, replicas: Int = 1, firstOrdinal: Int = 0,
        selector: LabelSelector = LabelSelector(), template: Pod, owners: [ObjectOwner] = []
    ) {
        self.kind = kind
        self.metadata = metadata
        self.replicas = replicas
        self.firstOrdinal = firstOrdinal
        self.selector = selector
        self.template = template
        self.owners = owners
    }

    /// `Deployment shop/web`.
    public var description: String { "\(kind.rawValue) \(metadata.namespace)/\(metadata.name)" }
}

/// An element of `metadata.ownerReferences`; owners are in the object's namespace.
public struct ObjectOwner: Hashable, Sendable {
    /// The owner's kind.
    public var kind: String
    /// The owner's name.
    public var name: String

    /// An owner.
    public init(kind: String, name: String) {
        self.kind = kind
        self.name = name
    }
}
