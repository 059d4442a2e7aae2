internal import PolicyAPI

/// A snapshot with every pattern compiled. Immutable: a new revision is a new book.
public final class RuleBook: Sendable {
    /// The HTTP rules that one end's policy applies to a flow, as the datapath knows them.
    public struct Selection: Hashable, Sendable {
        /// The policy's number.
        public var policy: UInt32
        /// The numbers of the rules that match the flow's peer and port.
        public var rules: [UInt32]

        /// A selection.
        public init(policy: UInt32, rules: [UInt32]) {
            self.policy = policy
            self.rules = rules
        }
    }

    /// The revision of the snapshot.
    public let revision: UInt64
    private let policies: [UInt32: [UInt32: [CompiledRule]]]

    /// Compiles a snapshot. A pattern that RE2 refuses refuses the whole: rules are not enforced in part.
    public init(_ snapshot: RuleSnapshot) throws(SnapshotProblem) {
        var policies: [UInt32: [UInt32: [CompiledRule]]] = [:]
        for policy in snapshot.policies {
            guard policies[policy.id] == nil else { throw .twice("policy \(policy.id)") }
            var rules: [UInt32: [CompiledRule]] = [:]
            for rule in policy.rules {
                guard rules[rule.number] == nil else { throw .twice("rule \(rule.number) of policy \(policy.id)") }
                for element in rule.http {
                    for pattern in [element.method, element.path, element.host] where !pattern.isEmpty {
                        do throws(RegexPattern.Problem) {
                            _ = try RegexPattern(pattern)
                        } catch {
                            throw .pattern("policy \(policy.id), \(element.origin.path): \(error)")
                        }
                    }
                }
                rules[rule.number] = rule.http.map { $0.compiled() }
            }
            policies[policy.id] = rules
        }
        self.policies = policies
        revision = snapshot.revision
    }

    /// The rules of a flow's end. A policy or rule that the book does not have allows nothing: the datapath is ahead of the book, and
    /// what it would allow is not known.
    public func side(_ selection: Selection) -> CompiledSide {
        let rules = policies[selection.policy] ?? [:]
        return CompiledSide(selection.rules.flatMap { rules[$0] ?? [] })
    }

    /// The rules of a flow.
    public func rules(egress: Selection?, ingress: Selection?, isUnrestricted: Bool = false) -> FlowRules {
        FlowRules(egress: egress.map(side), ingress: ingress.map(side), isUnrestricted: isUnrestricted)
    }
}
