/// The contents of manifests: the valid objects, and the diagnostics about the rest.
public struct DecodedManifests: Sendable {
    /// The objects without an error.
    public var objects = ClusterObjects()
    /// Deployments and other workloads, if the decoder was asked to read them.
    public var workloads: [Workload] = []
    /// One line about what `addSyntheticPods` has added; `nil` when nothing.
    public private(set) var syntheticPodsSummary: String?
    /// How many objects there were, including those refused or skipped.
    public var objectCount = 0
    /// All diagnostics, sorted by location.
    public var diagnostics: [Diagnostic] = []
    /// Objects of kinds that are not policy input and have no diagnostic of their own, counted by kind.
    public var skipped: [String: Int] = [:]
    /// Documents without apiVersion and kind, and files that hold no object at all, if the decoder was asked to pass over them.
    public var otherDocuments = 0
    /// Namespaces in which workloads stand for their pods: what else runs there is not known.
    public private(set) var syntheticNamespaces: Set<String> = []
    /// Policies that were refused because of an error in them.
    public var refused: [PolicyRefusal] = []
    /// The documents of the policies without an error, if the decoder was asked to keep them: they give the location of
    /// each value.
    public var documents = PolicyDocuments()

    /// No manifests.
    public init() {}

    /// One line about skipped objects, for example `skipped 3 objects that are not policy input: Ingress 2, Gateway 1`;
    /// `nil` if none were.
    public var skippedSummary: String? {
        let others =
            otherDocuments == 0
            ? nil : "\(otherDocuments) document\(otherDocuments == 1 ? "" : "s") without apiVersion and kind"
        guard !skipped.isEmpty else { return others.map { "skipped \($0)" } }
        let count = skipped.values.reduce(0, +)
        var kinds = skipped.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }
        if let others { kinds.append("; and \(others)") }
        return "skipped \(count) object\(count == 1 ? "" : "s") that \(count == 1 ? "is" : "are") not policy input: "
            + kinds.joined(separator: ", ").replacing(", ; ", with: "; ")
    }

    /// Adds a synthetic pod for each replica of each workload whose pods are not among the objects, and addresses for pods
    /// that have none (`WorkloadPods`, `SyntheticAddresses`). For folders of manifests: in a cluster the pods exist.
    public mutating func addSyntheticPods() {
        let made = WorkloadPods(workloads, objects)
        syntheticNamespaces.formUnion(made.pods.map(\.metadata.namespace))
        for index in objects.pods.indices where !made.claimed.isEmpty {
            if let owner = made.claimed[objects.pods[index].qualifiedName] { objects.pods[index].owners = [owner] }
        }
        objects.pods += made.pods
        objects.addSyntheticAddresses()
        guard !made.pods.isEmpty else { return }
        let count = made.pods.count
        syntheticPodsSummary =
            "\(count) synthetic pod\(count == 1 ? "" : "s") for the workloads, with synthetic addresses: "
            + made.pods.prefix(8).map(\.qualifiedName).joined(separator: ", ") + (count > 8 ? ", ..." : "")
            + made.cut.map {
                "; \($0.description) has \($0.replicas) replicas, of which \(WorkloadPods.replicaLimit) are added"
            }
            .joined()
    }

    /// Whether any diagnostic is an error: a command that only reads then exits with 2.
    public var hasErrors: Bool { diagnostics.hasErrors }
}
