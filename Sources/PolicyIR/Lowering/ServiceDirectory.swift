import NetTypes
import PolicyAPI

/// Services by name, with the addresses of those without selector: what `toServices` is resolved with.
struct ServiceDirectory {
    private let services: [Service]
    private let byName: [String: [Service]]
    private let slices: [String: [EndpointSlice]]

    init(_ objects: ClusterObjects) {
        services = objects.services
        byName = Dictionary(grouping: objects.services, by: \.metadata.name)
        slices = Dictionary(grouping: objects.endpointSlices, by: { "\($0.metadata.namespace)/\($0.serviceName)" })
    }

    /// The services that a reference means. "Matching services of all namespaces when namespace is empty."
    func services(_ reference: ServiceReference) -> [Service] {
        switch reference {
        case .named(let name, let namespace):
            (byName[name] ?? []).filter { namespace.isEmpty || $0.metadata.namespace == namespace }
        // "k8sServiceSelector matches service labels; label source is ignored".
        case .selected(let selector, let namespace):
            services.filter {
                (namespace.isEmpty || $0.metadata.namespace == namespace) && selector.matches($0.metadata.labels)
            }
        }
    }

    /// The peers that a service stands for; empty when it has neither a selector nor addresses.
    func peers(of service: Service) -> [Peer] {
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
        // "Service without selector: one host prefix per backend address; cannot match pods or nodes".
        let addresses = (slices["\(service.metadata.namespace)/\(service.metadata.name)"] ?? []).flatMap(\.addresses)
        return Set(addresses).sorted().map { .addresses(IPPrefix(host: $0), except: [], .outsideCluster) }
    }
}
