import NetTypes
public import PolicyAPI

/// Services with their endpoints, as kube-proxy decides which of them may be used. Pure: the same objects give the same answers,
/// in whatever order they come.
///
/// Endpoints come from EndpointSlices. A Service with a selector and without any slice gets those that the endpoint slice
/// controller would make of the Pods: a folder of a repository has no slices.
public struct ServiceResolver: Sendable {
    /// The name of the local node.
    public let localNode: String
    private(set) var services: [ServiceName: Service] = [:]
    private var slices: [ServiceName: [EndpointSlice]] = [:]
    private var nodes: [String: Node] = [:]
    /// Pods that endpoints are derived from, by namespace; finished ones are not among them.
    private var pods: [String: [Pod]] = [:]
    /// The Services with an address of their own.
    private var byAddress: [IPAddress: [ServiceName]] = [:]
    private var byNodePort: [UInt16: [ServiceName]] = [:]
    /// The Services with a selector, by namespace.
    private var selecting: [String: Set<ServiceName>] = [:]
    /// Services whose frontends may be others since the last `takeStale`.
    private var stale: Set<ServiceName> = []
    /// Which addresses have no room in a node's tables.
    private var room: ServiceRoom

    /// The Services of a cluster. `localNode` is where pods without `nodeName` run.
    public init(_ objects: ClusterObjects, localNode: String, room limits: ServiceRoom.Limits = ServiceRoom.Limits()) {
        self.localNode = localNode
        room = ServiceRoom(limits)
        for service in objects.services { services[ServiceName(service)] = service }
        for slice in objects.endpointSlices where slice.hasEndpoints {
            slices[ServiceName(namespace: slice.metadata.namespace, name: slice.serviceName), default: []].append(slice)
        }
        for node in objects.nodes { nodes[node.metadata.name] = node }
        let derived = Set(services.filter { derivesEndpoints($0.value, $0.key) }.map(\.key.namespace))
        if !derived.isEmpty {
            pods = Dictionary(
                grouping: objects.pods.filter { derived.contains($0.metadata.namespace) && !$0.isFinished },
                by: \.metadata.namespace)
        }
        for (name, service) in services { enter(name, service) }
        stale = Set(services.keys)
        settleRoom()
    }

    /// Addresses that have no room any more, or again, make other frontends.
    private mutating func settleRoom() {
        let services = services
        stale.formUnion(room.settle { services[$0] })
    }

    /// What was found about addresses for which there is no room.
    public var diagnostics: [Diagnostic] { room.diagnostic.map { [$0] } ?? [] }

    private mutating func enter(_ name: ServiceName, _ service: Service) {
        room.set(name, service)
        if !service.selector.isEmpty { selecting[name.namespace, default: []].insert(name) }
        guard service.isTranslated else { return }
        for address in service.addresses { byAddress[address, default: []].append(name) }
        for port in Set(service.nodePorts.compactMap(\.nodePort)) { byNodePort[port, default: []].append(name) }
    }

    private mutating func withdraw(_ name: ServiceName, _ service: Service) {
        selecting[name.namespace]?.remove(name)
        for address in service.addresses {
            byAddress[address]?.removeAll { $0 == name }
            if byAddress[address]?.isEmpty == true { byAddress[address] = nil }
        }
        for port in Set(service.nodePorts.compactMap(\.nodePort)) {
            byNodePort[port]?.removeAll { $0 == name }
            if byNodePort[port]?.isEmpty == true { byNodePort[port] = nil }
        }
    }

    /// The Service of a name.
    public func service(_ name: ServiceName) -> Service? { services[name] }

    /// The names of all Services, sorted.
    public var names: [ServiceName] { services.keys.sorted() }

    /// Whether a Service's endpoints are derived from Pods.
    public func derivesEndpoints(_ name: ServiceName) -> Bool {
        services[name].map { derivesEndpoints($0, name) } ?? false
    }

    private func derivesEndpoints(_ service: Service, _ name: ServiceName) -> Bool {
        !service.selector.isEmpty && slices[name] == nil
    }

