import BPFEmit
import CNetpoldABI
import NetTypes
import Support

/// Taking over what programs of other versions left, older or newer ones.
///
/// The order is such that a process that is killed at any point leaves every hook with one program that judges, and whatever
/// version starts next finds all that is left:
///
/// 1. Maps of fragments and counters with the same layouts are pinned in the own folder as well (`InstanceFolders`). Nothing is taken away.
/// 2. Everything of this version is loaded and filled, off the path of packets: steps 1 to 8 of `apply`.
/// 3. Flows are copied into the regions of this version's endpoints.
/// 4. Each hook goes over in one step: a link is updated and then pinned in the own folder, a filter replaced.
/// 5. When no program of the other version is running any more, flows are copied again: what came in meanwhile.
/// 6. Counters are added, and the other version's pins go.
///
/// An apply in which a hook could not be moved stops after 5; the next one goes on.
extension NodeDatapath {
    /// Before the first hook moves.
    func copyFlows() throws(BPFError) {
        let pods = CarriedPods(endpoints.values, regions)
        for carriage in carriages { try carriage.copy(to: pods) }
    }

    /// After the hooks of the image's pods have moved.
    func finishTakeover(_ plan: ApplyPlan, _ report: inout ApplyReport) throws(BPFError) {
        try attachments.retireSuperseded()
        guard !carriages.isEmpty else { return }
        // At once, as replies may be on the way; what is missing still comes after the wait.
        try copyFlows()
        for hook in attachments.foreign.sorted(by: { $0.description < $1.description }) where plan.hooks[hook] == nil {
            if try attachments.isAlive(hook) {
                // No pod of the image has the interface: everything is dropped there, as at others of that kind.
                let closing = try BPFProgram.closing(hook.direction, steps: maps.steps)
                if try attachments.attach(closing, at: hook) { report.hooksChanged += 1 }
            } else {
                try attachments.detach(hook)
            }
        }
        try RunningPrograms.wait()
        try copyFlows()
        guard attachments.foreign.isEmpty || attachments.style == .none else { return }
        try keepRevision()
        while let carriage = carriages.last {
            try carriage.addCounters()
            try options.pins?.remove(folder: carriage.other.folder)
            report.takenOver.append(carriage.other.name)
            carriages.removeLast()
        }
        carriedSets = [:]
    }

    /// Flows that came from the other version carry its revisions. Without an endpoint nothing would remember which those are.
    private func keepRevision() throws(BPFError) {
        guard endpoints.isEmpty else { return }
        var value = np_endpoint()
        value.revision = revision
        try maps.endpoints.set(UInt32(0), value)
    }

    /// Takes every hook of an instance off its interface and removes every pin of it, of whatever version; loads nothing.
    ///
    /// - Throws: `EWOULDBLOCK` when a process uses the instance.
    public static func remove(_ pins: PinPath) throws(BPFError) {
        var locks: [FileLock] = []
        var own: UInt32?
        var others: [(links: String, steps: UInt32?)] = []
        for folder in try pins.others() + [pins.folder] where try !Libbpf.names(in: folder).isEmpty {
            locks.append(try Libbpf.lock(folder: folder))
            var steps: UInt32?
            if let pinned = try Libbpf.openPin("\(folder)/np_steps") { steps = try BPFMap(pinned, name: "np_steps").id }
            if folder == pins.folder { own = steps } else { others.append(("\(folder)/links", steps)) }
        }
        let attachments = try Attachments(style: .none, pins: pins)
        try attachments.adopt(interfaces: try interfaces(), steps: own, others: others)
        try attachments.retireSuperseded()
        for hook in attachments.hooks { try attachments.detach(hook) }
        try ProxyPlace(instance: pins.instance).remove()
        try pins.removeAll()
        withExtendedLifetime(locks) {}
    }
}
