/// A rule that would have allowed a flow, had it not been for a condition or two.
public struct NearMiss: Hashable, Sendable {
    /// The rule's index in `SubjectPolicy.rules`.
    public var rule: Int
    /// Where the rule is written.
    public var origin: RuleOrigin
    /// The conditions that failed, in words: `port 8080 is not in 80, 443`.
    public var failed: [String]

    /// A near miss.
    public init(rule: Int, origin: RuleOrigin, failed: [String]) {
        self.rule = rule
        self.origin = origin
        self.failed = failed
    }
}

extension SubjectPolicy {
    /// The allow rules that came nearest to matching a flow that they do not match: those with the fewest failed conditions, in
    /// the order of rules, at most `limit`.
    public func nearMisses(
        subject: Pod, _ direction: Direction, remote: RemoteEnd, protocol: L4Protocol, port: UInt16, limit: Int = 3
    ) -> [NearMiss] {
        var best = Int.max
        var result: [NearMiss] = []
        for (index, rule) in rules.enumerated() where rule.action == .allow {
            let destination = direction == .ingress ? subject : remote.pod
            let failed =
                rule.peers.failedConditions(for: remote)
                + rule.traffic.failedConditions(protocol: `protocol`, port: port, destination: destination)
            if failed.isEmpty || failed.count > best { continue }
            if failed.count < best {
                best = failed.count
                result = []
            }
            if result.count < limit { result.append(NearMiss(rule: index, origin: rule.origin, failed: failed)) }
        }
        return result
    }
}
