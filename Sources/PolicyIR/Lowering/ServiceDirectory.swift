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

    /// Whether a reference means a service, or may mean it: of a refused one neither namespace nor labels need be known.
    static func means(_ reference: ServiceReference, _ service: Service) -> Bool {
        func isIn(_ namespace: String) -> Bool {
            namespace.isEmpty || service.metadata.namespace == namespace
                || (service.isUnknown && service.metadata.namespace.isEmpty)
        }
        switch reference {
        case .named(let name, let namespace): return name == service.metadata.name && isIn(namespace)
        // "k8sServiceSelector matches service labels; label source is ignored".
        case .selected(let selector, let namespace):
            let mayHaveAny = service.isUnknown && service.metadata.labels.isEmpty
            return isIn(namespace) && (mayHaveAny || selector.matches(service.metadata.labels))
        }
    }

    /// The services that a slice belongs to, or may belong to: of a refused one neither service nor namespace need be known.
    func services(of slice: EndpointSlice) -> [Service] {
        guard slice.isUnknown, slice.serviceName.isEmpty else {
            return service(slice.serviceName, in: slice.metadata.namespace).map { [$0] } ?? []
        }
        let namespace = slice.metadata.namespace
        return byName.values.flatMap(\.self).filter { namespace.isEmpty || $0.metadata.namespace == namespace }
    }

    /// Why it is not known what a service stands for; `nil` where it is.
    func doubt(about service: Service) -> (what: String, hint: String)? {
        if service.isUnknown {
            return (
                "Service \(service.qualifiedName) was refused, or is defined twice and not the same",
                "fix the Service, whose errors say what is wrong, or keep one of its definitions"
            )
        }
        guard service.selector.isEmpty else { return nil }
        return doubtAboutSlices(
            of: service.metadata.name, in: service.metadata.namespace, " of Service \(service.qualifiedName)")
    }

    /// Which slice of a service is not known; `nil` where none is. `role`: what it is, in words.
    private func doubtAboutSlices(
        of service: String, in namespace: String, _ role: String
    ) -> (what: String, hint: String)? {
        // Of a slice without the name of its service nobody knows whose it is.
        let keys = ["\(namespace)/\(service)", "\(namespace)/", "/"]
        guard let slice = keys.lazy.flatMap({ slices[$0] ?? [] }).first(where: \.isUnknown) else { return nil }
        return (
            "EndpointSlice \(slice.metadata.namespace)/\(slice.metadata.name)\(role) was refused, or is defined twice and not the same",
            "fix the EndpointSlice, whose errors say what is wrong, or keep one of its definitions"
        )
    }

    /// Which slice of the API server is not known; `nil` where none is.
    var doubtAboutAPIServerSlices: (what: String, hint: String)? {
        doubtAboutSlices(of: "kubernetes", in: "default", "")
    }

    /// Why the addresses of the entity kube-apiserver are not known; `nil` where they are.
    var doubtAboutAPIServer: (what: String, hint: String)? {
        if let doubt = doubtAboutAPIServerSlices { return doubt }
        guard (slices["default/kubernetes"] ?? []).allSatisfy(\.addresses.isEmpty) else { return nil }
        return (
            "the addresses of the API server are not known",
            "add the EndpointSlice of the Service default/kubernetes: kubectl get endpointslice -n default kubernetes -o yaml"
        )
    }

    /// Whether a slice says, or may say, which addresses the entity kube-apiserver has.
    static func isOfAPIServer(_ slice: EndpointSlice) -> Bool {
        if slice.isUnknown, slice.serviceName.isEmpty { return ["default", ""].contains(slice.metadata.namespace) }
        return slice.metadata.namespace == "default" && slice.serviceName == "kubernetes"
    }

    /// The peers that a service is known to stand for; empty when it has neither a selector nor addresses.
    func peers(of service: Service, isDenied: Bool) -> [Peer] {
        guard !service.isUnknown else { return [] }
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
        let addresses = (slices[service.qualifiedName] ?? []).filter { !$0.isUnknown }.flatMap(\.addresses)
        return Set(addresses).sorted().map { .addresses(IPPrefix(host: $0), except: [], space) }
    }

    /// The service that a slice belongs to, `namespace/name`.
    private static func service(of slice: EndpointSlice) -> String {
        "\(slice.metadata.namespace)/\(slice.serviceName)"
    }
}
