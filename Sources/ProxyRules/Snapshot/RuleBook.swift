internal import PolicyAPI

/// A snapshot with every pattern compiled. Immutable: a new revision is a new book.
public final class RuleBook: Sendable {
    /// The HTTP and DNS rules that one end's policy applies to a flow, as the datapath knows them.
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
    private let policies: [UInt32: [UInt32: Rule]]
    private let names: [UInt32: LearntColumns.Book]

    /// The elements of one rule.
    private struct Rule {
        var http: [CompiledRule]
        /// `nil` without any.
        var dns: CompiledNames?
    }

    /// Compiles a snapshot. A pattern that RE2 refuses refuses the whole: rules are not enforced in part.
    public init(_ snapshot: RuleSnapshot) throws(SnapshotProblem) {
        var policies: [UInt32: [UInt32: Rule]] = [:]
        for policy in snapshot.policies {
            guard policies[policy.id] == nil else { throw .twice("policy \(policy.id)") }
            var rules: [UInt32: Rule] = [:]
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
                var names: [CompiledNameRule] = []
                for element in rule.dns {
                    guard let compiled = element.compiled() else {
                        let place = "policy \(policy.id), \(element.origin.path)"
                        throw .form("\(place): not one of matchName and matchPattern")
                    }
                    names.append(compiled)
                }
                rules[rule.number] = Rule(
                    http: rule.http.map { $0.compiled() }, dns: names.isEmpty ? nil : CompiledNames(names))
            }
            policies[policy.id] = rules
        }
        self.policies = policies
        names = Dictionary(
            uniqueKeysWithValues: snapshot.policies.compactMap { policy in
                policy.names.map { (policy.id, LearntColumns.Book($0)) }
            })
        revision = snapshot.revision
    }

    /// The columns of a policy that hold for a name, as `CompiledSide.rule(forQuery:)` takes it; `nil` when it has none.
    public func columns(of policy: UInt32, for name: String) -> LearntColumns? { names[policy]?.columns(for: name) }

    /// The rules of a flow's end. A policy or rule that the book does not have allows nothing: the datapath is ahead of the book, and
    /// what it would allow is not known.
    public func side(_ selection: Selection) -> CompiledSide {
        let rules = policies[selection.policy] ?? [:]
        let selected = selection.rules.compactMap { rules[$0] }
        return CompiledSide(selected.flatMap(\.http), dns: selected.compactMap(\.dns))
    }

    /// Whether a flow is DNS over TCP: a rule that is selected at either end is one of DNS, and none is one of HTTP.
    public func isDNS(egress: Selection?, ingress: Selection?) -> Bool {
        var isDNS = false
        for selection in [egress, ingress] {
            guard let selection, let rules = policies[selection.policy] else { continue }
            for number in selection.rules {
                guard let rule = rules[number] else { continue }
                if !rule.http.isEmpty { return false }
                if rule.dns != nil { isDNS = true }
            }
        }
        return isDNS
    }

    /// The rules of a flow.
    public func rules(egress: Selection?, ingress: Selection?, isUnrestricted: Bool = false) -> FlowRules {
        FlowRules(egress: egress.map(side), ingress: ingress.map(side), isUnrestricted: isUnrestricted)
    }
}
