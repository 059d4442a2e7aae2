public import PolicyAPI
public import PolicyIR

extension ReferenceEvaluator {
    /// The pods whose policies decide flows: those at their ends, and behind Services that they are for.
    ///
    /// - Parameters:
    ///   - text: the flows as they are written.
    ///   - objects: those that the evaluator was made of.
    /// - Returns: each pod once, in the order of the flows; none where there are no such flows.
    public func subjects(of text: FlowText, in objects: ClusterObjects) -> [Pod] {
        guard let flows = try? text.flows(in: objects, self) else { return [] }
        var seen: Set<String> = []
        var found: [Pod] = []
        for flow in flows {
            let route = try? route(flow)
            for part in [flow] + (route?.backends.map(\.flow) ?? []) {
                for end in [part.from, part.to] {
                    guard let pod = pod(at: end), seen.insert(pod.qualifiedName).inserted else { continue }
                    found.append(pod)
                }
            }
        }
        return found
    }

    private func pod(at end: FlowEnd) -> Pod? {
        switch end {
        case .pod(let namespace, let name): view.pod(namespace, name)
        case .address(let address): view.remoteEnd(address: address).pod
        case .host, .remoteNode, .masqueraded, .service: nil
        }
    }
}
