/// What manifests hold: the good objects, and everything there is to say about the rest.
public struct DecodedManifests: Sendable {
    /// The objects without an error.
    public var objects = ClusterObjects()
    /// Deployments and the like, if the decoder was asked to read them.
    public var workloads: [Workload] = []
    /// What `addStandIns` has made, in words; `nil` when nothing.
    public private(set) var standInsInWords: String?
    /// How many objects there were, those refused or skipped included.
    public var objectCount = 0
    /// Everything found, sorted by place.
    public var diagnostics: [Diagnostic] = []
    /// Objects of kinds that are no policy input and have no finding of their own, counted by kind.
    public var skipped: [String: Int] = [:]
    /// Policies that were not taken over, because of an error of their own.
    public var refused: [PolicyRefusal] = []
    /// The documents of the policies without an error, if the decoder was asked to keep them: where each of their values is
    /// written.
    public var documents = PolicyDocuments()

    /// Nothing.
    public init() {}

    /// What was skipped, one line, for example `skipped 3 objects that are no policy input: Ingress 2, Gateway 1`; `nil` if
    /// nothing was.
    public var skippedInWords: String? {
        guard !skipped.isEmpty else { return nil }
        let count = skipped.values.reduce(0, +)
        let kinds = skipped.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }
        return "skipped \(count) object\(count == 1 ? "" : "s") that \(count == 1 ? "is" : "are") no policy input: "
            + kinds.joined(separator: ", ")
    }

    /// Adds a pod for each replica of each workload whose pods are not among the objects, and addresses for pods that have
    /// none (`WorkloadPods`, `SyntheticAddresses`). For folders of manifests: in a cluster the pods are there.
    public mutating func addStandIns() {
        let made = WorkloadPods(workloads, objects)
        objects.pods += made.pods
        objects.addSyntheticAddresses()
        guard !made.pods.isEmpty else { return }
        let count = made.pods.count
        standInsInWords =
            "\(count) pod\(count == 1 ? " stands" : "s stand") for the workloads, with made-up addresses: "
            + made.pods.prefix(8).map(\.qualifiedName).joined(separator: ", ") + (count > 8 ? ", ..." : "")
            + made.cut.map {
                "; \($0.description) has \($0.replicas) replicas, of which \(WorkloadPods.replicaLimit) are shown"
            }
            .joined()
    }

    /// Whether anything is an error: a command that only reads then exits with 2.
    public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}
