import NetTypes
import PolicyAPI

/// Services by name, with the addresses of those without selector: what `toServices` is resolved with.
struct ServiceDirectory: Sendable {
    private var byName: [String: [Service]]
    private var slices: [String: [EndpointSlice]]

    init(_ objects: ClusterObjects) {
        byName = Dictionary(grouping: objects.services, by: \.metadata.name)
        slices = Dictionary(grouping: objects.endpointSlices, by: ServiceDirectory.service)
    }

    /// All services and endpoint slices, in no order.
    var all: (services: [Service], slices: [EndpointSlice]) {
        (byName.values.flatMap(\.self), slices.values.flatMap(\.self))
    }

    /// The service of a name.
    func service(_ name: String, in namespace: String) -> Service? {
        byName[name]?.first { $0.metadata.namespace == namespace }
    }

    /// Sets the service of a name, `nil`: there is none. Returns the one before.
    mutating func set(_ name: String, in namespace: String, _ service: Service?) -> Service? {
        let before = self.service(name, in: namespace)
        byName[name]?.removeAll { $0.metadata.namespace == namespace }
        if let service { byName[name, default: []].append(service) }
        if byName[name]?.isEmpty == true { byName[name] = nil }
        return before
    }

    /// Replaces an endpoint slice.
    mutating func replace(_ before: EndpointSlice?, by after: EndpointSlice?) {
        if let before {
            let key = ServiceDirectory.service(of: before)
            slices[key]?.removeAll { $0.metadata.name == before.metadata.name }
            if slices[key]?.isEmpty == true { slices[key] = nil }
        }
        if let after { slices[ServiceDirectory.service(of: after), default: []].append(after) }
    }

    /// The services that a reference means. "Matching services of all namespaces when namespace is empty."
    func services(_ reference: ServiceReference) -> [Service] {
        let candidates: [Service] =
            switch reference {
            case .named(let name, _): byName[name] ?? []
            case .selected: byName.values.flatMap(\.self)
            }
        return candidates.filter { ServiceDirectory.means(reference, $0) }.sorted {
            ($0.metadata.namespace, $0.metadata.name) < ($1.metadata.namespace, $1.metadata.name)
        }
    }

    /// Whether a reference means a service.
    static func means(_ reference: ServiceReference, _ service: Service) -> Bool {
        switch reference {
        case .named(let name, let namespace):
            name == service.metadata.name && (namespace.isEmpty || service.metadata.namespace == namespace)
        // "k8sServiceSelector matches service labels; label source is ignored".
        case .selected(let selector, let namespace):
            (namespace.isEmpty || service.metadata.namespace == namespace) && selector.matches(service.metadata.labels)
        }
    }

    /// The peers that a service stands for; empty when it has neither a selector nor addresses.
    func peers(of service: Service, isDenied: Bool) -> [Peer] {
        // "Service with a pod selector: toEndpoints {selector labels + the service's namespace}", then the cluster.
        if !service.selector.isEmpty {
            var labels = service.selector
            labels[CiliumKey.namespace] = service.metadata.namespace
            labels[CiliumKey.cluster] = CiliumKey.localCluster
            let requirements = labels.sorted { $0.key < $1.key }.map {
                LabelRequirement(source: "k8s", key: $0.key, operator: .isIn, values: [$0.value])
            }
            return [.endpoints(LabelSelector(requirements))]
        }
        // "Service without selector: one host prefix per backend address; cannot match pods or nodes". A deny does: `default/kubernetes`
        // stands for nodes in most clusters.
        let space = isDenied ? AddressSpace.everywhere : .outsideCluster
        let addresses = (slices["\(service.metadata.namespace)/\(service.metadata.name)"] ?? []).flatMap(\.addresses)
        return Set(addresses).sorted().map { .addresses(IPPrefix(host: $0), except: [], space) }
    }

    /// The service that a slice belongs to, `namespace/name`.
    private static func service(of slice: EndpointSlice) -> String {
        "\(slice.metadata.namespace)/\(slice.serviceName)"
    }
}
