import NetTypes
public import PolicyAPI

/// Where a flow to a Service goes: what policies are asked about in place of the Service.
public struct ServiceRoute: Hashable, Sendable {
    /// What the Service does with a connection.
    public enum Meaning: Hashable, Sendable {
        /// The node translates it to one of the backends.
        case translated
        /// The Service's DNS name gives the backends' own addresses; ports are not translated.
        case headless
        /// The Service's DNS name is an alias for this name, which is outside or another Service's.
        case alias(String)
    }

    /// One that may be chosen.
    public struct Backend: Hashable, Sendable {
        /// Its address and port.
        public var backend: ServiceBackend
        /// The flow to it, as policies see it.
        public var flow: Flow
    }

    /// The flow as it was written.
    public var flow: Flow
    /// The Service.
    public var service: ServiceName
    /// Where the Service is written.
    public var location: SourceLocation?
    /// What it does.
    public var meaning: Meaning
    /// The frontend that is used; `nil` where none is known or needed.
    public var frontend: ServiceFrontend?
    /// The name of the Service's port, empty for none.
    public var portName: String
    /// Those that may be chosen, sorted by address; none: the connection is refused.
    public var backends: [Backend]
    /// Whether another component translates, behind the sender's hook: the sender's policies must allow all backends.
    public var isObserved = false
}

extension ServiceResolver {
    /// Where a flow goes that is for a Service: by name, or by an address, port and protocol of one. `nil` for any other.
    ///
    /// - Throws: `FlowError` when the Service, its port or an end does not exist, or nothing says where an alias leads.
    public func route(_ flow: Flow, _ view: ClusterView) throws(FlowError) -> ServiceRoute? {
        let flow = view.plain(flow)
        switch flow.to {
        case .service(let namespace, let name):
            let space = namespace ?? self.namespace(of: flow.from, view)
            guard let space else { throw .namelessService(name) }
            return try route(flow, ServiceName(namespace: space, name: name), view, isAlias: false)
        case .address(let address):
            guard try view.isPod(flow.from) else { return nil }
            let key = ServiceFrontend.Key(address: address, port: flow.port, protocol: flow.protocol)
            guard let frontend = frontend(key, on: try view.node(ofSender: flow.from)) else { return nil }
            return ServiceRoute(
                flow: flow, service: frontend.service, location: frontend.location, meaning: .translated,
                frontend: frontend, portName: frontend.portName,
                backends: frontend.backends.map { backend($0, of: flow, view) })
        case .pod, .host, .remoteNode, .masqueraded: return nil
        }
    }

    /// The route to a frontend that the sender's node leaves to another component.
    func observed(
        _ flow: Flow, _ frontend: ServiceFrontend, as translated: ServiceRoute?, _ view: ClusterView
    ) -> ServiceRoute {
        var route =
            translated
            ?? ServiceRoute(
                flow: flow, service: frontend.service, location: frontend.location, meaning: .translated,
                frontend: frontend, portName: frontend.portName, backends: [])
        route.frontend = frontend
        route.backends = frontend.backends.map { backend($0, of: flow, view) }
        route.isObserved = true
        return route
    }

    private func route(
        _ flow: Flow, _ name: ServiceName, _ view: ClusterView, isAlias: Bool
    ) throws(FlowError) -> ServiceRoute {
        guard let service = services[name] else { throw .unknownService(name.description) }
        guard try !view.isOutside(flow.from) else { throw .outsideClient("\(flow.from)") }
        let node = try view.node(ofSender: flow.from)
        if case .externalName(let target) = service.kind {
            return try alias(flow, service, target, view, isAlias: isAlias)
        }
        var route = ServiceRoute(
            flow: flow, service: name, location: service.metadata.location, meaning: .headless, frontend: nil,
            portName: "", backends: [])
        if service.isHeadless {
            let family = try family(flow, view) { isIPv4 in
                !published(service, flow.protocol, flow.port, isIPv4: isIPv4).isEmpty
            }
            route.portName = service.port(flow.protocol, flow.port)?.name ?? ""
            route.backends = published(service, flow.protocol, flow.port, isIPv4: family).map {
                backend($0, of: flow, view)
            }
            return route
        }
        guard let port = service.port(flow.protocol, flow.port) else {
            throw .unknownServicePort(name.description, "\(flow.port)/\(flow.protocol)", service.portList)
        }
        route.meaning = .translated
        route.portName = port.name
        let known = Set(service.clusterIPs.map(\.isIPv4))
        let used = families(of: service, port)
        let family = try family(flow, view) { known.isEmpty ? used.contains($0) : known.contains($0) }
        if !known.isEmpty, !known.contains(family) { throw .mixedFamilies }
        route.frontend = frontends(of: name, on: node).first {
            $0.kind == .clusterIP && $0.port == port.port && $0.protocol == port.protocol && $0.address.isIPv4 == family
        }
        let endpoints = endpoints(of: service, port, isIPv4: family)
        let usable =
            service.internalPolicy == .local
            ? endpoints.local(node: node) : endpoints.cluster(node: node, zone: zone(of: node))
        route.backends = usable.map { backend($0, of: flow, view) }
        return route
    }

