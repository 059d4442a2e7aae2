public import PolicyAPI
public import PolicyIR

/// Why a flow passes or not, to a Service or straight to an end: ready to be shown, whoever asked.
public struct FlowExplanation: Sendable {
    /// Every fact as a field: the output of `netpold explain --json`.
    public enum Report: Encodable, Sendable {
        /// Of a flow to an end.
        case flow(ExplanationReport)
        /// Of a flow to a Service.
        case service(ServiceReport)
        /// Of flows between ends that stand for several.
        case parts(PartsReport)

        /// Writes the report alone.
        public func encode(to encoder: any Encoder) throws {
            switch self {
            case .flow(let report): try report.encode(to: encoder)
            case .service(let report): try report.encode(to: encoder)
            case .parts(let report): try report.encode(to: encoder)
            }
        }
    }

    /// The explanation in lines, the verdict first.
    public var lines: [ExplanationLine]
    /// Whether the flow passes; `nil` where it depends.
    public var passes: Bool?
    /// Whether it passes as test cases mean it: a connection whose requests are decided does; `nil` where backends differ.
    public var isAllowed: Bool?
    /// Whether a side hands the connection to a proxy.
    public var needsProxy: Bool
    /// The same as fields.
    public var report: Report

    init(_ explanation: DecisionExplanation) {
        lines = explanation.lines
        passes =
            switch (explanation.request, explanation.verdict) {
            case (let request?, _): request.isPermitted
            case (nil, .allow): true
            case (nil, .deny): false
            case (nil, .l7): nil
            }
        isAllowed = explanation.isAllowed
        needsProxy = explanation.needsProxy
        report = .flow(ExplanationReport(explanation))
    }

    init(_ explanation: PartsExplanation) {
        lines = explanation.lines
        let answers = explanation.groups.map(\.explanation)
        passes = Set(answers.map(\.passes)).count == 1 ? answers[0].passes : nil
        isAllowed = Set(answers.map(\.isAllowed)).count == 1 ? answers[0].isAllowed : nil
        needsProxy = answers.contains(where: \.needsProxy)
        report = .parts(PartsReport(explanation))
    }

    init(_ explanation: ServiceExplanation) {
        lines = explanation.lines
        passes =
            switch explanation.verdict {
            case .allow: true
            case .deny, .rejected: false
            case .l7, .mixed: nil
            }
        isAllowed = explanation.isAllowed
        needsProxy = explanation.backends.contains(where: \.explanation.needsProxy)
        report = .service(ServiceReport(explanation))
    }
}

extension ReferenceEvaluator {
    /// Explains a flow as it was written, with a request in it if there is one.
    ///
    /// - Parameters:
    ///   - text: the flow.
    ///   - objects: those that the evaluator was made of.
    ///   - request: a request in the flow.
    /// - Returns: the explanation.
    /// - Throws: `FlowText.Mistake` and `FlowError`, in words for whoever wrote it.
    public func answer(_ text: FlowText, in objects: ClusterObjects, request: L7Request?) throws -> FlowExplanation {
        let (from, to) = try text.ends(in: objects, self)
        if !from.isSeveral, !to.isSeveral {
            let flow = try text.flow(from: from.parts[0].end, to: to.parts[0].end, in: objects, view)
            if let request { try FlowText.check(request, over: flow.protocol) }
            // Families that get different answers are parts too.
            if try byFamily(flow, request: request).count == 1 {
                return try answer(flow, in: objects, request: request)
            }
        }
        return FlowExplanation(try PartsExplanation(text, from, to, in: objects, self, request: request))
    }

    /// Explains one flow.
    func answer(_ flow: Flow, in objects: ClusterObjects, request: L7Request?) throws -> FlowExplanation {
        if let route = try route(flow) { return FlowExplanation(try explain(route, request: request)) }
        try checkFamilies(of: flow)
        var explanation = FlowExplanation(try explain(flow, request: request))
        if let hint = servicePortHint(flow, objects) { explanation.lines.append(ExplanationLine(.failure, 0, hint)) }
        return explanation
    }

    /// Refuses a flow that no packet can be of: its pods, or a pod and the protocol, have no family in common. Of pods without addresses
    /// nothing is known; what policies say of an address of a family that a pod does not have yet is a question of its own.
    func checkFamilies(of flow: Flow) throws(FlowError) {
        let ends = try view.resolve(flow)
        var families: Set<Bool> = flow.protocol.isICMP ? [flow.protocol == .icmp] : [true, false]
        for pod in [ends.from.pod, ends.to.pod].compactMap(\.self) where !pod.addresses.isEmpty {
            families.formIntersection(pod.addresses.map(\.isIPv4))
        }
        guard !families.isEmpty else { throw .mixedFamilies }
    }

    /// That the port of a flow to a pod is that of its Service, and the pod's is another.
    private func servicePortHint(_ flow: Flow, _ objects: ClusterObjects) -> String? {
        guard case .pod(let namespace, let name) = flow.to, let pod = view.pod(namespace, name),
            !pod.ports.contains(where: { $0.port == flow.port && $0.protocol == flow.protocol })
        else { return nil }
        for service in objects.services where service.selects(pod) {
            for port in service.ports where port.port == flow.port && port.protocol == flow.protocol {
                let targets: [UInt16] =
                    switch port.target {
                    case .number(let number): [number]
                    case .named(let name): pod.ports(named: name, port.protocol)
                    }
                guard let target = targets.first, !targets.contains(flow.port) else { continue }
                return
                    "\(flow.port) is the port of Service \(service.qualifiedName), and \(target) that of the pod: ask about "
                    + "\(target)/\(port.protocol), or about svc/\(service.qualifiedName)"
            }
        }
        return nil
    }
}
