import BPFEmit
import CNetpoldABI

/// When what each pod's policies allow may last have become less (np_policy_changes): docs/design/packet-path.md, "A flow that is
/// revoked".
extension NodeDatapath {
    /// Notes for pods whose flows may be revoked by this apply that it is now: before any program is swapped, as the first packet
    /// under the new ones must know; and again with the new revision, as peers leave live programs after that.
    ///
    /// - Parameters:
    ///   - plan: what is going to be done.
    ///   - changed: subjects whose programs or peers are others afterwards.
    /// - Throws: when the map cannot be written, or the clock not be read.
    func notePolicyChanges(_ plan: ApplyPlan, changed: Set<String>) throws(BPFError) {
        var moment: UInt32?
        for planned in plan.endpoints where mayRevoke(plan, planned, changed) {
            let now = if let moment { moment } else { try flowClock().flowStamp }
            moment = now
            try maps.policyChanges.set(planned.slot, now)
        }
    }

    /// As when the last change was long ago.
    func forgetPolicyChanges() throws(BPFError) {
        for endpoint in endpoints.values { try maps.policyChanges.set(endpoint.slot, UInt32(0)) }
    }

    /// Whether flows of an endpoint may be revoked by what becomes of its policies and of its peers' identities.
    private func mayRevoke(_ plan: ApplyPlan, _ planned: ApplyPlan.Endpoint, _ changed: Set<String>) -> Bool {
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
