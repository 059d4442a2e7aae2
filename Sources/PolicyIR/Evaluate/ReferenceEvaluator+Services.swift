public import NetTypes
public import PolicyAPI

/// Services that another component translates behind the pods' hooks: policies see their addresses, and ask about all endpoints.
extension ReferenceEvaluator {
    /// The frontend that pods of a node reach at an address without translation before their policies are asked; its backends
    /// are all that may be chosen. `nil`: there is none, or the node translates it.
    public func observedFrontend(
        _ address: IPAddress, _ protocol: L4Protocol, _ port: UInt16, on node: String? = nil
    ) -> ServiceFrontend? {
        let node = node ?? view.localNode
        let isBound = { (address: IPAddress) in view.owner(of: address) == .node(node) }
        let key = ServiceFrontend.Key(address: address, port: port, protocol: `protocol`)
        let cached = services.frontends(of: serviceSettings.dns, on: node)
        if let listening = serviceSettings.listening(for: cached, isBound: isBound).first(where: { $0.key == key }) {
            return listening
        }
        guard var found = services.frontend(key, on: node), serviceSettings.observes(found, isBound: isBound) else {
            return nil
        }
        // An address of several pods, or of one, is not known to be the Service's.
        switch view.owner(of: address) {
        case .pod, .contested: return nil
        case .node, .outside: break
        }
        if found.kind == .nodePort { found.backends = services.behindNodePort(found, on: node) }
        return found
    }

    /// What a pod's egress policies say about an address that may be a Service's: about every endpoint that may be chosen, if
    /// another component translates.
    ///
    /// - Returns: of the decisions about the endpoints the first that denies, else the first that asks a proxy, else any. Without
    ///   endpoints the pod's default: nobody can be denied there, and nobody is allowed.
    public func decideEgress(
        subject: Pod, to address: IPAddress, protocol: L4Protocol, port: UInt16
    ) -> SideDecision {
        let node = view.node(of: subject)
        guard let frontend = observedFrontend(address, `protocol`, port, on: node) else {
            let remote = view.remoteEnd(address: address, seenFrom: node)
            return decide(subject: subject, .egress, remote: remote, protocol: `protocol`, port: port)
        }
        return decideEgress(subject: subject, backends: frontend.backends, protocol: `protocol`)
    }

    /// What a pod's egress policies say where any of these may be chosen, and nobody knows which.
    public func decideEgress(subject: Pod, backends: [ServiceBackend], protocol: L4Protocol) -> SideDecision {
        let policy = subjectPolicy(for: subject, .egress)
        let node = view.node(of: subject)
        let decisions = backends.map { backend in
            policy.decide(
                subject: subject, .egress, remote: view.remoteEnd(address: backend.address, seenFrom: node),
                protocol: `protocol`, port: backend.port)
        }
        if let denied = decisions.first(where: { $0.verdict == .deny }) { return denied }
        if let first = decisions.first(where: { $0.verdict != .allow }) ?? decisions.first { return first }
        return policy.isIsolated
            ? SideDecision(.deny, .defaultDeny(isolatedBy: policy.isolatedBy)) : SideDecision(.allow, .notIsolated)
    }
}
