import CNetpoldABI

/// The C side, loaded: its maps, and its programs in their places.
package final class DatapathMaps {
    package let endpoints: BPFMap
    package let flowSets: BPFMap
    /// np_flow_sets, to be mapped.
    package let flows: FlowMap
    let flowMoves: BPFMap
    let flowShares: BPFMap
    let policyChanges: BPFMap
    /// The flows that go past the stack; `nil` in an object without them.
    let paths: BPFMap?
    let fragments: BPFMap
    package let addresses: BPFMap
    package let ipv4Identities: BPFMap
    package let sources: BPFMap
    let prefixes: BPFMap
    package let policies: BPFMap
    package let steps: BPFMap
    let ruleHits: BPFMap
    package let reasons: BPFMap
    let events: BPFMap
    let control: BPFMap
    /// What becomes of packets of the node itself; `nil` in an object without it.
    let host: BPFMap?
    let eventBudget: BPFMap
    let dropBudget: BPFMap
    /// What belongs to the L7 proxy; `nil` in an object without it.
    let proxy: ProxyParts?
    /// The tables of Services; `nil` in an object without them.
    let services: ServiceMaps?
    /// What is known of the server names of TLS connections; `nil` in an object without them.
    let hellos: BPFMap?
    /// The maps of names; `nil` in an object without them.
    package let names: NameMaps?
    /// All maps of the object, by name, for reports.
    let all: [BPFMap]

    /// Loads the embedded object, on maps that are pinned already if there are any, and puts its programs into np_steps.
    ///
    /// Running programs of an earlier version go on until their slot is overwritten; they work on the same maps.
    package init(_ options: DatapathOptions) throws(BPFError) {
        let object = try BPFObject(bytes: options.object)
        // An object with other layouts is worked with as other versions' maps are: through codecs.
        var codecs: [String: MapCodec] = [:]
        // Asked before pinned maps are taken: libbpf then gives their types by the numbers of the BTF that they were made with.
        let declared = object.mapLayouts
        if options.object == nil {
            try BTFCheck.require(object)
        } else {
            for (name, own) in try DatapathMaps.layouts() where declared[name] != own {
                codecs[name] = declared[name].flatMap { MapCodec(here: own, there: $0) }
            }
        }
        guard options.flowSets.nonzeroBitCount == 1, (1...Int(NP_MAX_FLOW_SETS)).contains(options.flowSets) else {
            throw BPFError(
                .createMap, "np_flow_sets", errno: .invalidArgument,
                detail: "\(options.flowSets) sets: it takes a power of two, at most \(NP_MAX_FLOW_SETS)")
        }
        try object.resize(map: "np_flow_sets", to: options.flowSets)
        try object.fill(section: ".rodata.config", with: try DatapathMaps.configuration(options))
        if let pins = options.pins { try object.usePins(in: pins.folder) }
        try object.load()
        var all: [BPFMap] = []
        for name in object.mapNames { all.append(try object.map(name, codec: codecs[name])) }
        self.all = all
        func map(_ name: String) throws(BPFError) -> BPFMap {
            guard let map = all.first(where: { $0.name == name }) else {
                throw BPFError(.findMap, name, errno: .noSuchFileOrDirectory)
            }
            return map
        }
        self.endpoints = try map("np_endpoints")
        self.flowSets = try map("np_flow_sets")
        self.flowMoves = try map("np_flow_moves")
        self.flowShares = try map("np_flow_shares")
        self.policyChanges = try map("np_policy_changes")
        var flowLayout = FlowSetLayout.own
        if options.object != nil, let here = try DatapathMaps.layouts()["np_flow_sets"],
            let there = declared["np_flow_sets"], here != there
        {
            guard let layout = FlowSetLayout(here: here.value, there: there.value) else {
                throw BPFError(.checkLayout, "np_flow_sets", errno: .invalidArgument)
            }
            flowLayout = layout
        }
        self.flows = FlowMap(
            flowSets, layout: flowLayout, seed: try DatapathMaps.seed(in: try map("np_flow_seed")))
        self.fragments = try map("np_fragments")
        self.addresses = try map("np_addresses")
        self.ipv4Identities = try map("np_ipv4_identities")
        self.sources = try map("np_sources")
        self.prefixes = try map("np_prefixes")
        self.policies = try map("np_policies")
        self.steps = try map("np_steps")
        self.ruleHits = try map("np_rule_hits")
        self.reasons = try map("np_reasons")
        self.events = try map("np_events")
        self.control = try map("np_control")
        self.eventBudget = try map("np_event_budget")
        self.dropBudget = try map("np_drop_budget")
        self.paths = all.first { $0.name == "np_paths" }
        self.host = all.first { $0.name == "np_host" }
        self.services = ServiceMaps(all)
        self.hellos = all.first { $0.name == "np_hellos" }
        self.names = NameMaps(all)
        self.proxy = try ProxyParts(object, all)
        for (step, name) in Self.steps {
            try steps.set(step.rawValue, program: try object.program(name))
        }
    }

    /// What the programs are told of the machine.
    private static func configuration(_ options: DatapathOptions) throws(BPFError) -> np_config {
        let rate = try KernelClock().now().rate
        // Flows that began past the stack stay there, though none begins to any more.
        let isKnown = options.fastPath == .off ? try FastFlows.arePinned(options.pins) : true
        let fastPath: UInt32 = isKnown ? 1 : 0
        // Policies of the node that are pinned are in force until the first apply.
        let asksHost = options.asksHost || options.host.mode != .off || HostControl.isInUse(options.pins)
        let hosts: UInt32 = asksHost ? 1 : 0
        #if arch(x86_64)
            // Loads are not reordered there.
            return np_config(hertz: UInt32(rate), barriers: 0, fast_path: fastPath, hosts: hosts)
        #else
            return np_config(hertz: UInt32(rate), barriers: 1, fast_path: fastPath, hosts: hosts)
        #endif
    }

    /// The key of the flow table's hash: drawn once, and kept with the flows that are found by it.
    private static func seed(in map: BPFMap) throws(BPFError) -> np_flow_seed {
        if let seed = try map.value(of: UInt32(0), initial: np_flow_seed()), seed.word != (0, 0) { return seed }
        var generator = SystemRandomNumberGenerator()
        let seed = np_flow_seed(word: (generator.next(), generator.next()))
        try map.set(UInt32(0), seed)
        return seed
    }

    /// The layouts of this program's records, by map: those of the embedded object, which `BTFCheck` compares with Swift's.
    static func layouts() throws(BPFError) -> [String: MapLayout] { try BPFObject().mapLayouts }

    /// The entries that a pinned map must have room for. Those of tables that forget, and of the ring, are a matter of options.
    static func leastCapacity(of map: String, declared: Int) -> Int {
        switch map {
        case "np_flow_sets", "np_fragments", "np_events": 0
        default: declared
        }
    }

    /// Which program each slot of np_steps holds. Later steps first: nothing jumps to a step that is not there.
    static let steps: [(step: np_step, program: String)] = [
        (NP_STEP_FAST_PATH, "np_fast_path"), (NP_STEP_HOST_FROM_POD, "np_host_from_pod"),
        (NP_STEP_HOST_TO_POD, "np_host_to_pod"),
        (NP_STEP_HOST_OUT, "np_host_out"), (NP_STEP_HOST_IN, "np_host_in"),
        (NP_STEP_PROXY, "np_proxy_step"), (NP_STEP_HELLO, "np_hello"),
        (NP_STEP_DNS_ANSWER, "np_dns_answer"), (NP_STEP_NAMES, "np_dns_query"),
        (NP_STEP_HAIRPIN, "np_hairpin"), (NP_STEP_SERVICE, "np_service"),
        (NP_STEP_VERDICT, "np_verdict"), (NP_STEP_POLICY, "np_policy"), (NP_STEP_ICMP_ERROR, "np_icmp_error"),
        (NP_STEP_NEIGHBOUR, "np_neighbour"),
        (NP_STEP_TO_POD, "np_to_pod"), (NP_STEP_FROM_POD, "np_from_pod"),
    ]
}
