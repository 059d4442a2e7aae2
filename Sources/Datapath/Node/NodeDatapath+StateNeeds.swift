package import BPFEmit
package import CNetpoldABI
import NetTypes

extension NodeDatapath {
    /// Step 4, before any program is swapped: pods whose new policies need more flow state than the present ones keep it from
    /// now on. A packet that passed without entry under the new programs could have its answer dropped by them, so those that
    /// run with the smaller need are waited for. Likewise programs that will not allow everything are asked from now on.
    func raiseStateNeeds(_ plan: ApplyPlan, _ batch: PolicyBatch, _ report: inout ApplyReport) throws(BPFError) {
        var isRaised = false
        for planned in plan.endpoints {
            guard let present = planned.present else { continue }
            let raised = right(present, for: planned, plan, batch)
            guard raised.flags != present.flags || raised.names != present.names else { continue }
            try maps.endpoints.set(planned.slot, raised)
            endpoints[planned.key]?.value = raised
            report.entriesChanged += 1
            isRaised = true
        }
        if isRaised { try waitForPrograms() }
    }

    /// What an endpoint says that is right both under the present programs and under those of the image.
    func right(
        _ present: np_endpoint, for planned: ApplyPlan.Endpoint, _ plan: ApplyPlan, _ batch: PolicyBatch
    ) -> np_endpoint {
        var value = present.raisingStateNeeds(plan.stateNeeds(of: planned))
        value.openDirections = value.openDirections.intersection(openDirections(of: planned, plan, batch))
        // Numbers of another numbering mean something else: until the programs are swapped no name counts.
        if value.names != plan.names(of: planned) { value.names = 0 }
        if plan.reads(planned) { value.flags |= UInt32(NP_ENDPOINT_NAMES) }
        return value
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
