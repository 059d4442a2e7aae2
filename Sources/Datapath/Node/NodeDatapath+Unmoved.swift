import BPFEmit
import CNetpoldABI

/// Hooks that still run the entry program of the pod before, for the one of the pod that they are now could not be put in its place.
/// Their packets come in by that pod's slot: nobody else may get it, and where that pod lives on, elsewhere, it is closed.
extension NodeDatapath {
    /// Part of step 8, before pods become ready: tries them again.
    ///
    /// - Returns: why some did not move. They are not tried again in this apply: whom they close was told to stay so.
    func retryMoves(_ plan: ApplyPlan, _ report: inout ApplyReport) -> [Hook: BPFError] {
        var failures: [Hook: BPFError] = [:]
        unmoved.formIntersection(attachments.hooks)
        for hook in unmoved.sorted(by: { $0.description < $1.description }) {
            guard let key = plan.hooks[hook], let endpoint = endpoints[key] else { continue }
            do throws(BPFError) {
                if try attachments.attach(endpoint.stub(hook), at: hook) { report.hooksChanged += 1 }
            } catch {
                failures[hook] = error
            }
            noteMove(of: hook, to: endpoint)
        }
        return failures
    }

    /// Notes whether a hook runs an endpoint's entry program and no other. What cannot be told counts as not moved.
    func noteMove(of hook: Hook, to endpoint: LoadedEndpoint) {
        let running = try? programs(at: hook, like: endpoint.stub(hook))
        if running?.others == false { unmoved.remove(hook) } else { unmoved.insert(hook) }
    }

    /// Whether a hook runs a program like this one, and whether it runs another.
    private func programs(at hook: Hook, like stub: BPFProgram) throws(BPFError) -> (own: Bool, others: Bool) {
        var found = (own: false, others: false)
        for id in try attachments.programs(at: hook) {
            if try stub.isEquivalent(toProgram: id) { found.own = true } else { found.others = true }
        }
        return found
    }

    /// The pods of the plan whose slots hooks of other pods name, with one such interface.
    func namedElsewhere(_ plan: ApplyPlan) throws(BPFError) -> [EndpointKey: UInt32] {
        var found: [EndpointKey: UInt32] = [:]
        for hook in unmoved {
            for planned in plan.endpoints where planned.key != plan.hooks[hook] {
                guard let stub = endpoints[planned.key]?.stub(hook) else { continue }
                if try programs(at: hook, like: stub).own { found[planned.key] = hook.ifindex }
            }
        }
        return found
    }

    /// The end of step 9: closes those pods until the hooks have moved.
    func closeNamedElsewhere(_ plan: ApplyPlan, _ report: inout ApplyReport) throws(BPFError) {
        guard !unmoved.isEmpty else { return }
        let named = try namedElsewhere(plan)
        for index in report.endpoints.indices {
            let key = report.endpoints[index].key
            guard let ifindex = named[key], var endpoint = endpoints[key] else { continue }
            if endpoint.value.isReady {
                endpoint.value.flags &= ~UInt32(NP_ENDPOINT_READY)
                try maps.endpoints.set(endpoint.slot, endpoint.value)
                endpoints[key] = endpoint
                report.entriesChanged += 1
            }
            report.endpoints[index].failure =
                report.endpoints[index].failure
                ?? "closed: its program could not be taken off interface \(ifindex), which is another pod's now"
        }
    }
}
