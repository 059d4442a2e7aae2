import BPFEmit
import CNetpoldABI
import Glibc
import NetTypes

extension NodeDatapath {
    /// Step 5.
    func write(_ plan: ApplyPlan, _ report: inout ApplyReport) throws(BPFError) {
        let change = plan.tables
        tables = nil
        try ipv4.write(change.addressUpserts.map(\.address) + change.addressRemovals) { () throws(BPFError) in
            try writeAddresses(change)
            try writePrefixes(change)
            try removeAddresses(change)
        }
        tables = TablesInForce(plan.image)
        report.entriesChanged += change.count
    }

    private func writeAddresses(_ change: TableChange) throws(BPFError) {
        // Packets of these addresses go by np_addresses while it changes.
        for entry in change.addressUpserts { if addresses[entry.address] != nil { ipv4.leave(entry.address) } }
        try maps.addresses.set(change.addressUpserts.map { (key: np_address($0.address), value: $0.identity) })
        for entry in change.addressUpserts {
            ipv4.set(entry.address, entry.identity)
            addresses[entry.address] = entry.identity
        }
    }

    private func writePrefixes(_ change: TableChange) throws(BPFError) {
        try maps.prefixes.set(change.prefixUpserts.map { (key: np_prefix_key($0.prefix), value: $0.identity) })
        for entry in change.prefixUpserts { prefixes[entry.prefix] = entry.identity }
        for prefix in change.prefixRemovals {
            try maps.prefixes.remove(np_prefix_key(prefix))
            prefixes[prefix] = nil
        }
    }

    private func removeAddresses(_ change: TableChange) throws(BPFError) {
        for address in change.addressRemovals {
            ipv4.leave(address)
            try maps.addresses.remove(np_address(address))
            ipv4.remove(address)
            addresses[address] = nil
        }
    }

    /// Step 5, before the identities.
    func write(
        _ upserts: [(address: IPAddress, links: [UInt32])], _ report: inout ApplyReport
    ) throws(BPFError) {
        for (address, links) in upserts {
            try maps.sources.set(np_address(address), np_source(links))
            sources[address] = links
        }
        report.entriesChanged += upserts.count
    }

    /// Step 5, after the identities.
    func remove(_ removals: [IPAddress], _ report: inout ApplyReport) throws(BPFError) {
        for address in removals {
            try maps.sources.remove(np_address(address))
            sources[address] = nil
        }
        report.entriesChanged += removals.count
    }

    /// Step 6. Hooks of interfaces that are gone. One whose interface lives stays on, whatever the image says: its slot is
    /// about to be cleared, so everything drops there, until a pod has the interface again or the instance is detached.
    ///
    /// - Returns: whether there is such a one.
    func detachSurplus(_ plan: ApplyPlan, _ report: inout ApplyReport) throws(BPFError) -> Bool {
        var isHolding = false
        let surplus = attachments.hooks.filter { plan.hooks[$0] == nil }
        for hook in surplus.sorted(by: { $0.description < $1.description }) {
            if try attachments.isAlive(hook) {
                isHolding = true
            } else {
                try attachments.detach(hook)
                report.hooksChanged += 1
            }
        }
        return isHolding
    }

    /// The end of step 9: entry programs at hooks without a pod, and at those that could not be moved, name slots that nobody else
    /// may get.
    func holdSlots(_ plan: ApplyPlan, isHolding: Bool) {
        heldSlots = isHolding || !unmoved.isEmpty ? heldSlots.union(plan.surplusSlots) : []
    }

    /// Step 8. One new revision for all: it is written where something changed, and where the pod is new.
    func announce(
        _ plan: ApplyPlan, changedSubjects: Set<String>, all: Bool, _ report: inout ApplyReport
    ) throws(BPFError) {
        var isHandedOut = false
        try notePolicyChanges(plan, changed: changedSubjects)
        try forgetFlowsOfFormerAddresses()
        let named = unmoved.isEmpty ? [:] : try namedElsewhere(plan)
        var known: ((EndpointKey) -> [LearntName])?
        for planned in plan.endpoints where named[planned.key] == nil {
            guard var endpoint = endpoints[planned.key] else { continue }
            // The node's flows are admitted by either of its policies.
            let isChanged =
                changedSubjects.contains(planned.image.subject)
                || (planned.key.isHost && changedSubjects.contains(CompilerState.formerHostSubjectKey))
            let needs = holding(plan.stateNeeds(of: planned), of: endpoint)
            let open = openDirections(of: planned, plan, PolicyBatch())
            let isCurrent =
                !all && endpoint.value.isReady && endpoint.subject == planned.image.subject
                && endpoint.value.stateNeeds == needs && endpoint.value.openDirections == open
                && !isChanged
                && endpoint.value.names == plan.names(of: planned) && endpoint.value.readsNames == plan.reads(planned)
            guard !isCurrent else { continue }
            if !isHandedOut {
                raiseRevision()
                isHandedOut = true
            }
            endpoint.value.revision = revision
            endpoint.value.flags |= UInt32(NP_ENDPOINT_READY)
            endpoint.value.stateNeeds = needs
            endpoint.value.openDirections = open
            endpoint.value.readsNames = plan.reads(planned)
            if let (names, columns) = plan.columns[planned.image.subject] {
                if names != 0 {
                    let look = known ?? history(plan)
                    known = look
                    report.entriesChanged += try fill(endpoint.slot, names, columns, look(planned.key))
                    refilled.insert(planned.key)
                }
                endpoint.value.names = names
            }
            endpoint.subject = planned.image.subject
            try maps.endpoints.set(endpoint.slot, endpoint.value)
            endpoints[planned.key] = endpoint
            report.entriesChanged += 1
            if planned.key.isHost {
                raiseRevision()
                try setFormerRevision(revision)
                isHandedOut = false
            }
        }
    }