    /// The frontends of a Service for pods of a node, sorted; none where it has no address, or nodes do not translate it.
    ///
    /// - Parameters:
    ///   - name: the Service.
    ///   - node: the pods' node; `nil`: the local one.
    /// - Returns: the frontends, each with the backends that may be chosen.
    public func frontends(of name: ServiceName, on node: String? = nil) -> [ServiceFrontend] {
        guard let service = services[name], service.isTranslated else { return [] }
        let node = node ?? localNode
        var found: [ServiceFrontend] = []
        for port in service.ports {
            for isIPv4 in [true, false] {
                found += frontends(service, port, isIPv4: isIPv4, on: node)
            }
        }
        return found.sorted { $0.key < $1.key }
    }

    private func frontends(
        _ service: Service, _ port: ServicePort, isIPv4: Bool, on node: String
    ) -> [ServiceFrontend] {
        let ofFamily = { (addresses: [IPAddress]) in addresses.filter { $0.isIPv4 == isIPv4 } }
        let nodePort = service.nodePorts.contains(port) ? port.nodePort : nil
        let external =
            ofFamily(withRoom(service, .externalIP, service.externalIPs)).map { (ServiceFrontend.Kind.externalIP, $0) }
            // Who may use them depends on the client: left to whoever knows all of them.
            + (service.hasSourceRanges
                ? []
                : ofFamily(withRoom(service, .loadBalancer, service.loadBalancerIPs)).map { (.loadBalancer, $0) })
        let internalIPs = ofFamily(withRoom(service, .clusterIP, service.clusterIPs))
        guard !internalIPs.isEmpty || !external.isEmpty || nodePort != nil else { return [] }

        let endpoints = endpoints(of: service, port, isIPv4: isIPv4)
        let cluster = endpoints.cluster(node: node, zone: zone(of: node))
        func frontend(
            _ kind: ServiceFrontend.Kind, _ address: IPAddress, _ number: UInt16, _ backends: [ServiceBackend]
        ) -> ServiceFrontend {
            ServiceFrontend(
                address: address, port: number, protocol: port.protocol, kind: kind, service: ServiceName(service),
                portName: port.name, location: service.metadata.location, affinitySeconds: service.affinitySeconds,
                backends: backends)
        }
        let inside = service.internalPolicy == .local ? endpoints.local(node: node) : cluster
        var found = internalIPs.map { frontend(.clusterIP, $0, port.port, inside) }
        // "Pod traffic to external addresses is short-circuited: any endpoint, whatever the external policy."
        found += external.map { frontend($0, $1, port.port, cluster) }
        guard let nodePort else { return found }
        for (name, other) in nodes {
            // Another node would decide by its own policy.
            let isLocal = name != node && service.externalPolicy == .local
            let backends = isLocal ? endpoints.local(node: name) : cluster
            // IPVS gives the node the Services' own addresses, which have no node ports.
            let own = ofFamily(other.addresses).filter { !isClusterIP($0) }
            found += own.map { frontend(.nodePort, $0, nodePort, backends) }
        }
        return found
    }

    /// The addresses of a kind that a Service has for pods; none where there is no room for them.
    private func withRoom(
        _ service: Service, _ kind: ServiceFrontend.Kind, _ addresses: [IPAddress]
    ) -> [IPAddress] {
        let isLeftOut = room.leftOut.contains(ServiceRoom.Part(service: ServiceName(service), kind: kind))
        return isLeftOut ? [] : addresses
    }

    /// Whether some Service has the address as a cluster IP.
    private func isClusterIP(_ address: IPAddress) -> Bool {
        byAddress[address]?.contains { services[$0]?.clusterIPs.contains(address) == true } ?? false
    }

    /// What may be chosen behind a node port, whichever node's it is: nodes with traffic policy Local have others each. Of both
    /// families, for a node is the same whatever address it is reached by.
    public func behindNodePort(_ frontend: ServiceFrontend, on node: String? = nil) -> [ServiceBackend] {
        ServiceResolver.behindNodePort(frontend, frontends(of: frontend.service, on: node))
    }

    /// The same, of the frontends of its Service.
    public static func behindNodePort(
        _ frontend: ServiceFrontend, _ all: [ServiceFrontend]
    ) -> [ServiceBackend] {
        let same = all.filter {
            $0.kind == .nodePort && $0.port == frontend.port && $0.protocol == frontend.protocol
        }
        return Set(same.flatMap(\.backends)).sorted()
    }

    /// The frontends at an address, port and protocol for pods of a node: the one in force, and others that claim the same.
    public func frontend(_ key: ServiceFrontend.Key, on node: String? = nil) -> ServiceFrontend? {
        let names = (byAddress[key.address] ?? []) + (byNodePort[key.port] ?? [])
        return names.flatMap { frontends(of: $0, on: node) }.filter { $0.key == key }.min(by: ServiceFrontend.precedes)
    }

