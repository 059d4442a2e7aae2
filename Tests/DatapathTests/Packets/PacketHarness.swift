import BPFEmit
import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Synchronization
import Testing

@testable import Datapath

/// The datapath loaded with `PacketWorld` in it. Frames go through the emitted stub, the C programs and the emitted policies
/// of a pod, as on a veth.
///
/// Loading takes the verifier seconds, so harnesses are lent out and used again. A test has one for itself; that is what makes
/// `@unchecked Sendable` true.
final class PacketHarness: @unchecked Sendable {
    typealias Pod = PacketWorld.Pod

    private static let idle = Mutex<[Bool: [PacketHarness]]>([:])

    /// Lends a harness in its first state: no flows, every policy open, both pods ready. With `paths` its programs know flows that
    /// go past the stack.
    static func with(paths: Bool = false, _ body: (PacketHarness) throws -> Void) throws {
        let harness = try idle.withLock { $0[paths]?.popLast() } ?? PacketHarness(paths: paths)
        try harness.reset()
        try body(harness)
        idle.withLock { $0[paths, default: []].append(harness) }
    }

    /// Whether flows between the pods may go past the stack.
    let paths: Bool
    private let object: BPFObject
    private let steps: BPFMap
    private let policies: BPFMap
    private let endpoints: BPFMap
    private let reasons: BPFMap
    private let flowSets: BPFMap
    private var policyOf: [Pod: [Direction: PacketPolicy]] = [:]
    private var regions: [Pod: (region: UInt32, isMoving: Bool)] = [:]
    /// Whether packets of the pods to Services are translated.
    var translates = false
    /// The numbers of the pods' name columns; a pod that has one has its DNS exchanges read.
    var names: [Pod: UInt32] = [:]
    /// Whether endpoints say which directions are open, as an agent has them say once their programs are in place.
    var marksOpen = true
    private var hitBases: [Pod: [Direction: UInt32]] = [:]
    /// Directions whose program is not that of `policyOf`.
    private var withoutPolicy: [Pod: Set<Direction>] = [:]
    private let clock: KernelClock
    private var floor: [Pod: [Direction: np_state_need]] = [:]
    private var stubs: [Pod: [Direction: BPFProgram]] = [:]
    private var revisions: [Pod: UInt32] = [:]
    private var counted: [UInt64] = Array(repeating: 0, count: Int(NP_REASON_COUNT.rawValue))

    init(paths: Bool = false) throws {
        self.paths = paths
        clock = try KernelClock()
        object = try BPFObject()
        if paths {
            let config = np_config(hertz: 1000, barriers: 1, fast_path: 1, hosts: 1)
            try object.fill(section: ".rodata.config", with: config)
        }
        try object.resize(map: "np_flow_sets", to: Self.regionSets * 4)
        try object.load()
        steps = try object.map("np_steps")
        policies = try object.map("np_policies")
        endpoints = try object.map("np_endpoints")
        reasons = try object.map("np_reasons")
        flowSets = try object.map("np_flow_sets")
        try object.map("np_flow_seed").set(
            UInt32(0), np_flow_seed(word: (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210)))
        try fillIdentities()
        for pod in Pod.allCases {
            for direction in Direction.allCases {
                let stub = try EntryStub.program(slot: pod.rawValue, direction: direction)
                stubs[pod, default: [:]][direction] = try BPFProgram(
                    stub, name: "np_stub", hitBase: 0, maps: [.steps: steps])
            }
        }
    }

    /// The size of each pod's region of flows.
    static let regionSets = 1024
    /// The first set of a pod's region.
    static func firstSet(of pod: Pod) -> Int { regionSets * Int(pod.rawValue) }

