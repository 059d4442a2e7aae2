import BPFEmit
import CNetpoldABI
import NetTypes
import SystemPackage

/// Programs loaded for one apply, not in place yet.
struct PolicyBatch {
    /// The policies that a subject's new state needs and the kernel does not run, by subject.
    var fresh: [String: [Direction: LoadedPolicy]] = [:]
    /// Entry programs of endpoints that have none.
    var stubs: [EndpointKey: (ingress: BPFProgram, egress: BPFProgram)] = [:]
}

extension NodeDatapath {
    /// Step 2. Nothing of it is on the path of packets; a failure leaves nothing behind.
    func load(_ plan: ApplyPlan, _ report: inout ApplyReport) throws(BPFError) -> PolicyBatch {
        var batch = PolicyBatch()
        // An apply that failed may have replaced policies that still run: a map of theirs must not change under them.
        if !outOfUse.isEmpty { try RunningPrograms.wait() }
        var loads: [PolicyLoad] = []
        for subject in plan.image.subjects {
            for direction in Direction.allCases {
                let image = subject[direction]
                let live = subjects[subject.key]?[direction]
                if let live, live.canBecome(image) { continue }
                loads.append(
                    PolicyLoad(
                        subject: subject.key, direction: direction, image: image, live: live,
                        hits: hits.allocate(for: image, subject: subject.key, direction: direction)))
            }
        }
        do {
            let policies = try PolicyLoad.perform(loads, retiring: plan.retiring)
            for (load, policy) in zip(loads, policies) {
                batch.fresh[load.subject, default: [:]][load.direction] = policy
                report.programsLoaded += 1
                if policy.hits == nil { report.withoutCounters.append("\(load.subject) \(load.direction)") }
            }
            for endpoint in plan.endpoints where endpoints[endpoint.key] == nil {
                batch.stubs[endpoint.key] =
                    endpoint.key.isHost
                    // An uplink's hooks are named after pods': what it receives comes in "from the pod".
                    ? (try loadUplinkStub(endpoint.slot, .egress), try loadUplinkStub(endpoint.slot, .ingress))
                    : (try loadStub(endpoint.slot, .ingress), try loadStub(endpoint.slot, .egress))
            }
        } catch {
            for load in loads { load.hits.map(hits.discard) }
            throw error
        }
        return batch
    }

    /// The entry stub of a hook: it puts the slot and the direction into the control block and goes on with the C program.
    func loadStub(_ slot: UInt32, _ direction: Direction) throws(BPFError) -> BPFProgram {
        try loadEntry(direction == .ingress ? "np_stub_to_pod" : "np_stub_from_pod") { () throws(EmitError) in
            try EntryStub.program(slot: slot, direction: direction)
        }
    }

    /// The entry program of an uplink: `ingress` for what it receives.
    private func loadUplinkStub(_ slot: UInt32, _ direction: Direction) throws(BPFError) -> BPFProgram {
        try loadEntry(direction == .ingress ? "np_uplink_in" : "np_uplink_out") { () throws(EmitError) in
            try EntryStub.uplink(slot: slot, direction: direction)
        }
    }

    private func loadEntry(
        _ name: String, _ make: () throws(EmitError) -> EncodedProgram
    ) throws(BPFError) -> BPFProgram {
        let program: EncodedProgram
        do {
            program = try make()
        } catch {
            throw BPFError(.loadProgram, name, errno: .invalidArgument, detail: "\(error)")
        }
        return try BPFProgram(program, name: name, hitBase: 0, maps: [.steps: maps.steps])
    }

    /// Step 3.
    ///
    /// - Returns: subjects in which something changed that is more than new identities.
    func widen(
        _ batch: PolicyBatch, _ plan: ApplyPlan, _ report: inout ApplyReport
    ) throws(BPFError) -> Set<String> {
        var changed: Set<String> = []
        for subject in plan.image.subjects {
            for direction in Direction.allCases where batch.fresh[subject.key]?[direction] == nil {
                guard let live = subjects[subject.key]?[direction], live.differs(from: subject[direction]) else {
                    continue
                }
                changed.insert(subject.key)
                report.entriesChanged += try live.widen(to: subject[direction])
            }
        }
        return changed
    }