    private func raiseRevision() {
        // 0 is "never".
        revision = revision == .max ? 1 : revision + 1
    }

    /// Step 9. One interface that cannot be attached to does not keep the others waiting.
    /// `failed` are the hooks that could not be moved in step 8.
    func attach(_ plan: ApplyPlan, failed: [Hook: BPFError] = [:], _ report: inout ApplyReport) throws(BPFError) {
        // Where that fails, so does the pinning of links, which is said of each pod.
        try? restorePins()
        for planned in plan.endpoints {
            guard let endpoint = endpoints[planned.key] else { continue }
            var entry = ApplyReport.Endpoint(
                key: planned.key, slot: endpoint.slot, revision: endpoint.value.revision,
                attachment: attachments.style, failure: refusal(of: planned.image.subject).map { "\($0)" })
            // One hook that fails does not keep the others open.
            for hook in planned.links.flatMap(Hook.both(of:)) where plan.hooks[hook] != nil {
                do throws(BPFError) {
                    if let failure = failed[hook] { throw failure }
                    if try attachments.attach(endpoint.stub(hook), at: hook) { report.hooksChanged += 1 }
                    unmoved.remove(hook)
                } catch {
                    entry.failure = entry.failure ?? "\(error)"
                    noteMove(of: hook, to: endpoint)
                }
            }
            report.endpoints.append(entry)
        }
        unmoved.formIntersection(attachments.hooks)
        try closeNamedElsewhere(plan, &report)
    }

    /// Why pods of a subject are closed in a direction: the kernel refused its program.
    func refusal(of subject: String) -> BPFError? {
        guard let subject = subjects[subject] else { return nil }
        return subject.ingress.refused?.error ?? subject.egress.refused?.error
    }

    /// Part of step 10: the slots of pods that went. Their revision stays, as the highest ever handed out.
    func clearSurplusSlots(_ plan: ApplyPlan, _ report: inout ApplyReport) throws(BPFError) {
        guard !plan.surplusSlots.isEmpty else { return }
        for slot in plan.surplusSlots.sorted() {
            var value = np_endpoint()
            value.revision = revision
            try maps.endpoints.set(slot, value)
            report.entriesChanged += 1
            adopted[slot] = nil
        }
        endpoints = endpoints.filter { !plan.surplusSlots.contains($0.value.slot) }
        // A hook that went over to another pod was running the old entry program a moment ago. When its slot is
        // handed out again, nobody may be left who came in by it.
        try waitForPrograms()
        try forgetLearnt(plan.surplusSlots)
        // The next pod to get a slot counts from 0.
        let cpus = try Libbpf.possibleCPUs()
        for slot in plan.surplusSlots.sorted() {
            try maps.flowShares.setPerCPU(slot, [np_flow_share](repeating: np_flow_share(), count: cpus))
            try maps.flowMoves.set(slot, UInt32(0))
            try maps.policyChanges.set(slot, UInt32(0))
            heldNeeds[slot] = nil
        }
    }
}

extension NodeDatapath {
    /// What pods have learnt: what they are said to, and the answers that an image has for everybody.
    private func history(_ plan: ApplyPlan) -> (EndpointKey) -> [LearntName] {
        let answers = plan.image.answers.sorted { $0.key < $1.key }.map { name, addresses in
            LearntName(name: name, addresses: Dictionary(addresses.map { ($0, UInt32.max - 1) }) { first, _ in first })
        }
        let look = history?()
        return { answers + (look?($0) ?? []) }
    }
}

extension np_endpoint {
    /// Whether the pod's DNS exchanges are read, in `flags`.
    var readsNames: Bool {
        get { flags & UInt32(NP_ENDPOINT_NAMES) != 0 }
        set { flags = newValue ? flags | UInt32(NP_ENDPOINT_NAMES) : flags & ~UInt32(NP_ENDPOINT_NAMES) }
    }

    /// Writes what the pod may send from; at most `NP_ENDPOINT_ADDRESSES`. An address that stays keeps its place: flows are known
    /// by it.
    ///
    /// - Returns: the places that were another address's.
    mutating func setAddresses(_ addresses: [IPAddress]) -> Set<UInt8> {
        let before = [address.0, address.1]
        var fresh = addresses.filter { new in !before.contains { !$0.isZero && $0.ipAddress == new } }[...]
        var after = before
        var reused: Set<UInt8> = []
        for (place, old) in before.enumerated() where old.isZero || !addresses.contains(old.ipAddress) {
            after[place] = fresh.popFirst().map(np_address.init) ?? np_address()
            if !old.isZero { reused.insert(UInt8(place)) }
        }
        address = (after[0], after[1])
        return reused
    }

    func hasEqualBytes(_ other: np_endpoint) -> Bool {
        withUnsafeBytes(of: self) { left in withUnsafeBytes(of: other) { right in left.elementsEqual(right) } }
    }
}