    /// All frontends for pods of a node, sorted, each address, port and protocol once: the first by kind, then by the Service's
    /// name. The other claims of the same are diagnostics.
    public func allFrontends(on node: String? = nil) -> (frontends: [ServiceFrontend], diagnostics: [Diagnostic]) {
        ServiceResolver.settle(names.flatMap { frontends(of: $0, on: node) })
    }

    /// Of frontends that claim the same address, port and protocol the one in force; the others are diagnostics.
    public static func settle(
        _ all: [ServiceFrontend]
    ) -> (frontends: [ServiceFrontend], diagnostics: [Diagnostic]) {
        var conflicts: [Diagnostic] = []
        var chosen: [ServiceFrontend] = []
        chosen.reserveCapacity(all.count)
        let sorted = all.sorted { left, right in
            left.key == right.key ? ServiceFrontend.precedes(left, right) : left.key < right.key
        }
        for frontend in sorted {
            if let last = chosen.last, last.key == frontend.key {
                conflicts.append(frontend.conflict(with: last))
            } else {
                chosen.append(frontend)
            }
        }
        return (chosen, conflicts)
    }

    /// The addresses that the DNS name of a headless Service stands for: its ready endpoints, whatever port they have.
    ///
    /// - Returns: the endpoints' addresses, sorted, each with the port of the Service's port that has `port` as its number, else
    ///   with `port`: nothing is translated.
    func published(_ service: Service, _ protocol: L4Protocol, _ port: UInt16, isIPv4: Bool) -> [ServiceBackend] {
        let ports =
            service.ports.isEmpty
            ? [ServicePort(protocol: `protocol`, port: port, target: .number(port))] : service.ports
        let addresses = ports.flatMap { endpoints(of: service, $0, isIPv4: isIPv4, anyPort: true).published }.map(
            \.address)
        return Set(addresses).sorted().map { ServiceBackend(address: $0, port: port) }
    }

    /// The families in which a port of a Service has endpoints.
    func families(of service: Service, _ port: ServicePort) -> [Bool] {
        [true, false].filter { !endpoints(of: service, port, isIPv4: $0).endpoints.isEmpty }
    }

    /// The endpoints of a port in one family. With `anyPort` their ports do not matter.
    func endpoints(of service: Service, _ port: ServicePort, isIPv4: Bool, anyPort: Bool = false) -> PortEndpoints {
        guard let slices = slices[ServiceName(service)] else {
            return PortEndpoints(derived(service, port, isIPv4: isIPv4, anyPort: anyPort))
        }
        var found: [PortEndpoints.Endpoint] = []
        for slice in slices where service.isHeadless || slice.isTranslated {
            let numbers = slice.ports.filter { $0.name == port.name && $0.protocol == port.protocol }.map(\.port)
            for endpoint in slice.endpoints {
                // "Nodes use the first address alone."
                guard let address = endpoint.addresses.first, address.isIPv4 == isIPv4 else { continue }
                for number in anyPort ? [port.port] : numbers {
                    found.append(
                        PortEndpoints.Endpoint(
                            backend: ServiceBackend(address: address, port: number), isReady: endpoint.isReady,
                            isServing: endpoint.isServing, isTerminating: endpoint.isTerminating,
                            nodeName: endpoint.nodeName, zoneHints: endpoint.zoneHints, nodeHints: endpoint.nodeHints))
                }
            }
        }
        return PortEndpoints(found)
    }

    /// The endpoints that the endpoint slice controller would make of the Pods.
    private func derived(
        _ service: Service, _ port: ServicePort, isIPv4: Bool, anyPort: Bool
    ) -> [PortEndpoints.Endpoint] {
        var found: [PortEndpoints.Endpoint] = []
        for pod in pods[service.metadata.namespace] ?? [] where service.selects(pod) {
            let node = pod.nodeName.isEmpty ? localNode : pod.nodeName
            // A hostNetwork pod has its node's addresses, whether or not its status says so.
            let own = pod.addresses.isEmpty && pod.hostNetwork ? nodes[node]?.addresses ?? [] : pod.addresses
            guard let address = own.first(where: { $0.isIPv4 == isIPv4 }) else { continue }
            let number: UInt16? =
                switch port.target {
                case _ where anyPort: port.port
                case .number(let number): number
                // A pod without the name is no endpoint of this port.
                case .named(let name): pod.ports(named: name, port.protocol).first
                }
            guard let number else { continue }
            let isServing = pod.isReady
            found.append(
                PortEndpoints.Endpoint(
                    backend: ServiceBackend(address: address, port: number),
                    isReady: service.publishesNotReady || (isServing && !pod.isTerminating), isServing: isServing,
                    isTerminating: pod.isTerminating, nodeName: node, zoneHints: [], nodeHints: []))
        }
        return found
    }

