package import BPFEmit
package import CNetpoldABI
import NetTypes

extension NodeDatapath {
    /// Step 4, before any program is swapped: pods whose new policies need more flow state than the present ones keep it from
    /// now on. A packet that passed without entry under the new programs could have its answer dropped by them, so those that
    /// run with the smaller need are waited for. Likewise programs that will not allow everything are asked from now on. And pods
    /// whose policies may allow less say since when: the first packet under the new ones must know.
    ///
    /// - Returns: by slot, the endpoints that were written.
    func raiseStateNeeds(
        _ plan: ApplyPlan, _ batch: PolicyBatch, _ report: inout ApplyReport
    ) throws(BPFError) -> [UInt32: np_endpoint] {
        let changed = Set(batch.fresh.keys)
        var written: [UInt32: np_endpoint] = [:]
        var isRaised = false
        var moment = FlowMoment()
        for planned in plan.endpoints {
            guard let present = planned.present else { continue }
            var raised = right(present, for: planned, plan, batch)
            isRaised = isRaised || raised.flags != present.flags
            if mayRevoke(plan, planned, changed: changed) { raised.changed = try moment.stamp(self) }
            guard !raised.hasEqualBytes(present) else { continue }
            try maps.endpoints.set(planned.slot, raised)
            endpoints[planned.key]?.value = raised
            written[planned.slot] = raised
            report.entriesChanged += 1
        }
        if isRaised { try RunningPrograms.wait() }
        return written
    }

    /// What an endpoint says that is right both under the present programs and under those of the image.
    func right(
        _ present: np_endpoint, for planned: ApplyPlan.Endpoint, _ plan: ApplyPlan, _ batch: PolicyBatch
    ) -> np_endpoint {
        var value = present.raisingStateNeeds(plan.stateNeeds(of: planned))
        value.openDirections = value.openDirections.intersection(openDirections(of: planned.image.subject, batch))
        return value
    }

    /// Whether flows of an endpoint may be revoked by what becomes of its policies and of their peers.
    func mayRevoke(_ plan: ApplyPlan, _ planned: ApplyPlan.Endpoint, changed: Set<String>) -> Bool {
        guard planned.present?.isReady == true else { return false }
        return plan.tables.mayRevoke || changed.contains(planned.image.subject)
            || endpoints[planned.key]?.subject != planned.image.subject
    }

    /// The time that flows are stamped with.
    func flowClock() throws(BPFError) -> KernelClock.Reading {
        let clock: KernelClock
        if let known = self.clock { clock = known } else { clock = try KernelClock() }
        self.clock = clock
        return try clock.now()
    }
}

/// One moment as flows are stamped with it, which is only looked up when somebody asks.
struct FlowMoment {
    private var known: UInt32?

    /// The moment of the first call.
    mutating func stamp(_ node: NodeDatapath) throws(BPFError) -> UInt32 {
        if let known { return known }
        let now = try node.flowClock().flowStamp
        known = now
        return now
    }
}

extension np_endpoint {
    /// The need for flow state of both directions, in `flags`. A number this version does not know counts as the largest need.
    package var stateNeeds: StateNeeds {
        get { StateNeeds(ingress: stateNeed(.ingress), egress: stateNeed(.egress)) }
        set {
            for direction in Direction.allCases {
                flags &= ~(UInt32(NP_ENDPOINT_NEED_MASK) << Self.shift(direction))
                flags |= newValue[direction].rawValue << Self.shift(direction)
            }
        }
    }

    /// The value with the larger need of both.
    func raisingStateNeeds(_ other: StateNeeds) -> np_endpoint {
        var value = self
        value.stateNeeds = stateNeeds.raised(to: other)
        return value
    }

    private func stateNeed(_ direction: Direction) -> StateNeed {
        StateNeed(rawValue: flags >> Self.shift(direction) & UInt32(NP_ENDPOINT_NEED_MASK)) ?? .always
    }

    private static func shift(_ direction: Direction) -> UInt32 {
        UInt32(NP_ENDPOINT_NEED_SHIFT) + UInt32(direction.rawValue) * UInt32(NP_ENDPOINT_NEED_BITS)
    }
}
