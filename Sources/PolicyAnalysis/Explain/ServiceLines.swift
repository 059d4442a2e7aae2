import PolicyIR

extension ServiceExplanation {
    /// How many backends are listed.
    private static let listed = 8

    /// The explanation in lines: the verdict, the Service, its backends, then why one that is denied is, and one that is not.
    public var lines: [ExplanationLine] {
        var lines = [ExplanationLine(.verdict, 0, headline)] + serviceLines
        for example in examples {
            if backends.count > 1 { lines.append(ExplanationLine(.reason, 0, "at \(example.name):")) }
            lines += example.explanation.lines.dropFirst()
        }
        return lines
    }

    /// What accounts for the verdict, in plain lines: for a failing test.
    public var decidingLines: [String] {
        let deciding =
            verdict == .allow || verdict == .l7 ? examples : backends.filter(\.isDenied).prefix(1).map(\.self)
        return serviceLines.map(\.text)
            + deciding.flatMap { $0.explanation.request?.decidingLines ?? $0.explanation.decidingLines }
    }

    /// `MIXED shop/web -> svc/shop/api TCP 80: denied at 1 of 2 endpoints`.
    public var headline: String {
        let what = "\(route.flow)" + (backends.first?.explanation.request.map { ": \($0.request)" } ?? "")
        switch verdict {
        case .allow: return "ALLOWED \(what)"
        case .l7:
            return DecisionExplanation.conditional(what, needsProxy: backends.contains(where: \.explanation.needsProxy))
        case .rejected: return "REJECTED \(what): \(emptiness)"
        case .mixed:
            return "MIXED \(what): denied at \(backends.count(where: \.isDenied)) of \(backends.count) endpoints"
        case .deny where backends.isEmpty:
            return "DENIED \(what), by the egress policies of \(route.flow.from): \(emptinessObserved)"
        case .deny
        where together?.verdict == .deny
            && backends.contains(where: { $0.explanation.egress.decision.verdict != .deny }):
            let denied = backends.count { $0.explanation.egress.decision.verdict == .deny }
            return
                "DENIED \(what), by the egress policies of \(route.flow.from), which deny \(denied) of \(backends.count) "
                + "endpoints that may be chosen"
        case .deny:
            let by = denying
            return "DENIED \(what)" + (by.isEmpty ? "" : ", by \(by)")
        }
    }

    /// What becomes of a packet to the frontend.
    private func translation(_ count: String) -> String {
        guard route.isObserved else { return "is translated to \(count)" }
        let all = "the sender's policies must allow \(backends.count == 1 ? "it" : "all of them")"
        switch route.frontend?.kind {
        case .nodeLocalDNS:
            return "is where a DNS cache of the node listens, which stands for \(count): \(all)"
        case .clusterIP, .externalIP, .loadBalancer, .nodePort, nil:
            return "is translated to \(count) by another component, behind the sender's hook: \(all)"
        }
    }

    /// Whose policies deny, of the connection alone: `the ingress policies of shop/api-1`.
    private var denying: String {
        var sides: [String] = []
        for backend in backends {
            for side in [backend.explanation.egress, backend.explanation.ingress] where side.decision.verdict == .deny {
                let text = "the \(side.direction) policies of \(side.subject ?? "\(side.end)")"
                if !sides.contains(text) { sides.append(text) }
            }
        }
        if sides.count > 2 { return "the policies of every endpoint" }
        return sides.joined(separator: " and ")
    }

    private var emptinessObserved: String {
        "Service \(route.service) has no endpoint that may be used, so there is none that they allow"
    }

    private var emptiness: String {
        switch route.meaning {
        case .translated: "Service \(route.service) has no endpoint that may be used, so the connection is refused"
        case .headless: "Service \(route.service) is headless and has no ready endpoint, so its name has no address"
        case .alias(let name): "nothing has the name \(name)"
        }
    }

    /// That policies are asked about another port than the Service's.
    private var otherPort: String {
        let ports = Set(backends.map(\.backend.port)).subtracting([route.flow.port]).sorted()
        guard !ports.isEmpty else { return "" }
        let list = ports.map { "\($0)" }.joined(separator: " and ")
        return "; its port \(route.flow.port) is port \(list) of its pods, which policies are asked about"
    }

    private var serviceLines: [ExplanationLine] {
        let place = route.location.map { " (\($0))" } ?? ""
        let port = route.portName.isEmpty ? "" : " port \(route.portName)"
        let count = backends.count == 1 ? "its only endpoint" : "one of \(backends.count) endpoints"
        let what: String
        switch route.meaning {
        case .translated:
            let frontend = route.frontend.map { ", \($0.kind.rawValue) \($0.address)," } ?? ""
            what =
                backends.isEmpty
                ? "\(port)\(frontend) has no endpoints" : "\(port)\(frontend) \(translation(count))\(otherPort)"
        case .headless:
            what =
                backends.isEmpty
                ? " is headless and has no ready endpoints"
                : "\(port) is headless: its name gives the address of \(count), and the port stays as it is"
        case .alias(let name): what = " is an alias for \(name), and nothing is translated"
        }
        let head = ExplanationLine(.side, 0, "Service \(route.service)\(place)\(what)", excerpt: nil)
        let shown = backends.prefix(ServiceExplanation.listed).map { backend in
            ExplanationLine(
                .rule, 2, "\(backend.name) \(route.flow.protocol) \(backend.backend.port): \(backend.word)")
        }
        let more = backends.count - shown.count
        return [head] + shown + (more > 0 ? [ExplanationLine(.reason, 2, "and \(more) more")] : [])
    }
}

extension ServiceExplanation.Backend {
    /// `shop/api-1 (10.244.0.3)`, or the address alone.
    public var name: String {
        if case .pod = explanation.flow.to { return "\(explanation.flow.to) (\(backend.address))" }
        return "\(explanation.flow.to)"
    }

    /// `allow`, `deny` or `l7`.
    var word: String {
        if let request = explanation.request { return request.isPermitted ? "allow" : "deny" }
        return explanation.verdict.word
    }
}
