public import PolicyIR

/// Why a flow to a Service passes or not: each backend that may be chosen with its own explanation.
public struct ServiceExplanation: Hashable, Sendable {
    /// A backend that may be chosen.
    public struct Backend: Hashable, Sendable {
        /// Its address and port.
        public var backend: ServiceBackend
        /// Why the flow to it passes or not.
        public var explanation: DecisionExplanation

        /// Whether the connection, or the request in it, is denied there.
        public var isDenied: Bool {
            explanation.verdict == .deny || explanation.request.map { !$0.isPermitted } ?? false
        }
    }

    /// Where the flow goes.
    public var route: ServiceRoute
    /// The backends that may be chosen, sorted by address; none: the connection is refused.
    public var backends: [Backend]
    /// What the sender's policies say of all backends together; `nil` where the sender's node translates, so that they are asked
    /// about the one that is chosen.
    public var together: SideDecision?

    /// What becomes of the flow, over all backends.
    public var verdict: RouteVerdict {
        // The sender's node cannot know which one the other component is going to choose.
        if together?.verdict == .deny { return .deny }
        let needsProxy = backends.contains { backend in
            if case .l7 = backend.explanation.verdict { backend.explanation.request == nil } else { false }
        }
        return RouteVerdict(denials: backends.map(\.isDenied), needsProxy: needsProxy)
    }

    /// The backends that stand for all: the first that is denied, and the first that is not.
    public var examples: [Backend] {
        [backends.first(where: \.isDenied), backends.first { !$0.isDenied }].compactMap(\.self)
    }
}

extension ReferenceEvaluator {
    /// The decision of the sender's policies about a route that another component translates.
    private func together(_ route: ServiceRoute) throws(FlowError) -> SideDecision? {
        guard route.isObserved, let sender = try view.pod(sending: route.flow) else { return nil }
        return decideEgress(
            subject: sender, backends: route.backends.map(\.backend), protocol: route.flow.protocol)
    }

    /// Why a flow to a Service, and a request in it, passes or not.
    ///
    /// - Throws: `FlowError` when a backend cannot be reached at all, for want of a common address family.
    public func explain(_ route: ServiceRoute, request: L7Request? = nil) throws(FlowError) -> ServiceExplanation {
        var backends: [ServiceExplanation.Backend] = []
        for backend in route.backends {
            backends.append(
                .init(backend: backend.backend, explanation: try explain(backend.flow, request: request)))
        }
        return ServiceExplanation(route: route, backends: backends, together: try together(route))
    }
}
