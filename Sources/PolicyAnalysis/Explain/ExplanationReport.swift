import PolicyAPI
import PolicyIR

/// The output of `netpold explain --json`, described in docs/reference/explain-json.md. Members that do not apply are
/// omitted; lists are empty instead.
public struct ExplanationReport: Encodable, Sendable {
    /// The version of the format: raised when a member changes its meaning or is removed.
    public let version = 1
    /// The sender.
    public let from: String
    /// The receiver.
    public let to: String
    /// `TCP`, `UDP`, `SCTP`, `ICMP`, `ICMPv6`.
    public let `protocol`: String
    /// The destination port; none for ICMP.
    public let port: UInt16?
    /// The ICMP type; none for other protocols.
    public let icmpType: UInt16?
    /// `allow`, `deny` or `l7`.
    public let verdict: String
    /// The sender's side.
    public let egress: Side
    /// The receiver's side.
    public let ingress: Side
    /// The request in the flow; none when only the connection is explained.
    public let request: Request?

    /// A report of an explanation.
    public init(_ explanation: DecisionExplanation) {
        let flow = explanation.flow
        from = "\(flow.from)"
        to = "\(flow.to)"
        `protocol` = "\(flow.protocol)"
        port = flow.protocol.hasPorts ? flow.port : nil
        icmpType = flow.protocol.isICMP ? flow.port : nil
        verdict = explanation.verdict.word
        egress = Side(explanation.egress)
        ingress = Side(explanation.ingress)
        request = explanation.request.map(Request.init)
    }
}

extension ExplanationReport {
    /// One end.
    public struct Side: Encodable, Sendable {
        let subject: String?
        let remote: Remote?
        let verdict: String
        let reason: String
        let rules: [Rule]
        let passes: [Rule]
        let overrides: [Rule]
        let isolatedBy: [Policy]
        let selectedBy: [Policy]
        let nearestRules: [Miss]
        let nearlySelectedBy: [SubjectMiss]

        init(_ side: SideExplanation) {
            subject = side.subject
            remote = side.side.map { Remote($0.remote) }
            verdict = side.decision.verdict.word
            rules = side.deciding.map(Rule.init)
            passes = side.passes.map(Rule.init)
            overrides = side.overridden.map(Rule.init)
            selectedBy = side.selecting.map(Policy.init)
            nearestRules = side.nearMisses.map(Miss.init)
            nearlySelectedBy = side.subjectMisses.map(SubjectMiss.init)
            var isolating: [RuleOrigin] = []
            switch side.decision.reason {
            case .rule: reason = "rule"
            case .l7Rules: reason = "l7-rules"
            case .localNode: reason = "local-node"
            case .itself: reason = "itself"
            case .noPolicyHere: reason = "no-pod"
            case .notIsolated: reason = "not-isolated"
            case .defaultDeny(let origins):
                reason = "default-deny"
                isolating = origins
            }
            isolatedBy = isolating.map(Policy.init)
        }
    }

    /// The other end as policies see it.
    struct Remote: Encodable, Sendable {
        let kind: String
        let pod: String?
        let address: String?
        let names: [String]

        init(_ remote: RemoteEnd) {
            pod = remote.pod?.qualifiedName
            address = remote.address.map { "\($0)" }
            names = remote.names.sorted()
            switch remote.kind {
            case .pod: kind = "pod"
            case .host: kind = "host"
            case .remoteNode: kind = "remote-node"
            case .outside: kind = remote.isMasqueraded ? "masqueraded" : "world"
            case .contested: kind = "contested"
            }
        }
    }

    /// An object, or a path in it.
    struct Policy: Encodable, Sendable {
        let kind: String
        let namespace: String?
        let name: String
        let path: String?
        let file: String?
        let line: Int?
        let column: Int?
        let refused: Bool?

        init(_ origin: RuleOrigin) {
            kind = origin.kind
            namespace = origin.namespace.isEmpty ? nil : origin.namespace
            name = origin.name
            path = origin.path.isEmpty ? nil : origin.path
            file = origin.location?.file
            line = origin.location?.line
            column = origin.location?.column
            refused = origin.isRefused ? true : nil
        }
    }

    /// A rule.
    struct Rule: Encodable, Sendable {
        let number: Int
        let tier: String
        let priority: UInt32
        let action: String
        let policy: Policy

        init(_ rule: RuleReference) {
            number = rule.number
            tier = rule.tier.word
            priority = rule.priority
            action = rule.action.word
            policy = Policy(rule.origin)
        }
    }

    /// A rule that nearly allows the flow.
    struct Miss: Encodable, Sendable {
        let rule: Rule
        let failed: [Condition]
        let alternatives: Int

        init(_ miss: NearMiss) {
            rule = Rule(miss.rule)
            failed = miss.failed.map(Condition.init)
            alternatives = miss.alternatives
        }
    }

    /// A policy that nearly selects the pod.
    struct SubjectMiss: Encodable, Sendable {
        let policy: Policy
        let failed: Condition

        init(_ miss: PolicyAnalysis.SubjectMiss) {
            policy = Policy(miss.policy)
            failed = Condition(miss.failed)
        }
    }

    /// A condition that failed.
    struct Condition: Encodable, Sendable {
        let kind: String
        let of: String?
        let key: String?
        let `operator`: String?
        let wanted: [String]
        let has: String?
        let text: String

        init(_ condition: FailedCondition) {
            kind = condition.kind.rawValue
            of = condition.of
            key = condition.key
            `operator` = condition.operator?.rawValue
            wanted = condition.wanted
            has = condition.has
            text = condition.text
        }
    }
}
