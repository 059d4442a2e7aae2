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

    /// What becomes of the flow, over all backends.
    public var verdict: RouteVerdict {
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
    /// Why a flow to a Service, and a request in it, passes or not.
    ///
    /// - Throws: `FlowError` when a backend cannot be reached at all, for want of a common address family.
    public func explain(_ route: ServiceRoute, request: L7Request? = nil) throws(FlowError) -> ServiceExplanation {
        var backends: [ServiceExplanation.Backend] = []
        for backend in route.backends {
            backends.append(
                .init(backend: backend.backend, explanation: try explain(backend.flow, request: request)))
        }
        return ServiceExplanation(route: route, backends: backends)
    }
}
