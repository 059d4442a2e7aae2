public import NetTypes
public import PolicyAPI

/// One policy object (or one rule of a Cilium object) after lowering: its subject and its rules for each direction.
/// Independent of which pods exist; named ports and selectors are not resolved.
public struct LoweredPolicy: Hashable, Sendable {
    /// The subject.
    public var subject: PolicySubject
    /// The rules for traffic to the subject; `nil` if it does not cover ingress.
    public var ingress: DirectionRules?
    /// The rules for traffic from the subject; `nil` if it does not cover egress.
    public var egress: DirectionRules?
    /// The object (path empty or `specs[i]`).
    public var origin: RuleOrigin

    /// A lowered policy.
    public init(subject: PolicySubject, ingress: DirectionRules?, egress: DirectionRules?, origin: RuleOrigin) {
        self.subject = subject
        self.ingress = ingress
        self.egress = egress
        self.origin = origin
    }

    /// The rules of a direction.
    public subscript(direction: Direction) -> DirectionRules? {
        direction == .ingress ? ingress : egress
    }
}

/// The rules of one policy for one direction.
public struct DirectionRules: Hashable, Sendable {
    /// Whether a selected pod is isolated in this direction: what no rule allows is denied.
    public var isolates: Bool
    /// The rules, in source order.
    public var rules: [PolicyRule]

    /// Rules of a direction.
    public init(isolates: Bool, rules: [PolicyRule]) {
        self.isolates = isolates
        self.rules = rules
    }
}

/// All rules that apply to one subject in one direction: the input of evaluation and of compilation.
public struct SubjectPolicy: Hashable, Sendable {
    /// The policies that isolate the subject, sorted; empty when it is not isolated.
    public var isolatedBy: [RuleOrigin]
    /// All rules in the order of `PolicyRule.precedes`; rule i is rule number i everywhere.
    public var rules: [PolicyRule]

    /// A subject's policy for one direction, from the policies that select it. Sorts, and turns L7 rules into plain ones
    /// where nothing is isolated: an L7 list restricts only what default deny would drop (spec/cilium 8.5), or a deny of the
    /// baseline tier. Server names are mandatory for their peer and port.
    public init(_ applying: [DirectionRules], isolatedBy: [RuleOrigin]) {
        self.isolatedBy = isolatedBy.sorted()
        var rules = applying.flatMap(\.rules).sorted(by: PolicyRule.precedes)
        if isolatedBy.isEmpty, !rules.contains(where: { $0.tier == .baseline && $0.action == .deny }) {
            for index in rules.indices { rules[index].l7 = nil }
        }
        self.rules = SubjectPolicy.requiringServerNames(rules)
    }

    /// Whether what no rule allows is denied.
    public var isIsolated: Bool { !isolatedBy.isEmpty }
}
