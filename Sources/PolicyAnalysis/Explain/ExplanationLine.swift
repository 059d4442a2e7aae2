public import NetTypes
public import PolicyAPI

/// A line of an explanation, with its role, which determines its colour.
public struct ExplanationLine: Hashable, Sendable {
    /// The role of a line.
    public enum Role: String, Hashable, Sendable {
        /// The verdict of the flow.
        case verdict = "verdict"
        /// A side and its verdict.
        case side = "side"
        /// A reason: why the rules below it are listed.
        case reason = "reason"
        /// A rule or a policy.
        case rule = "rule"
        /// The condition that failed.
        case failure = "failure"
    }

    /// The text, indented, without control characters: names and patterns come from manifests.
    public var text: String
    /// Its role.
    public var role: Role
    /// The location of a rule to show an excerpt of: one that decides, or the nearest of those that missed.
    public var excerpt: SourceLocation?

    /// A line that was made before.
    public init(role: Role, text: String, excerpt: SourceLocation?) {
        self.role = role
        self.text = text
        self.excerpt = excerpt
    }

    init(_ role: Role, _ indent: Int, _ text: String, excerpt: SourceLocation? = nil) {
        self.text = String(repeating: " ", count: indent) + SafeText.printable(text)
        self.role = role
        self.excerpt = excerpt
    }
}

extension DecisionExplanation {
    /// The explanation in lines: the verdict first, then both sides, then the request.
    public var lines: [ExplanationLine] {
        [ExplanationLine(.verdict, 0, headline)] + egress.styledLines + ingress.styledLines
            + (request?.styledLines ?? [])
    }

    /// The sides that determine the verdict, in plain lines: those that deny, or, for an allowed flow, those of pods, also of pods
    /// that no policy applies to.
    public var decidingLines: [String] {
        let sides = [egress, ingress]
        let deciding =
            verdict == .deny ? sides.filter { $0.decision.verdict == .deny } : sides.filter(\.isOfPod)
        return deciding.flatMap(\.lines)
    }

    /// One side.
    public subscript(direction: Direction) -> SideExplanation { direction == .egress ? egress : ingress }

    /// `DENIED shop/web -> shop/db TCP 80, by the ingress policies of shop/db`.
    public var headline: String {
        if verdict != .deny, let request { return request.headline(flow) }
        switch verdict {
        case .allow: return "ALLOWED \(flow)"
        case .l7: return DecisionExplanation.conditional("\(flow)", needsProxy: needsProxy)
        case .deny:
            let by = [egress, ingress].filter { $0.decision.verdict == .deny }
                .map { "the \($0.direction) policies of \($0.subject ?? "\($0.end)")" }
            return "DENIED \(flow), by \(by.joined(separator: " and "))"
        }
    }
}

extension SideExplanation {
    /// The side as text, in lines: who decides what, then why.
    public var lines: [String] { styledLines.map(\.text) }

    var styledLines: [ExplanationLine] {
        [ExplanationLine(.side, 0, "\(direction) of \(subject ?? "\(end)"): \(decision.verdict.word)")]
            + remoteLines + passes.map { ExplanationLine(.reason, 2, "passed to the next tier by \($0)") } + reasonLines
    }

    /// A line when policies see the other end differently than the flow names it.
    private var remoteLines: [ExplanationLine] {
        guard let remote = side?.remote, remote.pod == nil, case .pod = other else { return [] }
        if remote.kind == .contested {
            return [
                ExplanationLine(
                    .reason, 2,
                    "\(remote.displayName) of \(other) is another's address too, so policies cannot tell whose it is")
            ]
        }
        return [ExplanationLine(.reason, 2, "\(other) uses hostNetwork, so policies see \(remote.displayName)")]
    }

    private var reasonLines: [ExplanationLine] {
        switch decision.reason {
        case .rule:
            return deciding.map { ExplanationLine(.rule, 2, "by \($0)", excerpt: $0.origin.location) } + overriddenLines
        case .l7Rules:
            let how = needsProxy ? "redirected to the proxy, which applies" : "allowed in the kernel for names of"
            return [ExplanationLine(.reason, 2, how)]
                + deciding.map { ExplanationLine(.rule, 4, "\($0)", excerpt: $0.origin.location) }
        case .localNode:
            return [ExplanationLine(.reason, 2, "the pod's own node is always allowed, unless a rule denies it")]
        case .itself: return [ExplanationLine(.reason, 2, "traffic of a pod to itself is always allowed")]
        case .noPolicyHere: return [ExplanationLine(.reason, 2, noPolicyReason)]
        case .notIsolated: return notIsolatedLines + subjectMissLines(isDenied: false)
        case .defaultDeny(let isolating):
            return [ExplanationLine(.reason, 2, "no rule allows it, and it is isolated by")]
                + isolating.map { ExplanationLine(.rule, 4, "\($0)") } + nearMissLines
                + subjectMissLines(isDenied: true)
        }
    }