    /// The route of an alias: to the Service that it names, or to the addresses that DNS has given for the name.
    private func alias(
        _ flow: Flow, _ service: Service, _ target: String, _ view: ClusterView, isAlias: Bool
    ) throws(FlowError) -> ServiceRoute {
        if let inside = ServiceResolver.name(inDNS: target), services[inside] != nil {
            // A resolver follows a chain of aliases, but not round in a circle.
            guard !isAlias else { throw .unknownAlias(service.qualifiedName, target) }
            return try route(flow, inside, view, isAlias: true)
        }
        let addresses = view.addresses(named: target)
        guard !addresses.isEmpty else { throw .unknownAlias(service.qualifiedName, target) }
        let family = try family(flow, view) { isIPv4 in addresses.contains { $0.isIPv4 == isIPv4 } }
        let backends = addresses.filter { $0.isIPv4 == family }.sorted()
            .map { backend(ServiceBackend(address: $0, port: flow.port), of: flow, view) }
        return ServiceRoute(
            flow: flow, service: ServiceName(service), location: service.metadata.location, meaning: .alias(target),
            frontend: nil, portName: "", backends: backends)
    }

    /// The Service of a name in the cluster's DNS: `db.shop.svc`, `db.shop.svc.cluster.local`.
    private static func name(inDNS name: String) -> ServiceName? {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count == 3 || (labels.count == 5 && labels[3...].elementsEqual(["cluster", "local"])),
            labels[2] == "svc"
        else { return nil }
        return ServiceName(namespace: String(labels[1]), name: String(labels[0]))
    }

    /// The flow to a backend, named by its pod where it is one.
    private func backend(_ backend: ServiceBackend, of flow: Flow, _ view: ClusterView) -> ServiceRoute.Backend {
        var flow = flow
        flow.port = backend.port
        flow.isIPv4 = backend.address.isIPv4
        if case .pod(let pod) = view.owner(of: backend.address) {
            flow.to = .pod(namespace: pod.metadata.namespace, name: pod.metadata.name)
        } else {
            flow.to = .address(backend.address)
        }
        return ServiceRoute.Backend(backend: backend, flow: flow)
    }

    private func namespace(of sender: FlowEnd, _ view: ClusterView) -> String? {
        switch sender {
        case .pod(let namespace, _): return namespace
        case .address(let address):
            guard case .pod(let pod) = view.owner(of: address) else { return nil }
            return pod.metadata.namespace
        case .host, .remoteNode, .masqueraded, .service: return nil
        }
    }

    /// The family of a flow: as written, else the first that the sender has and the Service offers.
    private func family(
        _ flow: Flow, _ view: ClusterView, offers: (Bool) -> Bool
    ) throws(FlowError) -> Bool {
        let own = try view.families(ofSender: flow.from)
        let possible = (flow.isIPv4.map { [$0] } ?? [true, false]).filter { own.contains($0) }
        guard let first = possible.first else { throw .mixedFamilies }
        return possible.first(where: offers) ?? first
    }
}

extension Service {
    /// The port of a number and protocol.
    fileprivate func port(_ protocol: L4Protocol, _ number: UInt16) -> ServicePort? {
        ports.first { $0.port == number && $0.protocol == `protocol` }
    }

    /// `80/TCP (http), 53/UDP`.
    fileprivate var portList: String {
        ports.map { port in
            let pods: String? =
                switch port.target {
                case .number(let number): number == port.port ? nil : "\(number)"
                case .named(let name): name
                }
            return "\(port.port)/\(port.protocol)" + (port.name.isEmpty ? "" : " (\(port.name))")
                + (pods.map { ", port \($0) of its pods" } ?? "")
        }.joined(separator: "; ")
    }
}
