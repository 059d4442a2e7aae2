import Agent
import NetTypes
import PolicyAPI
import PolicyAnalysis
import PolicyIR
import ProxyRules
import Support

/// The HTTP rules that manifests have for one pod, direction and port: what the developer form of `netpold proxy` enforces.
struct TriedRules {
    /// The manifests.
    let files: [String]
    /// `namespace/name`.
    let pod: String
    let direction: Direction
    /// The other end; `nil` for any, then the rules of all peers count.
    let peer: String?
    let port: UInt16

    /// What is wrong with an argument or the manifests, and what to do about it.
    struct Mistake: Error, CustomStringConvertible {
        let description: String
        /// What is wrong with the manifests, which may be why.
        var diagnostics: [Diagnostic] = []
    }

    /// What was found.
    struct Found {
        let book: RuleBook
        /// How many elements of `rules.http` there are.
        let elements: Int
        let manifests: LoadedManifests
        let diagnostics: [Diagnostic]
    }

    /// All rules are one rule of one policy, so that the selection stays the same when the manifests change.
    static let selection = RuleBook.Selection(policy: 1, rules: [0])

    /// Reads the manifests.
    func find(revision: UInt64) throws -> Found {
        let loaded = ManifestFiles.load(files)
        let lowered = PolicyLowering.lower(loaded.decoded.objects)
        let diagnostics = loaded.decoded.diagnostics + lowered.diagnostics
        do {
            return try find(loaded, lowered, diagnostics, revision)
        } catch var mistake as Mistake {
            mistake.diagnostics = diagnostics
            throw mistake
        }
    }

    private func find(
        _ loaded: LoadedManifests, _ lowered: LoweredPolicies, _ diagnostics: [Diagnostic], _ revision: UInt64
    ) throws -> Found {
        let evaluator = ReferenceEvaluator(
            loaded.decoded.objects,
            policies: lowered.policies + PolicyLowering.lowerRefused(loaded.decoded.refused))
        let parts = pod.split(separator: "/").map(String.init)
        guard parts.count == 2, let subject = evaluator.view.pod(parts[0], parts[1]) else {
            let pods = loaded.decoded.objects.pods.map(\.qualifiedName).sorted()
            throw Mistake(description: "there is no pod \(pod)\(NameHint.text(pod, pods, noun: "pods"))")
        }
        let policy = evaluator.subjectPolicy(for: subject, direction)
        let numbers: [Int]
        if let peer {
            numbers = try self.numbers(ofFlowWith: peer, evaluator)
        } else {
            numbers = self.numbers(ofPortIn: policy, subject)
        }
        let elements = numbers.flatMap { RuleSnapshot.Rule(number: 0, policy.rules[$0])?.http ?? [] }
        guard !elements.isEmpty else { throw nothing(policy) }
        let snapshot = RuleSnapshot(
            revision: revision,
            policies: [
                .init(
                    id: TriedRules.selection.policy, direction: direction, rules: [.init(number: 0, http: elements)])
            ])
        return Found(
            book: try RuleBook(snapshot), elements: elements.count, manifests: loaded, diagnostics: diagnostics)
    }

    /// Those that the flow meets.
    private func numbers(ofFlowWith peer: String, _ evaluator: ReferenceEvaluator) throws -> [Int] {
        guard let other = FlowEnd(parsing: peer), let own = FlowEnd(parsing: pod) else {
            throw Mistake(description: "'\(peer)' is not an end of a flow; write --peer namespace/pod or ip:ADDRESS")
        }
        let flow = Flow(
            from: direction == .egress ? own : other, to: direction == .egress ? other : own, protocol: .tcp, port: port
        )
        let decision = try evaluator.decide(flow)
        let side = direction == .egress ? decision.egress : decision.ingress
        switch side.reason {
        case .l7Rules(let numbers, _): return numbers
        case .rule(_, let origin) where side.verdict == .allow:
            throw Mistake(
                description:
                    "\(origin) allows this flow without HTTP rules: it never reaches a proxy, every request passes")
        case .rule, .localNode, .itself, .noPolicyHere, .notIsolated, .defaultDeny:
            throw Mistake(
                description:
                    "the flow of TCP port \(port) is \(side.verdict == .allow ? "allowed" : "denied") before HTTP "
                    + "rules are asked; `netpold explain` says why")
        }
    }

    /// Those of the port, whoever the peer is.
    private func numbers(ofPortIn policy: SubjectPolicy, _ subject: Pod) -> [Int] {
        policy.rules.indices.filter { index in
            policy.rules[index].traffic.matches(protocol: .tcp, port: port) { name, wanted in
                direction == .ingress ? subject.ports(named: name, wanted) : []
            }
        }
    }

    private func nothing(_ policy: SubjectPolicy) -> Mistake {
        guard policy.isIsolated else {
            return Mistake(
                description: "no policy isolates \(pod) at \(direction): every request passes without a proxy")
        }
        let ports = Set(
            policy.rules.flatMap { rule -> [String] in
                guard case .http? = rule.l7, case .anyOf(let clauses) = rule.traffic else { return [] }
                return clauses.map { clause in
                    switch clause {
                    case .ports(_, let range): "\(range)"
                    case .named(_, let name): name
                    }
                }
            }
        ).sorted()
        let hint =
            ports.isEmpty
            ? "none of its policies has HTTP rules at \(direction)"
            : "they are for \(ports.joined(separator: ", ")); choose with --port"
        return Mistake(description: "no HTTP rule of \(pod) is for port \(port) at \(direction): \(hint)")
    }
}