    /// Takes the harness back to its first state.
    func reset() throws {
        for (step, name) in DatapathMaps.steps {
            try put(try object.program(name), into: steps, at: step.rawValue)
        }
        floor = [:]
        regions = [:]
        marksOpen = true
        for pod in Pod.allCases { try setChange(.old, of: pod) }
        try removeServices()
        try removeNames()
        try forgetFlows()
        let fragments = try object.map("np_fragments")
        for entry in try fragments.entries(key: np_fragment_key(), value: np_fragment()) {
            try fragments.remove(entry.key)
        }
        try object.map("np_control").set(UInt32(0), np_control())
        if paths { try resetPaths() }
        for pod in Pod.allCases {
            for direction in Direction.allCases { try set(.open, direction, of: pod, bump: false) }
            try bump(pod)
        }
        counted = try readReasons()
    }

    /// Gives addresses the identities of `PacketWorld`, and nothing beside.
    func fillAddresses() throws {
        let addresses = try object.map("np_addresses")
        for entry in PacketWorld.exact { try addresses.set(np_address(entry.address), entry.identity) }
    }

    private func fillIdentities() throws {
        try fillAddresses()
        let sources = try object.map("np_sources")
        for pod in Pod.allCases {
            for address in PacketWorld.addresses(of: pod) {
                try sources.set(np_address(address), np_source(PacketWorld.links(of: pod)))
            }
        }
        let prefixes = try object.map("np_prefixes")
        for entry in PacketWorld.prefixes {
            let key = np_prefix_key(prefix_length: entry.length, address: np_address(entry.address))
            try prefixes.set(key, entry.identity)
        }
    }

    private func put(_ program: BPFProgram, into map: BPFMap, at index: UInt32) throws {
        try withExtendedLifetime(program) { try map.set(index, UInt32(bitPattern: program.fd)) }
    }

    private func slot(_ pod: Pod, _ direction: Direction) -> UInt32 { 2 * pod.rawValue + UInt32(direction.rawValue) }

    /// What the endpoint says of a direction: derived from the policies, or more if a test wants that.
    func need(_ direction: Direction, of pod: Pod) -> np_state_need {
        let policies = policyOf[pod] ?? [:]
        let opposite: Direction = direction == .egress ? .ingress : .egress
        let derived = (policies[direction] ?? .open).need(against: policies[opposite] ?? .open)
        let least = floor[pod]?[direction] ?? NP_STATE_NEVER
        return derived.rawValue < least.rawValue ? least : derived
    }

    /// Makes a direction need state more than its policies ask for, as an agent does while it changes them.
    func raise(_ need: np_state_need, _ direction: Direction, of pod: Pod = .a) throws {
        floor[pod, default: [:]][direction] = need
        try writeEndpoint(pod)
    }

    /// Says how long ago a pod's policies allowed less, for as long as the test takes.
    func setChange(_ age: PolicyAge, of pod: Pod = .a) throws {
        try object.map("np_policy_changes").set(pod.rawValue, stamp(age))
    }

    /// As in np_policy_changes; the programs of a harness take a second for 1000 jiffies.
    private func stamp(_ age: PolicyAge) throws -> UInt32 {
        func seconds(_ count: Int32) -> UInt32 { (UInt32(count) * 1000) >> UInt32(NP_FLOW_CLOCK_SHIFT) }
        let now = try clock.now().flowStamp
        return switch age {
        case .old: now &- seconds(NP_REVOKED_SECONDS + 2)
        case .recent: now &- seconds(NP_REVOKED_SECONDS / 2)
        case .new: now &+ seconds(NP_REVOKED_SECONDS)
        }
    }

    /// Gives a pod another region than its own; 0: none.
    func setRegion(_ region: UInt32, of pod: Pod = .a, isMoving: Bool = false) throws {
        regions[pod] = (region, isMoving)
        try writeEndpoint(pod)
    }

    private func openDirections(of pod: Pod) -> OpenDirections {
        var open = OpenDirections()
        for direction in Direction.allCases where marksOpen && policyOf[pod]?[direction]?.isOpen == true {
            if withoutPolicy[pod]?.contains(direction) == true { continue }
            let base = hitBases[pod]?[direction] ?? 0
            open.insert(direction, hit: UInt16(base == 0 ? 0 : base + UInt32(NP_HIT_DEFAULT_ALLOW)))
        }
        return open
    }