    /// Step 4.
    ///
    /// - Returns: the subjects that have another program now. The ones they had are in `outOfUse`.
    func place(
        _ batch: PolicyBatch, _ plan: ApplyPlan, _ report: inout ApplyReport
    ) throws(BPFError) -> Set<String> {
        try notePolicyChanges(plan, changed: Set(batch.fresh.keys))
        try raiseStateNeeds(plan, batch, &report)
        try place(batch, plan, batch.fresh.keys.filter { $0 != CompilerState.formerHostSubjectKey })
        for endpoint in plan.endpoints {
            guard let slot = plan.subjectSlots[endpoint.image.subject] else { continue }
            // Whatever has no slot of its own yet starts without being ready, under no revision.
            let present = endpoint.present.map { right($0, for: endpoint, plan, batch) }
            var value = present ?? np_endpoint().raisingStateNeeds(plan.stateNeeds(of: endpoint))
            let reused = value.setAddresses(endpoint.image.addresses)
            if !reused.isEmpty { formerAddresses[endpoint.slot, default: []].formUnion(reused) }
            value.policy = (2 * slot, 2 * slot + 1)
            value.ifindex = endpoint.links.first ?? 0
            value.region = try regionWord(of: endpoint.slot, endpoint.image.addresses, pods: plan.endpoints.count)
            value.translatesServices = options.services == .translate && !endpoint.key.isHost
            value.isHost = endpoint.key.isHost
            if present.map({ $0.hasEqualBytes(value) }) != true {
                try maps.endpoints.set(endpoint.slot, value)
                report.entriesChanged += 1
            }
            if let stubs = batch.stubs[endpoint.key] {
                endpoints[endpoint.key] = LoadedEndpoint(
                    slot: endpoint.slot, value: value, subject: endpoint.image.subject, links: endpoint.links,
                    ingressStub: stubs.ingress, egressStub: stubs.egress)
                adopted[endpoint.slot] = nil
            } else {
                endpoints[endpoint.key]?.value = value
                endpoints[endpoint.key]?.links = endpoint.links
            }
        }
        return Set(batch.fresh.keys)
    }

    /// Puts the fresh programs of subjects into their slots.
    func place(_ batch: PolicyBatch, _ plan: ApplyPlan, _ keys: [String]) throws(BPFError) {
        for key in keys.sorted() {
            guard let slot = plan.subjectSlots[key], let fresh = batch.fresh[key] else { continue }
            for (direction, policy) in fresh.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                let place = 2 * slot + UInt32(direction.rawValue)
                try maps.policies.set(place, program: policy.program)
                strayPolicies.remove(place)
                if let old = subjects[key]?.replace(direction, with: policy) { outOfUse.append(old) }
            }
            if subjects[key] == nil, let ingress = fresh[.ingress], let egress = fresh[.egress] {
                subjects[key] = LoadedSubject(slot: slot, ingress: ingress, egress: egress)
            }
        }
    }

    /// Step 10.
    func narrow(_ plan: ApplyPlan, _ report: inout ApplyReport) throws(BPFError) {
        for subject in plan.image.subjects {
            for direction in Direction.allCases {
                report.entriesChanged += try subjects[subject.key]?[direction].narrow(to: subject[direction]) ?? 0
            }
        }
        try clearSurplusSlots(plan, &report)
        releaseRegions()
        let wanted = Set(plan.image.subjects.map(\.key))
        for (key, subject) in subjects where !wanted.contains(key) {
            try maps.policies.remove(2 * subject.slot)
            try maps.policies.remove(2 * subject.slot + 1)
            subjects[key] = nil
            // No endpoint named this place since before the wait.
            outOfUse += [subject.ingress, subject.egress]
        }
        while let policy = outOfUse.last {
            if let range = policy.hits { try hits.retire(range) }
            outOfUse.removeLast()
        }
        for place in strayPolicies.sorted() {
            try maps.policies.remove(place)
            strayPolicies.remove(place)
        }
    }
}

extension LoadedSubject {
    /// The policy of a direction.
    subscript(direction: Direction) -> LoadedPolicy { direction == .ingress ? ingress : egress }

    /// Takes another policy; returns the one it had.
    mutating func replace(_ direction: Direction, with policy: LoadedPolicy) -> LoadedPolicy {
        switch direction {
        case .ingress:
            defer { ingress = policy }
            return ingress
        case .egress:
            defer { egress = policy }
            return egress
        }
    }
}