    func zone(of node: String) -> String {
        nodes[node]?.metadata.labels["topology.kubernetes.io/zone"] ?? ""
    }
}

/// Changes of the cluster, one by one.
extension ServiceResolver {
    /// Sets the Service of a name; `nil`: there is none.
    public mutating func set(_ name: ServiceName, _ service: Service?) {
        if services[name] == service { return }
        if let old = services[name] { withdraw(name, old) }
        services[name] = service
        if let service { enter(name, service) } else { room.set(name, nil) }
        stale.insert(name)
    }

    /// Replaces an EndpointSlice.
    public mutating func replace(_ before: EndpointSlice?, by after: EndpointSlice?) {
        if before == after { return }
        if let before {
            let name = ServiceName(namespace: before.metadata.namespace, name: before.serviceName)
            slices[name]?.removeAll { $0.metadata.name == before.metadata.name }
            if slices[name]?.isEmpty == true { slices[name] = nil }
            stale.insert(name)
        }
        if let after, after.hasEndpoints {
            let name = ServiceName(namespace: after.metadata.namespace, name: after.serviceName)
            slices[name, default: []].append(after)
            stale.insert(name)
        }
    }

    /// Sets the node of a name; `nil`: there is none.
    public mutating func set(node name: String, _ node: Node?) {
        let old = nodes[name]
        nodes[name] = node
        let key = "topology.kubernetes.io/zone"
        if old?.addresses == node?.addresses, old?.metadata.labels[key] == node?.metadata.labels[key] { return }
        stale.formUnion(services.keys)
    }

    /// Says that a pod came, went or is another one: as it was, or as it is.
    public mutating func note(_ pod: Pod) {
        for name in selecting[pod.metadata.namespace] ?? [] where derivesEndpoints(name) {
            if services[name]?.selects(pod) == true { stale.insert(name) }
        }
    }

    /// Whether `takeStale` would name a Service.
    public var isStale: Bool { !stale.isEmpty }

    /// The Services whose frontends may be others since the last call, and the namespaces whose pods have to be set before they
    /// are asked for.
    public mutating func takeStale() -> (services: Set<ServiceName>, namespaces: Set<String>) {
        settleRoom()
        defer { stale = [] }
        return (stale, Set(stale.filter(derivesEndpoints).map(\.namespace)))
    }

    /// Sets the pods of namespaces that `takeStale` has named; those of all others are forgotten.
    public mutating func set(pods all: [Pod]) {
        pods = Dictionary(grouping: all.filter { !$0.isFinished }, by: \.metadata.namespace)
    }
}

extension Service {
    /// The addresses that are its own.
    var addresses: [IPAddress] { clusterIPs + externalIPs + loadBalancerIPs }

    /// The ports that nodes have for it.
    var nodePorts: [ServicePort] {
        switch kind {
        case .nodePort, .loadBalancer: ports.filter { $0.nodePort != nil }
        case .clusterIP, .externalName: []
        }
    }
}

extension ServiceFrontend {
    /// Of two that claim the same, the one in force.
    static func precedes(_ left: ServiceFrontend, _ right: ServiceFrontend) -> Bool {
        (left.rank, left.service, left.portName) < (right.rank, right.service, right.portName)
    }

    private var rank: Int { Kind.allCases.firstIndex(of: kind) ?? 0 }

    fileprivate func conflict(with other: ServiceFrontend) -> Diagnostic {
        Diagnostic(
            id: .conflict, severity: .warning, location: location, path: "spec",
            message: "\(kind.rawValue) \(address) port \(port)/\(`protocol`) of Service \(service) is also "
                + "\(other.kind.rawValue) of Service \(other.service), which has it",
            hint: "give one of the two another address or port")
    }
}
