import NetTypes
import PolicyAPI
import PolicyAnalysis
import PolicyIR

/// Requests, queries, handshakes, and connections by name.
extension LabPlan {
    /// A connection that rules do not deny as such.
    struct Way {
        var from: LabEnd
        var to: LabRequestFlow.Target
        /// As it is asked for.
        var traffic: LabTraffic
        /// As policies see it: at a Service's endpoint.
        var decided: LabTraffic
        var source: IPAddress
        var destination: IPAddress
        var decision: Decision

        var needsRequests: Bool { if case .l7 = decision.verdict { true } else { false } }

        func attempt(
            _ what: LabAttempt, _ prediction: LabRequestPrediction
        ) -> LabRequestFlow {
            LabRequestFlow(
                from: from, to: to, traffic: traffic, source: source, destination: destination, attempt: what,
                prediction: prediction)
        }
    }

    private struct Place: Hashable {
        var address: IPAddress
        var traffic: LabTraffic
    }

    /// Every attempt: over each flow that only L7 rules allow every request, over plain flows of the same sender or to the same
    /// receiver one; then names.
    func attempts(_ survey: RequestSurvey) -> [LabRequestFlow] {
        var requests = RequestDecider()
        let ways = ways()
        let guarded = ways.filter(\.needsRequests)
        let senders = Set(guarded.map { Place(address: $0.source, traffic: $0.decided) })
        let receivers = Set(guarded.map { Place(address: $0.destination, traffic: $0.decided) })
        var found: [LabRequestFlow] = []
        for way in ways {
            var candidates = candidates(survey, way.decided)
            if !way.needsRequests {
                let isBeside =
                    senders.contains(Place(address: way.source, traffic: way.decided))
                    || receivers.contains(Place(address: way.destination, traffic: way.decided))
                candidates = isBeside ? candidates.suffix(1) : []
            }
            for request in candidates {
                found.append(way.attempt(.request(request), LabPlan.predict(request, way.decision, &requests)))
            }
        }
        return found + nameAttempts(survey, ways.filter { survey.dns.contains($0.decided) }, &requests)
    }

    private func ways() -> [Way] {
        let direct = flows.filter { $0.prediction.decision.verdict != .deny }.map { flow in
            Way(
                from: flow.from, to: .end(flow.to), traffic: flow.traffic, decided: flow.traffic, source: flow.source,
                destination: flow.destination, decision: flow.prediction.decision)
        }
        let translated = serviceFlows.compactMap { flow -> Way? in
            // Whichever endpoint is chosen, one decision.
            guard let route = (try? route(flow)) ?? nil, let only = route.backends.first, route.backends.count == 1,
                let decision = try? evaluator.decide(only.flow), decision.verdict != .deny
            else { return nil }
            return Way(
                from: .pod(flow.from), to: .frontend(flow.to), traffic: frontends[flow.to].traffic,
                decided: LabTraffic(only.flow.protocol, only.flow.port), source: flow.source,
                destination: frontends[flow.to].frontend.address, decision: decision)
        }
        return direct + translated
    }

    /// Leaves out what only a proxy can answer: there is none.
    public mutating func leaveOutProxy() {
        guard needsProxy else { return }
        needsProxy = false
        let before = requestFlows.count
        requestFlows.removeAll {
            $0.attempt.kind == "http" || ($0.attempt.kind == "dns" && $0.traffic.protocol == .tcp)
        }
        notes.append(
            "\(before - requestFlows.count) HTTP requests and DNS queries over TCP are not tried: the proxy takes its rules from an agent, and none enforces "
                + "here (one folder of manifests, every pod with its addresses)")
    }

    /// What is tried over a flow with this traffic.
    private func candidates(_ survey: RequestSurvey, _ traffic: LabTraffic) -> [L7Request] {
        if survey.dns.contains(traffic) {
            // The one that no policy names last.
            return names.sorted { $1.name == NameSurvey.stranger && $0 != $1 }.map { .dns($0.name) }
        }
        guard traffic.protocol == .tcp else { return [] }
        if let requests = survey.http[traffic.port] { return requests.map { .http($0) } }
        return survey.serverNames.contains(traffic.port) ? names.map { .serverName($0.name) } + [.serverName("")] : []
    }

    private static func predict(
        _ request: L7Request, _ decision: Decision, _ requests: inout RequestDecider
    ) -> LabRequestPrediction {
        requests.decide(request, in: decision).isPermitted ? .answered : .denied
    }

    private func route(_ flow: LabServiceFlow) throws -> ServiceRoute? {
        let asked = frontends[flow.to].frontend
        return try evaluator.route(
            PolicyIR.Flow(
                from: flowEnd(.pod(flow.from), isIPv4: asked.address.isIPv4), to: .address(asked.address),
                protocol: asked.protocol, port: asked.port,
                isIPv4: asked.address.isIPv4))
    }

