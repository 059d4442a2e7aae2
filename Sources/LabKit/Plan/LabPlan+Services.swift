import NetTypes
import PolicyAPI
import PolicyAnalysis
import PolicyIR

/// Connections through Services.
extension LabPlan {
    /// The frontends that pods of a lab can try: TCP and UDP, on addresses that are no other node's, with endpoints that all are in
    /// the lab. What is left out is noted.
    static func frontends(
        _ evaluator: ReferenceEvaluator, names: [IPAddress: String], nodeName: String, notes: inout [String]
    ) -> [LabFrontend] {
        var found: [LabFrontend] = []
        var missing: Set<String> = []
        for frontend in evaluator.services.allFrontends().frontends {
            if frontend.protocol == .sctp { continue }
            // Another node translates for itself, and is not there.
            if frontend.kind == .nodePort, names[frontend.address] != "host" { continue }
            let backends = frontend.backends.map { names[$0.address] }
            guard !backends.contains(nil) else {
                missing.insert("\(frontend.service)")
                continue
            }
            found.append(LabFrontend(frontend: frontend, backends: backends.compactMap(\.self)))
        }
        notes += missing.sorted().map { "Service \($0) is not tried: an endpoint of it has no part in the lab" }
        return found.sorted {
            ($0.frontend.service, $0.frontend.kind.rawValue, $0.frontend.key)
                < ($1.frontend.service, $1.frontend.kind.rawValue, $1.frontend.key)
        }
    }

    /// Every pod's connection to every frontend of a family that it has.
    func serviceExchanges(_ evaluator: ReferenceEvaluator, names: [IPAddress: String]) -> [LabServiceFlow] {
        frontends.indices.flatMap { index -> [LabServiceFlow] in
            let frontend = frontends[index].frontend
            return pods.indices.compactMap { pod in
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
