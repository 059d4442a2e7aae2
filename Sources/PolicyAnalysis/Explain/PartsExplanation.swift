import PolicyAPI
import PolicyIR

/// Answers about a flow whose ends stand for several pods or addresses: one for each group that policies treat alike.
struct PartsExplanation {
    /// The most flows that are decided for one question.
    static let limit = 20_000

    /// Flows that get the same answer.
    struct Group {
        /// Which of the sender's parts with which of the receiver's.
        var pairs: [(from: [Int], to: [Int])]
        /// One of them.
        var example: Flow
        /// Its explanation.
        var explanation: FlowExplanation
    }

    let text: FlowText
    let from: FlowEndParts
    let to: FlowEndParts
    let groups: [Group]

    /// What tells two answers apart.
    private enum Key: Hashable {
        case flow(Decision, isPermitted: Bool?)
        case service(RouteVerdict, [Decision?])
    }

    /// Decides every flow between the parts.
    ///
    /// - Throws: `FlowText.Mistake`, or `FlowError` when no pair of parts can have the flow.
    init(
        _ text: FlowText, _ from: FlowEndParts, _ to: FlowEndParts, in objects: ClusterObjects,
        _ evaluator: ReferenceEvaluator, request: L7Request?
    ) throws {
        self.text = text
        self.from = from
        self.to = to
        guard from.parts.count * to.parts.count <= PartsExplanation.limit else {
            throw FlowText.Mistake(
                description: "this is about \(from.parts.count * to.parts.count) flows that may differ; ask about fewer"
            )
        }
        var order: [Key] = []
        var found: [Key: (flow: Flow, targets: [Int: [Int]])] = [:]
        var failure: FlowError?
        for (sender, own) in from.parts.enumerated() {
            for (receiver, other) in to.parts.enumerated() where own.end != other.end {
                let flow = try text.flow(from: own.end, to: other.end, in: objects, evaluator.view)
                if let request { try FlowText.check(request, over: flow.protocol) }
                do throws(FlowError) {
                    let key = try PartsExplanation.key(flow, evaluator, request)
                    if found[key] == nil { order.append(key) }
                    found[key, default: (flow, [:])].targets[sender, default: []].append(receiver)
                } catch {
                    // Parts of the other family, where an end has but one: nobody can begin such a flow.
                    failure = error
                    if error != .mixedFamilies { throw error }
                }
            }
        }
        if order.isEmpty {
            throw failure ?? FlowText.Mistake(description: "\(text.from) and \(text.to) are one and the same pod")
        }
        groups = try order.compactMap { key in
            guard let (flow, targets) = found[key] else { return nil }
            let alike = Dictionary(grouping: targets.keys.sorted()) { targets[$0] ?? [] }
            let pairs = alike.map { (from: $0.value, to: $0.key) }.sorted {
                ($0.from.first ?? 0) < ($1.from.first ?? 0)
            }
            return Group(
                pairs: pairs, example: flow, explanation: try evaluator.answer(flow, in: objects, request: request))
        }
    }

    private static func key(
        _ flow: Flow, _ evaluator: ReferenceEvaluator, _ request: L7Request?
    ) throws(FlowError) -> Key {
        if let route = try evaluator.route(flow) {
            let explanation = try evaluator.explain(route, request: request)
            return .service(
                explanation.verdict,
                try route.backends.map { backend throws(FlowError) in try evaluator.decide(backend.flow) })
        }
        try evaluator.checkFamilies(of: flow)
        let decision = try evaluator.decide(flow)
        guard let request else { return .flow(decision, isPermitted: nil) }
        return .flow(decision, isPermitted: try evaluator.explain(flow, request: request).request?.isPermitted)
    }

    /// `3 answers for shop/web -> ip:10.0.0.0/8 80/TCP`, then each with whom it is for.
    var lines: [ExplanationLine] {
        let what = "\(text.from) -> \(text.to) \(text.traffic)"
        if groups.count == 1, let only = groups.first {
            return [ExplanationLine(.verdict, 0, "ONE ANSWER for all of \(what)")] + only.explanation.lines
        }
        var lines = [ExplanationLine(.verdict, 0, "\(groups.count) ANSWERS for \(what)")]
        for group in groups {
            for pair in group.pairs {
                lines.append(ExplanationLine(.side, 0, "for \(from.words(pair.from)) -> \(to.words(pair.to)):"))
            }
            lines += group.explanation.lines.map { line in
                ExplanationLine(role: line.role, text: "  " + line.text, excerpt: line.excerpt)
            }
        }
        return lines
    }
}

/// The output of `netpold explain --json` for ends that stand for several, described in docs/reference/explain-json.md.
public struct PartsReport: Encodable, Sendable {
    /// The version of the format: that of `ExplanationReport`.
    public let version = 1
    /// The sender as it was written.
    public let from: String
    /// The receiver as it was written.
    public let to: String
    /// Port and protocol as they were written.
    public let traffic: String
    /// `allow`, `deny` or `mixed`.
    public let verdict: String
    /// One for each answer.
    public let parts: [Part]

    /// An answer.
    public struct Part: Encodable, Sendable {
        /// Whom it is for.
        let flows: [Pair]
        /// The answer for one of them.
        let explanation: FlowExplanation.Report
    }

    /// Senders that all get the answer to all receivers.
    public struct Pair: Encodable, Sendable {
        let from: [String]
        let to: [String]
    }

    init(_ parts: PartsExplanation) {
        from = parts.text.from
        to = parts.text.to
        traffic = parts.text.traffic
        let verdicts = Set(parts.groups.map(\.explanation.isAllowed))
        verdict = verdicts == [true] ? "allow" : verdicts == [false] ? "deny" : "mixed"
        self.parts = parts.groups.map { group in
            Part(
                flows: group.pairs.map { Pair(from: parts.from.names($0.from), to: parts.to.names($0.to)) },
                explanation: group.explanation.report)
        }
    }
}
