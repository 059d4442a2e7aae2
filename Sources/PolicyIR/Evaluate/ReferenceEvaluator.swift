public import NetTypes
public import PolicyAPI

/// Decides flows directly from lowered policies: the oracle that compiled programs are compared with. Naive on purpose,
/// without optimisations.
public struct ReferenceEvaluator: Sendable {
    /// Resolves ends and labels.
    public let view: ClusterView
    /// The policies.
    public let policies: [LoweredPolicy]
    /// Says where flows to Services go.
    public let services: ServiceResolver
    /// Which of them the nodes translate.
    public let serviceSettings: ServiceSettings

    /// An evaluator of these policies over these objects. For `localNode` see `ClusterView`.
    public init(
        _ objects: ClusterObjects, policies: [LoweredPolicy], localNode: String? = nil,
        serviceSettings: ServiceSettings = ServiceSettings(mode: .translate)
    ) {
        self.serviceSettings = serviceSettings
        view = ClusterView(objects, localNode: localNode)
        self.policies = policies
        services = ServiceResolver(objects, localNode: view.localNode, room: serviceSettings.room)
    }

    /// Where a flow goes that is for a Service, by name or at one of its addresses; `nil` for any other.
    ///
    /// - Throws: `FlowError` when the Service, its port or an end does not exist.
    public func route(_ flow: Flow) throws(FlowError) -> ServiceRoute? {
        if let observed = try observedRoute(flow) { return observed }
        // Policies see the address, whatever becomes of it behind them.
        if serviceSettings.mode == .off, case .address = flow.to { return nil }
        return try services.route(flow, view)
    }

    /// The route of a flow to an address, or to a Service whose address is known, that the sender's node does not translate.
    private func observedRoute(_ flow: Flow) throws(FlowError) -> ServiceRoute? {
        let plain = view.plain(flow)
        var address: IPAddress
        var translated: ServiceRoute?
        switch plain.to {
        case .address(let named): address = named
        case .service:
            let route = try services.route(flow, view)
            guard let route, let frontend = route.frontend else { return nil }
            (address, translated) = (frontend.address, route)
        case .pod, .host, .remoteNode, .masqueraded: return nil
        }
        guard try view.isPod(plain.from) else { return nil }
        let node = try view.node(ofSender: plain.from)
        guard let frontend = observedFrontend(address, plain.protocol, plain.port, on: node) else { return nil }
        return services.observed(plain, frontend, as: translated, view)
    }

    /// The policy of a pod in one direction.
    public func subjectPolicy(for pod: Pod, _ direction: Direction) -> SubjectPolicy {
        let applying = policies(selecting: pod)
        return SubjectPolicy(
            applying.compactMap { $0[direction] },
            isolatedBy: applying.filter { $0[direction]?.isolates == true }.map(\.origin))
    }

    /// The policies that select a pod, in either direction.
    public func policies(selecting pod: Pod) -> [LoweredPolicy] {
        // "hostNetwork pods are ignored by selectors and seen as the node"; a finished pod sends and receives nothing.
        guard !pod.hostNetwork, !pod.isFinished else { return [] }
        let labels = view.ciliumLabels(of: pod)
        return policies.filter { policy in
            switch policy.subject {
            // "policies in subject.namespace whose podSelector matches"; cluster-scoped ones by the namespace's labels.
            case .pods(let scope, let selector):
                scope.contains(
                    pod.metadata.namespace, labels: view.labels(ofNamespace: pod.metadata.namespace))
                    && selector.matches(pod.metadata.labels)
            // "endpointSelector rules never match the host"; scope is explicit.
            case .endpoints(let selector): selector.matches(labels)
            // "nodeSelector rules match only the host".
            case .nodes: false
            }
        }
    }

    /// The decision of one pod's policies about a flow with a remote end.
    public func decide(
        subject: Pod, _ direction: Direction, remote: RemoteEnd, protocol: L4Protocol, port: UInt16
    ) -> SideDecision {
        subjectPolicy(for: subject, direction)
            .decide(subject: subject, direction, remote: remote, protocol: `protocol`, port: port)
    }

    /// The decisions of both ends' policies about a flow.
    ///
    /// - Throws: `FlowError` when an end does not exist or the ends have no common address family.
    public func decide(_ flow: Flow) throws(FlowError) -> Decision {
        let ends = try view.resolve(flow)
        // "a pod cannot block access to itself".
        if let from = ends.from.pod, let to = ends.to.pod, from.qualifiedName == to.qualifiedName {
            return Decision(egress: SideDecision(.allow, .itself), ingress: SideDecision(.allow, .itself))
        }
        return Decision(egress: side(flow, ends, .egress), ingress: side(flow, ends, .ingress))
    }

    private func side(_ flow: Flow, _ ends: ClusterView.Ends, _ direction: Direction) -> SideDecision {
        let remote = view.remote(of: ends, direction)
        guard let subject = ends.subject(direction) else {
            // "Nodes without a host policy allow everything."
            return hostPolicy(of: ends, direction)?
                .decide(subject: nil, direction, remote: remote, protocol: flow.protocol, port: flow.port)
                ?? SideDecision(.allow, .noPolicyHere)
        }
        return decide(subject: subject, direction, remote: remote, protocol: flow.protocol, port: flow.port)
    }
}
