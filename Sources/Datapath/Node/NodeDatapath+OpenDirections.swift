import BPFEmit
package import CNetpoldABI
package import NetTypes

/// The directions of a pod that no policy says anything of, and where the packets that pass so are counted: an index in
/// np_rule_hits, 0 when there was no room for counters.
package struct OpenDirections: Hashable {
    package private(set) var hits: [Direction: UInt16] = [:]

    /// None.
    package init() {}

    /// Adds a direction.
    package mutating func insert(_ direction: Direction, hit: UInt16) { hits[direction] = hit }

    /// What both have, counted alike.
    func intersection(_ other: OpenDirections) -> OpenDirections {
        var both = self
        both.hits = hits.filter { other.hits[$0.key] == $0.value }
        return both
    }
}

extension np_endpoint {
    /// The directions whose program is not asked, in `flags` and `open_hit`.
    package var openDirections: OpenDirections {
        get {
            var open = OpenDirections()
            for direction in Direction.allCases where flags & Self.openFlag(direction) != 0 {
                open.insert(direction, hit: direction == .ingress ? open_hit.0 : open_hit.1)
            }
            return open
        }
        set {
            for direction in Direction.allCases {
                flags &= ~Self.openFlag(direction)
                if newValue.hits[direction] != nil { flags |= Self.openFlag(direction) }
            }
            open_hit = (newValue.hits[.ingress] ?? 0, newValue.hits[.egress] ?? 0)
        }
    }

    private static func openFlag(_ direction: Direction) -> UInt32 {
        1 << (UInt32(NP_ENDPOINT_OPEN_SHIFT) + UInt32(direction.rawValue))
    }
}

extension RuleHitIndex.Entry {
    /// The counter of what a program without rules allows, as `np_endpoint.open_hit` names it.
    package var openHit: UInt16 { UInt16(truncatingIfNeeded: base + UInt32(NP_HIT_DEFAULT_ALLOW)) }
}

extension NodeDatapath {
    /// The directions that no policy of the image says anything of, once the programs of `batch` are in place. None of the node while it
    /// may go back to other policies.
    func openDirections(of planned: ApplyPlan.Endpoint, _ plan: ApplyPlan, _ batch: PolicyBatch) -> OpenDirections {
        var open = OpenDirections()
        if planned.key.isHost, plan.image.formerHostFingerprint != 0 { return open }
        let subject = planned.image.subject
        for direction in Direction.allCases {
            guard let policy = batch.fresh[subject]?[direction] ?? subjects[subject]?[direction], policy.image.isOpen
            else { continue }
            open.insert(direction, hit: policy.hits?.openHit ?? 0)
        }
        return open
    }
}