    private func writeEndpoint(_ pod: Pod, ready: Bool = true) throws {
        var endpoint = np_endpoint()
        let addresses = PacketWorld.addresses(of: pod).map(np_address.init)
        endpoint.address = (addresses[0], addresses[1])
        endpoint.revision = revisions[pod, default: 1]
        endpoint.flags = ready ? UInt32(NP_ENDPOINT_READY) : 0
        for direction in Direction.allCases {
            let place = UInt32(NP_ENDPOINT_NEED_SHIFT) + UInt32(NP_ENDPOINT_NEED_BITS) * UInt32(direction.rawValue)
            endpoint.flags |= need(direction, of: pod).rawValue << place
        }
        endpoint.openDirections = openDirections(of: pod)
        if let names = names[pod] {
            endpoint.names = names
            endpoint.flags |= UInt32(NP_ENDPOINT_NAMES)
        }
        if paths {
            endpoint.flags |= UInt32(NP_ENDPOINT_FAST)
            endpoint.ifindex = Self.link
        }
        if translates { endpoint.flags |= UInt32(NP_ENDPOINT_SERVICES) }
        if regions[pod]?.isMoving == true { endpoint.flags |= UInt32(NP_ENDPOINT_MOVING) }
        endpoint.region = regions[pod]?.region ?? UInt32(2 * Self.firstSet(of: pod) + Self.regionSets)
        endpoint.policy = (slot(pod, .ingress), slot(pod, .egress))
        try endpoints.set(pod.rawValue, endpoint)
    }

    /// Puts a policy in place, then bumps the endpoint's revision.
    func set(
        _ policy: PacketPolicy, _ direction: Direction, of pod: Pod = .a, hitBase: UInt32 = 0, bump: Bool = true
    ) throws {
        let image = try PolicyEmitter.emit(policy.bits(direction))
        var maps: [MapSymbol: BPFMap] = [:]
        if image.words > 0 {
            let peers = try BPFMap(
                hash: "np_peers", keySize: 4, valueSize: 8 * image.words, capacity: max(image.peers.count, 1))
            for entry in image.peers { try peers.setWords(entry.identity, entry.words) }
            maps[.peers] = peers
        }
        let program = try BPFProgram(image.program, name: "np_policy", hitBase: hitBase, maps: maps)
        try put(program, into: policies, at: slot(pod, direction))
        policyOf[pod, default: [:]][direction] = policy
        hitBases[pod, default: [:]][direction] = hitBase
        withoutPolicy[pod]?.remove(direction)
        if bump { try self.bump(pod) }
    }

    /// Puts any program in the place of a policy.
    func set(program: EncodedProgram, _ direction: Direction, of pod: Pod = .a) throws {
        let loaded = try BPFProgram(program, name: "np_policy", hitBase: 0, maps: [:])
        withoutPolicy[pod, default: []].insert(direction)
        try writeEndpoint(pod)
        try put(loaded, into: policies, at: slot(pod, direction))
    }

    func removePolicy(_ direction: Direction, of pod: Pod = .a) throws {
        withoutPolicy[pod, default: []].insert(direction)
        try writeEndpoint(pod)
        try policies.remove(slot(pod, direction))
    }

    func bump(_ pod: Pod) throws {
        revisions[pod, default: 1] += 1
        try writeEndpoint(pod)
    }

    func setReady(_ ready: Bool, _ pod: Pod) throws { try writeEndpoint(pod, ready: ready) }

    func removeStep(_ step: np_step) throws { try steps.remove(step.rawValue) }

