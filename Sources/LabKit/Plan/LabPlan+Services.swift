import NetTypes
import PolicyAPI
import PolicyAnalysis
import PolicyIR

/// Connections through Services.
extension LabPlan {
    /// The frontends that pods of a lab can try: TCP and UDP, node ports at addresses of the lab's nodes, with endpoints that all
    /// are in the lab. What is left out is noted. Each node chooses between its own endpoints: one that pods of all nodes see alike
    /// is there once.
    static func frontends(
        _ evaluator: ReferenceEvaluator, names: [IPAddress: String], nodes: [String], notes: inout [String]
    ) -> [LabFrontend] {
        var found: [ServiceFrontend: LabFrontend] = [:]
        var missing: Set<String> = []
        let all = nodes.enumerated().flatMap { number, node in
            evaluator.services.allFrontends(on: node).frontends.map { (number, $0) }
        }
        for (node, frontend) in all where frontend.protocol != .sctp {
            // A node that is not there.
            if frontend.kind == .nodePort, names[frontend.address] == nil { continue }
            let backends = frontend.backends.map { names[$0.address] }
            guard !backends.contains(nil) else {
                missing.insert("\(frontend.service)")
                continue
            }
            let new = LabFrontend(frontend: frontend, backends: backends.compactMap(\.self), nodes: [])
            found[frontend, default: new].nodes.append(node)
        }
        notes += missing.sorted().map { "Service \($0) is not tried: an endpoint of it has no part in the lab" }
        return found.values.sorted { left, right in
            let (one, other) = (left.frontend, right.frontend)
            if one.key == other.key { return left.nodes.lexicographicallyPrecedes(right.nodes) }
            return (one.service, one.kind.rawValue, one.key) < (other.service, other.kind.rawValue, other.key)
        }
    }

    /// Every pod's connection to every frontend of a family that it has.
    func serviceExchanges(_ evaluator: ReferenceEvaluator, names: [IPAddress: String]) -> [LabServiceFlow] {
        frontends.indices.flatMap { index -> [LabServiceFlow] in
            let frontend = frontends[index].frontend
            return pods.indices.filter { frontends[index].nodes.contains(pods[$0].node) }.compactMap { pod in
                guard
                    let source = pods[pod].ipAddresses.first(where: { $0.isIPv4 == frontend.address.isIPv4 }),
                    let why = try? explanation(evaluator, pod, index)
                else { return nil }
                let answering = why.backends.filter { !$0.isDenied }.compactMap { names[$0.backend.address] }
                return LabServiceFlow(
                    from: pod, to: index, source: source,
                    prediction: LabServicePrediction(verdict: why.verdict, answering: Set(answering)))
            }
        }
    }

    /// The explanation of a connection through a Service.
    func explanation(
        _ evaluator: ReferenceEvaluator, _ pod: Int, _ frontend: Int
    ) throws -> ServiceExplanation? {
        let asked = frontends[frontend].frontend
        let flow = PolicyIR.Flow(
            from: .pod(namespace: pods[pod].namespace, name: pods[pod].name), to: .address(asked.address),
            protocol: asked.protocol, port: asked.port, isIPv4: asked.address.isIPv4)
        return try evaluator.route(flow).map { route throws in try evaluator.explain(route) }
    }
}
