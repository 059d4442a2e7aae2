public import NetTypes
public import PolicyAPI

extension SubjectPolicy {
    /// Decides a flow between the subject of this policy and a remote end. The oracle: one pass over all rules, level by
    /// level, as the specification says.
    ///
    /// - Parameters:
    ///   - subject: the pod whose policy it is; named ports of ingress rules are resolved on it. `nil` for a node.
    ///   - direction: the direction of the policy.
    ///   - remote: the remote end.
    ///   - protocol: the transport protocol.
    ///   - port: the destination port or ICMP type, host order.
    /// - Returns: the verdict and its reason.
    public func decide(
        subject: Pod?, _ direction: Direction, remote: RemoteEnd, protocol: L4Protocol, port: UInt16
    ) -> SideDecision {
        var decision = decideAlone(subject: subject, direction, remote: remote, protocol: `protocol`, port: port)
        // "pass only if host and world are both allowed": what denies is the answer, else the last.
        for other in direction == .egress && subject != nil ? remote.others : [] where decision.verdict == .allow {
            decision = decideAlone(subject: subject, direction, remote: other, protocol: `protocol`, port: port)
        }
        return decision
    }

    /// Of the ends that answer at an address, the one whose decision counts: the first that is not allowed, else the last.
    public func decidingEnd(
        subject: Pod?, _ direction: Direction, remote: RemoteEnd, protocol: L4Protocol, port: UInt16
    ) -> RemoteEnd {
        guard direction == .egress, subject != nil else { return remote }
        let ends = [remote] + remote.others
        return ends.first {
            decideAlone(subject: subject, direction, remote: $0, protocol: `protocol`, port: port).verdict != .allow
        } ?? ends.last ?? remote
    }

    private func decideAlone(
        subject: Pod?, _ direction: Direction, remote: RemoteEnd, protocol: L4Protocol, port: UInt16
    ) -> SideDecision {
        let matching = rules.indices.filter { index in
            let rule = rules[index]
            // An address that several claim matches no peer of an allow rule; it may be the end that a deny rule selects, so it
            // matches every deny rule with peers, and any named port.
            let mayBeAnyone = remote.kind == .contested && rule.action == .deny
            return rule.traffic.matches(protocol: `protocol`, port: port) { name, wanted in
                // "ingress: resolved on the subject pod; egress: per destination".
                if direction == .ingress { return subject?.ports(named: name, wanted) ?? [] }
                return mayBeAnyone ? [port] : remote.ports(named: name, wanted)
            } && (mayBeAnyone ? rule.peers != .anyOf([]) : rule.peers.matches(remote))
        }
        // "traffic from the node the pod runs on is always allowed": it loses only to a deny of the normal tier or above.
        // "allow-localhost does not apply to the host subject."
        let isOwnNode = direction == .ingress && remote.kind == .host && subject != nil

        for tier in Tier.allCases {
            let ofTier = matching.filter { rules[$0].tier == tier }
            // "Baseline is not asked for a pod isolated in the normal tier"; the loop has ended before it gets there.
            levels: for priority in Set(ofTier.map { rules[$0].priority }).sorted() {
                let level = firstMatches(ofTier.filter { rules[$0].priority >= priority })
                // "Within one priority deny beats redirect and allow", whatever is more specific. The same among
                // several objects of one priority, of which the API lets any win.
                if let deny = level.first(where: { rules[$0].action == .deny }) {
                    return SideDecision(.deny, .rule(deny, rules[deny].origin))
                }
                // "A flow matched by a plain allow needs no proxy, even if another rule has L7 rules for it."
                if let allow = level.first(where: { rules[$0].action == .allow && rules[$0].l7 == nil }) {
                    return SideDecision(.allow, .rule(allow, rules[allow].origin))
                }
                // "At L7 it permits everything from host."
                if tier == .normal, isIsolated, isOwnNode { break levels }
                // "A flow matched only by L7 rules is decided by the union of those rules."
                let l7 = level.filter { rules[$0].action == .allow }
                if !l7.isEmpty {
                    return SideDecision(.l7(l7.compactMap { rules[$0].l7 }), .l7Rules(l7, l7.map { rules[$0].origin }))
                }
                // "Pass jumps a tier."
                if level.contains(where: { rules[$0].action == .pass }) { break levels }
            }
            if tier == .normal, isIsolated {
                if isOwnNode { return SideDecision(.allow, .localNode) }
                return SideDecision(.deny, .defaultDeny(isolatedBy: isolatedBy))
            }
        }
        return SideDecision(.allow, .notIsolated)
    }

    /// Of the matching rules of one tier, those that are evaluated first: of the lowest priority number, and of each object the
    /// first in its list ("list order inside object = precedence").
    package func firstMatches(_ matching: [Int]) -> [Int] {
        let priority = matching.map { rules[$0].priority }.min()
        return matching.filter { number in
            rules[number].priority == priority && !matching.contains { rules[$0].precedesInItsObject(rules[number]) }
        }
    }
}
