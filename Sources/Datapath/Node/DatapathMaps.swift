import CNetpoldABI

/// The C side, loaded: its maps, and its programs in their places.
package final class DatapathMaps {
    package let endpoints: BPFMap
    package let flows: BPFMap
    package let addresses: BPFMap
    let prefixes: BPFMap
    package let policies: BPFMap
    package let steps: BPFMap
    let ruleHits: BPFMap
    let reasons: BPFMap
    let events: BPFMap
    let control: BPFMap
    let eventBudget: BPFMap
    let dropBudget: BPFMap
    /// All maps of the object, by name, for reports.
    let all: [BPFMap]

    /// Loads the embedded object, on maps that are pinned already if there are any, and puts its programs into np_steps.
    ///
    /// Running programs of an earlier version go on until their slot is overwritten; they work on the same maps.
    package init(_ options: DatapathOptions) throws(BPFError) {
        let object = try BPFObject()
        try BTFCheck.require(object)
        try object.resize(map: "np_flows", to: options.conntrackEntries)
        if let pins = options.pins { try object.usePins(in: pins.folder) }
        try object.load()
        var all: [BPFMap] = []
        for name in object.mapNames { all.append(try object.map(name)) }
        self.all = all
        self.endpoints = try object.map("np_endpoints")
        self.flows = try object.map("np_flows")
        self.addresses = try object.map("np_addresses")
        self.prefixes = try object.map("np_prefixes")
        self.policies = try object.map("np_policies")
        self.steps = try object.map("np_steps")
        self.ruleHits = try object.map("np_rule_hits")
        self.reasons = try object.map("np_reasons")
        self.events = try object.map("np_events")
        self.control = try object.map("np_control")
        self.eventBudget = try object.map("np_event_budget")
        self.dropBudget = try object.map("np_drop_budget")
        for (step, name) in Self.steps {
            // A map pinned by a version with fewer steps is shorter; what is reserved now had no slot then.
            if name == Self.noStep, Int(step.rawValue) >= steps.shape.capacity { continue }
            try steps.set(step.rawValue, program: try object.program(name))
        }
    }

    /// The program in the slots of reserved steps.
    private static let noStep = "np_no_step"

    /// Which program each slot of np_steps holds. Later steps first: nothing jumps to a step that is not there.
    static let steps: [(step: np_step, program: String)] = [
        (NP_STEP_SERVICE, noStep), (NP_STEP_NAMES, noStep), (NP_STEP_PROXY, noStep), (NP_STEP_REDIRECT, noStep),
        (NP_STEP_VERDICT, "np_verdict"), (NP_STEP_ICMP_ERROR, "np_icmp_error"), (NP_STEP_TO_POD, "np_to_pod"),
        (NP_STEP_FROM_POD, "np_from_pod"),
    ]
}
