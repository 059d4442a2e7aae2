import NetTypes
import PolicyIR

/// What tells two answers apart.
enum AnswerKey: Hashable {
    case flow(Decision, isPermitted: Bool?)
    case service(RouteVerdict, [Decision])

    /// Whether the answer over the other family says the same; of a Service, however many endpoints it has there.
    func saysSame(as other: AnswerKey) -> Bool {
        guard case .service(let verdict, let decisions) = self,
            case .service(let otherVerdict, let otherDecisions) = other
        else { return self == other }
        return verdict == otherVerdict && Set(decisions) == Set(otherDecisions)
    }
}

extension Flow {
    /// ` over IPv6`, or nothing where no family is given.
    static func familyText(_ isIPv4: Bool?) -> String {
        isIPv4.map { $0 ? " over IPv4" : " over IPv6" } ?? ""
    }
}

extension ReferenceEvaluator {
    /// What tells the answer to a flow, and to a request in it, apart from others.
    ///
    /// - Throws: `FlowError` when there is no such flow.
    func answerKey(_ flow: Flow, request: L7Request?) throws(FlowError) -> AnswerKey {
        if let route = try route(flow) {
            let explanation = try explain(route, request: request)
            return .service(
                explanation.verdict,
                try route.backends.map { backend throws(FlowError) in try decide(backend.flow) })
        }
        try checkFamilies(of: flow)
        let decision = try decide(flow)
        guard let request else { return .flow(decision, isPermitted: nil) }
        return .flow(decision, isPermitted: try explain(flow, request: request).request?.isPermitted)
    }

    /// The flow itself; or, where packets of both address families may be sent between its ends and the answers differ, it once
    /// for each family, IPv4 first.
    ///
    /// - Throws: `FlowError` when there is no such flow.
    func byFamily(_ flow: Flow, request: L7Request?) throws(FlowError) -> [Flow] {
        guard try mayBeOfBothFamilies(flow) else { return [flow] }
        var flows = [flow, flow]
        flows[0].isIPv4 = true
        flows[1].isIPv4 = false
        let first = try answerKey(flows[0], request: request)
        let second = try answerKey(flows[1], request: request)
        return first.saysSame(as: second) ? [flow] : flows
    }

    /// Whether packets of a flow may be of either family. One to a Service by name goes where the Service has endpoints.
    private func mayBeOfBothFamilies(_ flow: Flow) throws(FlowError) -> Bool {
        guard let route = try route(flow) else {
            guard try view.mayBeOfBothFamilies(flow) else { return false }
            return try !view.hasOnlyGeneratedAddresses(flow) || namesIPv6
        }
        guard case .service = route.flow.to, flow.isIPv4 == nil else { return false }
        var isGenerated = true
        for isIPv4 in [true, false] {
            var one = flow
            one.isIPv4 = isIPv4
            do throws(FlowError) {
                guard let route = try self.route(one), !route.backends.isEmpty else { return false }
                for backend in route.backends {
                    if try !view.hasOnlyGeneratedAddresses(backend.flow) { isGenerated = false }
                }
            } catch {
                guard error == .mixedFamilies else { throw error }
                return false
            }
        }
        return !isGenerated || namesIPv6
    }

    /// Whether a policy has an IPv6 prefix that pods can be in. Generated addresses are of both families, whichever the cluster has: of
    /// IPv6 they say something where policies do.
    private var namesIPv6: Bool {
        policies.contains { policy in
            let rules = (policy.ingress?.rules ?? []) + (policy.egress?.rules ?? [])
            return rules.contains { rule in
                guard case .anyOf(let peers) = rule.peers else { return false }
                return peers.contains { peer in
                    guard case .addresses(let prefix, _, .everywhere) = peer else { return false }
                    return !prefix.isIPv4
                }
            }
        }
    }
}
