import BPFEmit
import NetTypes
import PolicyAPI

/// Makes the rows of `netpold rules` from an image and what its programs counted. Pure.
struct RuleListing {
    let image: NodeImage?
    /// Packets by what decided them; `nil` when they cannot be read.
    let packets: [RuleHitKey: UInt64]?

    /// The rows, sorted by place.
    func rows() -> [RuleReport] {
        guard let image else { return [] }
        let subjects = Dictionary(image.subjects.map { ($0.key, $0) }) { first, _ in first }
        let sizes = image.endpoints.reduce(into: [:]) { $0[$1.subject, default: 0] += 1 }
        return image.endpoints.flatMap { endpoint -> [RuleReport] in
            guard let subject = subjects[endpoint.subject] else { return [] }
            return [Direction.egress, .ingress].flatMap { direction in
                rows(
                    "\(endpoint.key)", endpoint.subject, direction, subject[direction],
                    sharedWith: (sizes[endpoint.subject] ?? 1) - 1)
            }
        }.sorted { $0.place < $1.place }
    }

    private func rows(
        _ pod: String, _ subject: String, _ direction: Direction, _ policy: PolicyImage, sharedWith: Int
    ) -> [RuleReport] {
        var found: [(verdict: RuleReport.Verdict, rule: FlowVerdict.Rule?, packets: UInt64)] = []
        func count(_ meaning: HitMeaning) -> UInt64 {
            packets?[RuleHitKey(subject: subject, direction: direction, meaning: meaning)] ?? 0
        }
        var byOrigin: [RuleOrigin: Int] = [:]
        for bit in policy.bits {
            // Several bits may stand for one rule.
            if let index = byOrigin[bit.origin], found[index].verdict == verdict(bit) {
                found[index].packets += count(.rule(bit))
                continue
            }
            byOrigin[bit.origin] = found.count
            found.append((verdict(bit), FlowVerdict.Rule(bit.origin), count(.rule(bit))))
        }
        if let first = policy.isolatedBy.first {
            found.append((.defaultDeny, FlowVerdict.Rule(first), count(.defaultDeny(isolatedBy: policy.isolatedBy))))
        } else {
            found.append((.defaultAllow, nil, count(.defaultAllow)))
        }
        if direction == .ingress { found.append((.host, nil, count(.host))) }
        return found.enumerated().map { number, row in
            RuleReport(
                pod: pod, direction: "\(direction)", number: number, verdict: row.verdict, rule: row.rule,
                packets: packets == nil ? nil : row.packets, sharedWith: sharedWith)
        }
    }

    private func verdict(_ bit: RuleBit) -> RuleReport.Verdict {
        switch bit.action {
        case .deny: .deny
        case .pass: .pass
        case .allow: bit.isL7 ? .l7 : .allow
        }
    }
}