    /// Sends a frame through a hook of a pod; answers the reason it was counted under, `NP_REASON_NONE` when it was counted
    /// nowhere. To the pod it comes in by the interface `arrival` (0: it is generated here), else where its source is.
    func send(_ frame: [UInt8], _ direction: Direction, of pod: Pod = .a, by arrival: UInt32? = nil) throws -> np_reason
    {
        let returned = try run(frame, direction, of: pod, by: arrival)
        let now = try readReasons()
        let changed = now.indices.filter { now[$0] != counted[$0] }
        defer { counted = now }
        guard let reason = changed.first else {
            #expect(returned == 2, "a packet passed that was counted nowhere")
            return NP_REASON_NONE
        }
        #expect(changed.count == 1 && now[reason] == counted[reason] + 1, "one packet was counted more than once")
        #expect(returned == Self.action(of: reason), "verdict against reason \(reason)")
        return np_reason(UInt32(reason))
    }

    func send(_ packet: IPPacket, _ direction: Direction, of pod: Pod = .a, by arrival: UInt32? = nil) throws
        -> np_reason
    {
        try send(packet.frame, direction, of: pod, by: arrival)
    }

    /// As `send`, faster: looks at the counter of the expected reason first, and at the others only when it stood still.
    func confirm(
        _ expected: np_reason, _ frame: [UInt8], _ direction: Direction, of pod: Pod, by arrival: UInt32
    ) throws -> np_reason {
        let returned = try run(frame, direction, of: pod, by: arrival)
        let index = Int(expected.rawValue)
        guard try count(of: expected) == counted[index] + 1,
            returned == Self.action(of: index)
        else {
            let now = try readReasons()
            let moved = now.indices.filter { now[$0] != counted[$0] }
            return np_reason(UInt32(moved.first { $0 != index } ?? 0))
        }
        counted[index] += 1
        return expected
    }

    /// What a hook returns: what passes is left to whoever is attached behind netpold.
    private static func action(of reason: Int) -> Int32 {
        reason < Int(NP_REASON_FIRST_DROP.rawValue) ? NP_ACTION_NEXT.rawValue : NP_ACTION_SHOT.rawValue
    }

    /// As `send`, for what may come back to the pod or change on its way: the outcome with the frame as the hook leaves it.
    func pass(
        _ packet: IPPacket, _ direction: Direction, of pod: Pod = .a, by arrival: UInt32? = nil
    ) throws -> (reason: np_reason, returned: Int32, frame: [UInt8]) {
        try pass(frame: packet.summedFrame, direction, of: pod, by: arrival)
    }

    /// As `pass(_:_:of:by:)`, of any frame, with a mark.
    func pass(
        frame: [UInt8], _ direction: Direction, of pod: Pod = .a, by arrival: UInt32? = nil, mark: UInt32 = 0,
        segmentBytes: UInt32 = 0
    ) throws -> (reason: np_reason, returned: Int32, frame: [UInt8]) {
        let stub = try #require(stubs[pod]?[direction])
        var run = TestRun(frame: frame)
        run.ingressIfindex = direction == .egress ? PacketWorld.own : arrival ?? PacketWorld.arrival(of: frame)
        run.mark = mark
        run.segmentBytes = segmentBytes
        let result = try run.run(stub)
        let now = try readReasons()
        let changed = now.indices.filter { now[$0] != counted[$0] }
        counted = now
        #expect(changed.count == 1, "counted under \(changed)")
        return (np_reason(UInt32(changed.first ?? 0)), result.returned, result.frame)
    }

    /// What the hook's stub returns for a frame: `NP_ACTION_NEXT` or `NP_ACTION_SHOT`.
    func run(
        _ frame: [UInt8], _ direction: Direction, of pod: Pod, repetitions: Int = 1, by arrival: UInt32? = nil
    ) throws -> Int32 {
        try outcome(frame, direction, of: pod, repetitions: repetitions, by: arrival).returned
    }

    /// As `run`, with the frame as the hook leaves it.
    func outcome(
        _ frame: [UInt8], _ direction: Direction, of pod: Pod, repetitions: Int = 1, by arrival: UInt32? = nil
    ) throws -> (returned: Int32, frame: [UInt8]) {
        let stub = try #require(stubs[pod]?[direction])
        var run = TestRun(frame: frame)
        run.ingressIfindex = direction == .egress ? PacketWorld.own : arrival ?? PacketWorld.arrival(of: frame)
        // The other pod must know who it is.
        if paths, direction == .egress { run.ingressIfindex = PacketWorld.links(of: pod)[0] }
        run.repetitions = repetitions
        let result = try run.run(stub)
        return (result.returned, result.frame)
    }

