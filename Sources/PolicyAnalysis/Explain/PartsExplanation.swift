import PolicyAPI
import PolicyIR

/// Answers about a flow whose ends stand for several pods or addresses: one for each group that policies treat alike.
struct PartsExplanation {
    /// The most flows that are decided for one question.
    static let limit = 20_000

    /// Flows that get the same answer.
    struct Group {
        /// Which of the sender's parts with which of the receiver's; over one family where the other has another answer.
        var pairs: [(from: [Int], to: [Int], isIPv4: Bool?)]
        /// One of them.
        var example: Flow
        /// Its explanation.
        var explanation: FlowExplanation
    }

    let text: FlowText
    let from: FlowEndParts
    let to: FlowEndParts
    let groups: [Group]

    /// One of the sender's parts, over one family where the other has another answer.
    private struct Sender: Hashable {
        let number: Int
        let isIPv4: Bool?
    }

    /// Receivers of some senders, over one family where the other has another answer.
    private struct Receivers: Hashable {
        let numbers: [Int]
        let isIPv4: Bool?
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
        var order: [AnswerKey] = []
        var found: [AnswerKey: (flow: Flow, targets: [Sender: [Int]])] = [:]
        var failure: FlowError?
        for pair in try text.pairs(from, to, in: objects, evaluator.view) {
            if let request { try FlowText.check(request, over: pair.flow.protocol) }
            do throws(FlowError) {
                for flow in try evaluator.byFamily(pair.flow, request: request) {
                    let key = try evaluator.answerKey(flow, request: request)
                    if found[key] == nil { order.append(key) }
                    let sender = Sender(number: pair.sender, isIPv4: flow.isIPv4)
                    found[key, default: (flow, [:])].targets[sender, default: []].append(pair.receiver)
                }
            } catch {
                // Parts of the other family, where an end has but one: nobody can begin such a flow.
                failure = error
                if error != .mixedFamilies { throw error }
            }
        }
        if order.isEmpty {
            throw failure ?? FlowText.Mistake(description: "\(text.from) and \(text.to) are one and the same pod")
        }
        groups = try order.compactMap { key in
            guard let (flow, targets) = found[key] else { return nil }
            let alike = Dictionary(grouping: targets.keys) { sender in
                Receivers(numbers: targets[sender] ?? [], isIPv4: sender.isIPv4)
            }
            let pairs = alike.map { receivers, senders in
                (from: senders.map(\.number).sorted(), to: receivers.numbers, isIPv4: receivers.isIPv4)
            }.sorted { left, right in
                let (first, second) = (left.from.first ?? 0, right.from.first ?? 0)
                return first == second ? left.isIPv4 == true && right.isIPv4 == false : first < second
            }
            return Group(
                pairs: pairs, example: flow, explanation: try evaluator.answer(flow, in: objects, request: request))
        }
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
                let family = Flow.familyText(pair.isIPv4)
                lines.append(
                    ExplanationLine(.side, 0, "for \(from.words(pair.from)) -> \(to.words(pair.to))\(family):"))
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
        /// `IPv4` or `IPv6`, where the other family gets another answer.
        let family: String?
    }

    init(_ parts: PartsExplanation) {
        from = parts.text.from
        to = parts.text.to
        traffic = parts.text.traffic
        let verdicts = Set(parts.groups.map(\.explanation.isAllowed))
        verdict = verdicts == [true] ? "allow" : verdicts == [false] ? "deny" : "mixed"
        self.parts = parts.groups.map { group in
            Part(
                flows: group.pairs.map { pair in
                    Pair(
                        from: parts.from.names(pair.from), to: parts.to.names(pair.to),
                        family: pair.isIPv4.map { $0 ? "IPv4" : "IPv6" })
                },
                explanation: group.explanation.report)
        }
    }
}
