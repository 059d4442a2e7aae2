import PolicyAPI

/// The Services of pods.
struct ServicePods {
    private let ofClass: [LintCluster.PodClass: [Service]]
    /// Services of namespaces without known pods, by namespace, with the conditions of their selectors.
    private let unseen: [String: [(conditions: Set<SubjectScope.Condition>, service: Service)]]

    /// The ports of all Services.
    let ports: Set<UInt16>

    init(_ cluster: LintCluster) {
        var ofClass: [LintCluster.PodClass: [Service]] = [:]
        var unseen: [String: [(Set<SubjectScope.Condition>, Service)]] = [:]
        for service in cluster.objects.services where !service.selector.isEmpty && !service.ports.isEmpty {
            let selector = LabelSelector(
                service.selector.sorted { $0.key < $1.key }
                    .map { LabelRequirement(key: $0.key, operator: .isIn, values: [$0.value]) })
            let namespace = service.metadata.namespace
            if cluster.populated.contains(namespace) {
                for podClass in cluster.pods(matching: .pods(.named(namespace), selector)) {
                    ofClass[podClass, default: []].append(service)
                }
            } else {
                unseen[namespace, default: []].append(
                    (Set(selector.requirements.map(SubjectScope.Condition.init)), service))
            }
        }
        self.ofClass = ofClass
        self.unseen = unseen
        ports = Set(cluster.objects.services.lazy.flatMap(\.ports).map(\.port))
    }

    var isEmpty: Bool { ofClass.isEmpty && unseen.isEmpty }

    /// The Services of the destination pods of a rule: of known pods, else those with exactly the same selector.
    func services(of destination: DestinationPorts.Destination) -> [Service] {
        if !destination.classes.isEmpty {
            return destination.classes.flatMap { ofClass[$0] ?? [] }
        }
        guard let scope = destination.scope, let names = scope.namespaces, names.count == 1, let name = names.first
        else { return [] }
        return (unseen[name] ?? []).filter { $0.conditions == scope.conditions }.map(\.service)
    }

    /// Whether a Service port may lead to a port of the pods. A name that no known pod has may stand for any number.
    func mayLead(_ port: ServicePort, to number: UInt16, _ destination: DestinationPorts.Destination) -> Bool {
        switch port.target {
        case .number(let target): return target == number
        case .named(let name):
            let known = destination.ports.filter { $0.name == name && $0.protocol == port.protocol }
            return known.isEmpty || known.contains { $0.port == number }
        }
    }
}