    /// As `run`: the mean time of a run, ns.
    func time(_ frame: [UInt8], _ direction: Direction, of pod: Pod = .a, repetitions: Int) throws -> Int {
        let stub = try #require(stubs[pod]?[direction])
        var run = TestRun(frame: frame)
        run.ingressIfindex = direction == .egress ? PacketWorld.own : PacketWorld.arrival(of: frame)
        run.repetitions = repetitions
        return try run.run(stub).nanoseconds
    }

    /// Takes note of what `run` has counted, so that `send` tells its own packet from that.
    func recount() throws { counted = try readReasons() }

    /// Packets counted under one reason.
    func count(of reason: np_reason) throws -> UInt64 {
        try reasons.perCPUValues(of: reason.rawValue, value: np_counter()).reduce(0) { $0 + $1.packets }
    }

    func readReasons() throws -> [UInt64] {
        var totals = [UInt64](repeating: 0, count: counted.count)
        for (key, values) in try reasons.perCPUEntries(value: np_counter()) {
            totals[Int(key)] = values.reduce(0) { $0 + $1.packets }
        }
        return totals
    }

    /// The sets of a pod's own region that are not empty, by their number.
    func flowSets(of pod: Pod = .a) throws -> [(number: Int, set: np_flow_set)] {
        try (0..<Self.regionSets).compactMap { index in
            let number = Self.firstSet(of: pod) + index
            guard let set = try flowSets.value(of: UInt32(number), initial: np_flow_set()) else { return nil }
            let control = set.control
            guard [control.0, control.1, control.2, control.3].contains(where: { $0 & 3 != 0 }) else { return nil }
            return (number, set)
        }
    }

    func write(_ set: np_flow_set, at number: Int) throws { try flowSets.set(UInt32(number), set) }

    /// The live entries of a pod.
    func flows(of pod: Pod = .a) throws -> [np_flow_record] {
        try flowSets(of: pod).flatMap { _, set in
            let control = [set.control.0, set.control.1, set.control.2, set.control.3]
            let records = [set.flow.0, set.flow.1, set.flow.2, set.flow.3]
            return zip(control, records).filter { $0.0 & UInt64(NP_SLOT_STATE_MASK) == UInt64(NP_SLOT_LIVE) }.map(\.1)
        }
    }

    /// Empties the table of flows.
    func forgetFlows() throws {
        try flowSets.set((0..<UInt32(Self.regionSets * 4)).map { (key: $0, value: np_flow_set()) })
    }

    /// Changes every entry of a pod.
    func changeFlows(of pod: Pod = .a, _ change: (inout np_flow_record) -> Void) throws {
        for (number, var set) in try flowSets(of: pod) {
            change(&set.flow.0)
            change(&set.flow.1)
            change(&set.flow.2)
            change(&set.flow.3)
            try write(set, at: number)
        }
    }

    /// What became of a pod's new flows since the object was loaded.
    func share(of pod: Pod = .a) throws -> np_flow_share {
        try map("np_flow_shares").perCPUValues(of: pod.rawValue, value: np_flow_share()).reduce(into: np_flow_share()) {
            $0.inserted += $1.inserted
            $0.evicted += $1.evicted
            $0.refused += $1.refused
        }
    }

    /// The flow entries there are.
    func flowCount() throws -> Int { try Pod.allCases.reduce(0) { try $0 + flows(of: $1).count } }

    func verifiedInstructions(of program: String) throws -> Int { try object.program(program).verifiedInstructions }

    func map(_ name: String) throws -> BPFMap { try object.map(name) }

    /// A program of the object.
    func program(_ name: String) throws -> BPFProgram { try object.program(name) }
}
