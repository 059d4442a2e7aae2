public import BPFEmit
import CNetpoldABI
import Glibc

extension NodeDatapath {
    /// Brings the kernel to an image.
    ///
    /// No packet is decided by a mix of two policies, and nothing passes that the kernel does not know yet:
    ///
    /// 1. *Plan.* Everything that could not be done whole is refused here.
    /// 2. *Load* the programs that changed, each with a peers map of its own, off the path. Their maps also hold the
    ///    identities that are about to retire, with the bits of what their addresses will be.
    /// 3. *Names*: an automaton with the patterns of these programs beside those that run, and what its name sets satisfy for each
    ///    (`NamesInForce`); the proxy is told of their rules.
    ///    *Widen* the live peers maps of programs that stay: new identities are known before an address has one.
    /// 4. *Place*: the policies that the node goes back to are ready before a change of its own begins (`placeFormerHost`). Endpoints that will need more flow state keep it from now on, and what runs without is waited for. Then each
    ///    slot of np_policies goes from old program to new in one write. New endpoints get a slot that is not ready. From here
    ///    on new flows meet the new rules.
    /// 5. *Services*: backends and their tables, then the frontends, each with one write (`ServiceTables`).
    ///    *Address tables*, in an order that takes every address from old identity to new in one step; before an address is
    ///    a local pod's, the interfaces are known by which its packets come in.
    /// 6. *Detach* from interfaces that went. Nothing else detaches: what is attached to an interface that is there, and no
    ///    pod of the image has it, drops everything.
    /// 7. *Wait* until no program is running that was running at that point: nothing decides by the old state any more.
    /// 8. *Revisions*: hooks that could not be moved before are tried again (`retryMoves`). Only now, so that no verdict of an old program can be stamped with a new revision. Known flows
    ///    are asked again at their next packet. Pods get their columns of names, filled with what they have learnt. New endpoints become ready, and flow state that is not needed any more is not
    ///    kept from here on.
    /// 9. *Attach* new pods, and take over what other versions left (`finishTakeover`). Servers of flows that the proxy carries are
    ///    asked again (`askServersAgain`).
    /// 10. *Narrow*: retired identities leave the peers maps, slots are cleared, old programs go, their counts are kept.
    ///
    /// - Parameters:
    ///   - image: the desired state.
    ///   - links: the host sides of each pod's veths. Pods without any are left out, and listed in the report.
    ///   - masters: the interfaces that those are enslaved to, directly or not: packets of their pods come in by them too.
    /// - Returns: what was changed, and which pods have no interface.
    /// - Throws: up to step 3 the verdicts are as before. Later: the state is between the two as after the step before;
    ///   the next apply goes on from there and revalidates every flow.
    public func apply(
        _ image: NodeImage, links: [EndpointKey: [UInt32]], masters: [UInt32: [UInt32]] = [:]
    ) throws(BPFError) -> ApplyReport {
        var report = ApplyReport()
        var timings = ApplyTimings()
        let clock = ContinuousClock()
        var begin = clock.now
        func part() -> Duration {
            let end = clock.now
            defer { begin = end }
            return end - begin
        }
        let serviceChange = try planServices(markingElsewhere(image))
        let image = serviceChange.image
        let uplinks = try findUplinks(image, pods: links)
        let links = image.hasHost ? links.merging([.host: uplinks.numbers]) { _, host in host } : links
        let plan = try ApplyPlan(image, links: links, masters: masters, for: self)
        report.withoutInterface = plan.withoutInterface
        try hits.releaseQuarantine(proxiedBases)
        timings.plan = part()

        let batch = try load(plan, &report)
        timings.load = part()
        let firstAfterAdoption = !adopted.isEmpty || !strayPolicies.isEmpty
        let revalidateAll = mustRevalidate || plan.tables.changesVerdicts || !plan.sources.isEmpty
        // If one of the next steps fails, the next apply must revalidate the flows for those that succeeded.
        mustRevalidate = true
        try note(columnRecord: image.columnRecord)
        try prepareNames(batch, image, &report)
        try placeFormerHost(batch, plan)
        try guardHost(image)
        let widened = try widen(batch, plan, &report)
        let replaced = try place(batch, plan, &report)
        try write(serviceChange, &report)
        try write(plan.sources.upserts, &report)
        try write(plan, &report)
        try remove(plan.sources.removals, &report)
        try finish(serviceChange, &report)
        let isHolding = try detachSurplus(plan, &report)
        timings.swap = part()

        let mustWait = report.changedAnything || revalidateAll || firstAfterAdoption
        if mustWait {
            try waitForPrograms()
            services?.tables.released()
        }
        timings.grace = part()

        let unmoved = retryMoves(plan, &report)
        try announce(plan, changedSubjects: replaced.union(widened), all: revalidateAll, &report)
        mustRevalidate = false
        timings.revisions = part()
        try copyFlows()
        try attach(plan, failed: unmoved, &report)
        holdSlots(plan, isHolding: isHolding)
        try enforceHost(image, uplinks, &report)
        try finishTakeover(plan, &report)
        if mustWait || owesServers { try askServersAgain(&report) }
        try narrow(plan, &report)
        try settleNames(image, &report)
        try refill(plan)
        if firstAfterAdoption { try hits.clearAll() }
        timings.finish = part()
        self.timings = timings
        return report
    }

    /// As `apply(_:links:masters:)`, for pods with one interface each, that is nobody's slave.
    public func apply(
        _ image: NodeImage, interfaces: [EndpointKey: UInt32]
    ) throws(BPFError) -> ApplyReport {
        try apply(image, links: interfaces.mapValues { [$0] })
    }
}