    /// Whether the end is a pod, or a node with host policies.
    fileprivate var isOfPod: Bool {
        if case .pod = end { return true }
        return subject != nil
    }

    private var noPolicyReason: String {
        // Only a hostNetwork pod is named as a pod and has no policies.
        if case .pod = end { return "it uses hostNetwork, so policies for pods do not apply to it" }
        return "it is not a pod, so no policy applies to it"
    }

    private var overriddenLines: [ExplanationLine] {
        if overridden.isEmpty {
            // A rule that a Pass has skipped may match.
            let evaluated = passes.isEmpty ? "" : "evaluated "
            let other =
                decision.verdict == .deny
                ? "no \(evaluated)allow rule matches it either" : "no \(evaluated)deny rule matches it"
            return [ExplanationLine(.reason, 2, other)]
        }
        return [ExplanationLine(.reason, 2, "which overrides")] + SideExplanation.limited(overridden)
    }

    private var notIsolatedLines: [ExplanationLine] {
        guard let subject, !selecting.isEmpty else {
            return [ExplanationLine(.reason, 2, "no policy selects it for \(direction), so everything is allowed")]
        }
        return [
            ExplanationLine(
                .reason, 2, "no rule denies it, and none of the policies that select \(subject) isolates it")
        ]
            + SideExplanation.limited(selecting)
    }

    private var nearMissLines: [ExplanationLine] {
        if nearMisses.isEmpty { return [ExplanationLine(.reason, 2, "and no evaluated rule allows anything")] }
        let title = nearMisses.count == 1 ? "nearest rule" : "nearest rules"
        return [ExplanationLine(.reason, 2, title)]
            + nearMisses.enumerated().flatMap { index, miss in
                let excerpt = index == 0 ? miss.rule.origin.location : nil
                return [ExplanationLine(.rule, 4, "\(miss.rule)", excerpt: excerpt)]
                    + miss.sentences.enumerated().map {
                        ExplanationLine(.failure, 6, ($0 == 0 ? "but " : "and ") + $1)
                    }
            }
    }

    private func subjectMissLines(isDenied: Bool) -> [ExplanationLine] {
        if subjectMisses.isEmpty { return [] }
        let would =
            isDenied ? "would allow it, but does not select the pod" : "would isolate the pod, but does not select it"
        return [ExplanationLine(.reason, 2, would)]
            + subjectMisses.flatMap {
                [ExplanationLine(.rule, 4, "\($0.policy)"), ExplanationLine(.failure, 6, "because \($0.failed.text)")]
            }
    }

    /// The first three, and how many more there are.
    private static func limited(_ items: [some CustomStringConvertible]) -> [ExplanationLine] {
        items.prefix(3).map { ExplanationLine(.rule, 4, "\($0)") }
            + (items.count > 3 ? [ExplanationLine(.reason, 4, "and \(items.count - 3) more")] : [])
    }
}

extension NearMiss {
    /// The conditions as text, at most three and a count; the first one mentions the number of alternative peers.
    public var sentences: [String] {
        var texts = failed.prefix(3).map(\.text)
        if failed.count > 3 { texts.append("\(failed.count - 3) more conditions fail") }
        if alternatives > 1, !texts.isEmpty { texts[0] += " (nearest of \(alternatives) peers)" }
        return texts
    }
}

extension RuleReference: CustomStringConvertible {
    /// `rule 3: NetworkPolicy shop/db spec.ingress[0] (db.yaml:9:5)`; outside the normal tier with tier and priority.
    public var description: String {
        let level = tier == .normal ? "" : " [\(tier.word) priority \(priority)]"
        return "rule \(number): \(origin)\(level)"
    }
}

extension Tier {
    /// The tier as users write it: `Admin`, `Normal`, `Baseline`.
    public var word: String {
        switch self {
        case .admin: "Admin"
        case .normal: "Normal"
        case .baseline: "Baseline"
        }
    }
}

extension RuleAction {
    /// `deny`, `allow`, `pass`.
    public var word: String {
        switch self {
        case .deny: "deny"
        case .allow: "allow"
        case .pass: "pass"
        }
    }
}