    /// For every pod whose rules have names for peers: each name's address before and after the name was asked for.
    private func nameAttempts(
        _ survey: RequestSurvey, _ resolvers: [Way], _ requests: inout RequestDecider
    ) -> [LabRequestFlow] {
        // An address that was never given must be tried before anybody asks for it.
        var (direct, asked): ([LabRequestFlow], [LabRequestFlow]) = ([], [])
        let ports = survey.toNames.sorted().filter { $0.protocol == .tcp }
        for (number, name) in names.enumerated() {
            let knowing = evaluator(knowing: name)
            for pod in pods.indices where asksForNames(pod) {
                for (traffic, address) in ports.flatMap({ port in name.addresses.map { (port, $0) } }) {
                    let flow = nameFlow(pod, address, traffic)
                    guard let source = pods[pod].ipAddresses.first(where: { $0.isIPv4 == address.isIPv4 }),
                        let before = try? evaluator.decide(flow), let after = try? knowing.decide(flow)
                    else { continue }
                    if let prediction = LabPlan.connecting(before) {
                        direct.append(
                            LabRequestFlow(
                                from: .pod(pod), to: .name(number), traffic: traffic, source: source,
                                destination: address, attempt: .connect(name: name.name), prediction: prediction))
                    }
                    // Over UDP, the first of the family that answers.
                    let resolver = resolvers.first { way in
                        way.from == .pod(pod) && way.traffic.protocol == .udp && way.source == source
                            && LabPlan.predict(.dns(name.name), way.decision, &requests) == .answered
                    }
                    guard let resolver, let prediction = LabPlan.connecting(isRead(resolver) ? after : before)
                    else { continue }
                    asked.append(resolver.attempt(.lookUp(name: name.name, then: traffic), prediction))
                }
            }
        }
        return direct + asked
    }

    /// What becomes of a plain connection; `nil` where requests decide.
    private static func connecting(_ decision: Decision) -> LabRequestPrediction? {
        switch decision.verdict {
        case .allow: .answered
        case .deny: .dropped
        case .l7: nil
        }
    }

    private func nameFlow(_ pod: Int, _ address: IPAddress, _ traffic: LabTraffic) -> PolicyIR.Flow {
        PolicyIR.Flow(
            from: flowEnd(.pod(pod), isIPv4: address.isIPv4), to: .address(address), protocol: traffic.protocol,
            port: traffic.port,
            isIPv4: address.isIPv4)
    }

    private func pod(_ index: Int) -> Pod? {
        objects.pods.first {
            $0.metadata.namespace == pods[index].namespace && $0.metadata.name == pods[index].name
        }
    }

    private func asksForNames(_ index: Int) -> Bool {
        guard let pod = pod(index) else { return false }
        return evaluator.subjectPolicy(for: pod, .egress).rules.contains { rule in
            guard case .anyOf(let peers) = rule.peers else { return false }
            return peers.contains { if case .names = $0 { true } else { false } }
        }
    }

    /// The evaluator once this name has been asked for.
    private func evaluator(knowing name: LabName) -> ReferenceEvaluator {
        var objects = objects
        objects.names[name.name] = name.addresses
        return ReferenceEvaluator(
            objects, policies: evaluator.policies, localNode: evaluator.view.localNode,
            serviceSettings: evaluator.serviceSettings)
    }

    /// Whether exchanges with a resolver are read: a DNS rule of the pod covers them, whatever else allows them.
    private func isRead(_ way: Way) -> Bool {
        guard case .pod(let index) = way.from, let pod = pod(index) else { return false }
        let flow = question(way)
        guard let ends = try? evaluator.view.resolve(flow) else { return false }
        let remote = evaluator.view.remote(of: ends, .egress)
        return evaluator.subjectPolicy(for: pod, .egress).rules.contains { rule in
            guard case .dns = rule.l7 else { return false }
            return rule.peers.matches(remote)
                && rule.traffic.matches(protocol: flow.protocol, port: flow.port) { remote.ports(named: $0, $1) }
        }
    }

    /// A flow as policies see it: to a Service's endpoint.
    private func question(_ way: Way) -> PolicyIR.Flow {
        let flow = PolicyIR.Flow(
            from: flowEnd(way.from, isIPv4: way.source.isIPv4), to: .address(way.destination),
            protocol: way.traffic.protocol,
            port: way.traffic.port, isIPv4: way.source.isIPv4)
        guard case .frontend = way.to else { return flow }
        return ((try? evaluator.route(flow)) ?? nil)?.backends.first?.flow ?? flow
    }

    /// Why an attempt is predicted to be answered or not, in lines.
    public func explain(_ flow: LabRequestFlow) -> [String] {
        var question = PolicyIR.Flow(
            from: flowEnd(flow.from, isIPv4: flow.source.isIPv4), to: .address(flow.destination),
            protocol: flow.traffic.protocol,
            port: flow.traffic.port, isIPv4: flow.source.isIPv4)
        switch flow.attempt {
        case .request(let request):
            if case .frontend = flow.to, let route = (try? evaluator.route(question)) ?? nil {
                return (try? evaluator.explain(route, request: request))?.decidingLines ?? []
            }
            return (try? evaluator.explain(question, request: request))?.decidingLines ?? []
        case .connect:
            return (try? evaluator.explain(question))?.decidingLines ?? []
        case .lookUp(let asked, let traffic):
            guard let name = names.first(where: { $0.name == asked }),
                let address = name.addresses.first(where: { $0.isIPv4 == flow.source.isIPv4 })
            else { return [] }
            question.to = .address(address)
            question.protocol = traffic.protocol
            question.port = traffic.port
            return (try? evaluator(knowing: name).explain(question))?.decidingLines ?? []
        }
    }

    /// The name of whom an attempt is sent to.
    public func name(of target: LabRequestFlow.Target) -> String {
        switch target {
        case .end(let end): name(of: end)
        case .frontend(let index): frontends[index].name
        case .name(let index): names[index].name
        }
    }

    /// Whose name answers an attempt: of the end, of any endpoint, of the outside.
    func answering(_ flow: LabRequestFlow) -> Set<String> {
        switch flow.attempt {
        case .request, .connect:
            switch flow.to {
            case .end(let end): [name(of: end)]
            case .frontend(let index): Set(frontends[index].backends)
            case .name(let index): [names[index].name]
            }
        case .lookUp(let asked, _): [asked]
        }
    }
}
