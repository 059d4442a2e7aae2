import BPFEmit
import CNetpoldABI
import Datapath
import Glibc
import NetTypes
import SystemPackage

/// The datapath with a pod for each kind of policies, and the reference programs beside it.
final class PacketBenchRig {
    /// A pod and its programs.
    private struct Pod {
        var stubs: [Direction: BPFProgram]
        var policies: [LoadedPolicy]
    }

    /// Sets of flows of each pod. 65,536 flows fill a quarter of the slots: an agent gives a pod more before it is 3/8.
    private static let sets = UInt32(NP_MAX_FLOW_SETS) / UInt32(PacketBenchCase.Policies.allCases.count)
    /// New flows of one run: each finds room.
    private static let newFlows = 1 << 16

    private let maps: DatapathMaps
    private let identities: IPv4Identities
    private let bench: BPFObject
    private var pods: [PacketBenchCase.Policies: Pod] = [:]

    init() throws(BPFError) {
        maps = try DatapathMaps(DatapathOptions(pins: nil))
        bench = try BPFObject(name: "np_bench", bytes: try EmbeddedObject.bytes(of: EmbeddedBenchObject.base64))
        try BTFCheck.require(bench)
        try bench.load()
        // Pods of other nodes.
        let values =
            PacketBenchPolicy.addresses.map { ($0.address, $0.identity | UInt32(NP_IDENTITY_ELSEWHERE)) }
            + PacketBenchServices.addresses.map { ($0.address, $0.identity) }
        try maps.addresses.set(values.map { (key: np_address($0.0), value: $0.1) })
        identities = try IPv4Identities(
            maps.ipv4Identities, holding: Dictionary(values, uniquingKeysWith: { first, _ in first }))
        try maps.write(services: PacketBenchServices.change)
        var counters = RuleHitIndex()
        for (number, policies) in PacketBenchCase.Policies.allCases.enumerated() {
            pods[policies] = try makePod(UInt32(number), policies, &counters)
        }
    }

    /// A pod in place. Its rules have counters, as in life.
    private func makePod(
        _ slot: UInt32, _ policies: PacketBenchCase.Policies, _ counters: inout RuleHitIndex
    ) throws(BPFError) -> Pod {
        let subject: SubjectImage
        let stubs: [Direction: EncodedProgram]
        do {
            subject = try PacketBenchPolicy.subject(policies)
            stubs = [
                .ingress: try EntryStub.program(slot: slot, direction: .ingress),
                .egress: try EntryStub.program(slot: slot, direction: .egress),
            ]
        } catch {
            throw BPFError(.loadProgram, "np_policy", errno: .invalidArgument, detail: "\(error)")
        }
        var endpoint = np_endpoint()
        endpoint.address.0 = np_address(PacketBenchPolicy.pod)
        endpoint.revision = 1
        // As in life: who translates does so for every pod.
        endpoint.flags = UInt32(NP_ENDPOINT_READY) | UInt32(NP_ENDPOINT_SERVICES)
        endpoint.stateNeeds = subject.stateNeeds
        endpoint.policy = (2 * slot, 2 * slot + 1)
        endpoint.region = 2 * slot * Self.sets + Self.sets
        var pod = Pod(stubs: [:], policies: [])
        var open = OpenDirections()
        for direction in Direction.allCases {
            let image = subject[direction]
            let hits = counters.take(
                count: image.hitCount, capacity: Int(NP_MAX_RULE_HITS), subject: subject.key, direction: direction,
                bits: image.bits)
            let policy = try LoadedPolicy(
                image, transitional: [:], name: direction == .ingress ? "np_ingress" : "np_egress", hits: hits)
            try maps.policies.set(2 * slot + UInt32(direction.rawValue), program: policy.program)
            pod.policies.append(policy)
            if image.isOpen { open.insert(direction, hit: hits?.openHit ?? 0) }
            if let stub = stubs[direction] {
                pod.stubs[direction] = try BPFProgram(stub, name: "np_stub", hitBase: 0, maps: [.steps: maps.steps])
            }
        }
        endpoint.openDirections = open
        try maps.endpoints.set(slot, endpoint)
        return pod
    }

    /// One round of a case.
    ///
    /// - Throws: when a packet does not do what the case says.
    func measure(_ one: PacketBenchCase, repetitions: Int) throws(BPFError) -> PacketBenchReport.Sample {
        guard let pod = pods[one.policies], let stub = pod.stubs[one.direction] else {
            throw BPFError(.findProgram, "\(one.policies)", errno: .noSuchFileOrDirectory)
        }
        switch one.packets {
        case .established: try establish(one, pod)
        case .service: break
        case .new, .deniedSYN, .deniedUDP: try maps.forgetFlows()
        }
        // A new flow is one the first time only.
        let count = one.packets == .new ? min(repetitions, Self.newFlows) : repetitions
        let empty = try run(try bench.program("np_bench_empty"), one, repetitions)
        let reference: Int
        switch one.reference {
        case .parse: reference = try run(try bench.program("np_bench_parse"), one, repetitions)
        case .straight:
            try connect(one, stub, straight: true)
            reference = try run(stub, one, repetitions, straight: true)
            try connect(one, stub)
        }
        let before = try dropped()
        let cost = try run(stub, one, count)
        let drops = try dropped() - before
        guard drops == (one.passes ? 0 : UInt64(count)) else {
            throw BPFError(
                .runProgram, "\(one)", errno: .protocolError, detail: "\(drops) of \(count) packets were dropped")
        }
        return PacketBenchReport.Sample(empty: empty, reference: reference, cost: cost)
    }

    /// Opens the flows of a case to the pod, and has the pod answer each.
    private func establish(_ one: PacketBenchCase, _ pod: Pod) throws(BPFError) {
        try maps.forgetFlows()
        var opening = one
        (opening.direction, opening.packets) = (.ingress, .new)
        var answer = one
        answer.direction = .egress
        for part in [opening, answer] {
            guard let stub = pod.stubs[part.direction] else { continue }
            _ = try run(stub, part, part.spread == .one ? 1 : 1 << 16)
        }
    }

    /// Opens the connections of a case through a Service, or as many straight to an end.
    private func connect(_ one: PacketBenchCase, _ stub: BPFProgram, straight: Bool = false) throws(BPFError) {
        try maps.forgetFlows()
        _ = try run(stub, one, one.spread == .one ? 1 : PacketBenchServices.flows, opens: true, straight: straight)
    }

    /// Packets dropped so far.
    private func dropped() throws(BPFError) -> UInt64 {
        try maps.reasons.perCPUEntries(value: np_counter())
            .filter { $0.key >= NP_REASON_FIRST_DROP.rawValue }
            .reduce(0) { sum, reason in reason.values.reduce(sum) { $0 + $1.packets } }
    }

    /// One round of a case on several CPUs, each alone and all at once.
    ///
    /// - Throws: when a packet does not do what the case says, or the machine has no such CPU.
    func measure(
        _ one: PacketBenchCase, on cpus: [Int], repetitions: Int
    ) throws(BPFError) -> CoresBenchReport.Sample {
        guard let pod = pods[one.policies], let stub = pod.stubs[one.direction] else {
            throw BPFError(.findProgram, "\(one.policies)", errno: .noSuchFileOrDirectory)
        }
        let reference = try bench.program("np_bench_parse")
        // Without entries a flow is as new the second time, and a few milliseconds are the scheduler's more than the packets'.
        let isRemembered = one.packets == .new && one.policies == .bothDirections
        let count = isRemembered ? min(repetitions, Self.newFlows / cpus.count) : repetitions
        return CoresBenchReport.Sample(
            reference: try times(of: reference, one, on: cpus, repetitions) { () throws(BPFError) in },
            cost: try times(of: stub, one, on: cpus, count) { () throws(BPFError) in
                switch one.packets {
                case .established: try establish(one, pod)
                case .service: break
                case .new, .deniedSYN, .deniedUDP: try maps.forgetFlows()
                }
            })
    }

    private func times(
        of program: BPFProgram, _ one: PacketBenchCase, on cpus: [Int], _ repetitions: Int,
        prepare: () throws(BPFError) -> Void
    ) throws(BPFError) -> CoresBenchReport.Times {
        // What comes first leaves its own program and flows in the bench's maps.
        func together() throws(BPFError) -> [PinnedRuns.Run] {
            try prepare()
            return try cpus.indices.map { index throws(BPFError) in
                try ready(program, one, repetitions, run: UInt32(index), of: cpus.count)
            }
        }
        var alone = 0
        for (index, cpu) in cpus.enumerated() {
            alone += try PinnedRuns.run([try together()[index]], on: [cpu])
        }
        return CoresBenchReport.Times(
            alone: alone / cpus.count, together: try PinnedRuns.run(try together(), on: cpus))
    }

    /// Nanoseconds per packet of one run.
    private func run(
        _ program: BPFProgram, _ one: PacketBenchCase, _ repetitions: Int, opens: Bool = false, straight: Bool = false
    ) throws(BPFError) -> Int {
        let ready = try ready(program, one, repetitions, opens: opens, straight: straight)
        return try ready.run.run(ready.program).nanoseconds
    }

    /// A run with its flows in place, as the one with this number of so many that share them.
    private func ready(
        _ program: BPFProgram, _ one: PacketBenchCase, _ repetitions: Int, opens: Bool = false, straight: Bool = false,
        run number: UInt32 = 0, of runs: Int = 1
    ) throws(BPFError) -> PinnedRuns.Run {
        var frame = straight ? one.straightFrame : one.frame
        if opens { frame[PacketBenchCase.flagsPlace] = 0x02 }
        var run = TestRun(frame: frame)
        run.repetitions = repetitions
        run.mark = number
        if one.reference == .straight {
            for word in 0..<5 {
                let bytes = frame[(FlowPacket.ethernetBytes + word * 8)...].prefix(8)
                let value = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                try bench.map("np_bench_headers").set(UInt32(word), value)
            }
        }
        guard var plan = one.plan else { return PinnedRuns.Run(program: program, run: run) }
        plan.counter = (UInt64(plan.mask) + 1) / UInt64(runs) * UInt64(number)
        try bench.map("np_bench_plan").set(number, plan)
        try bench.map("np_bench_next").set(0, program: program)
        if one.reference == .straight {
            return PinnedRuns.Run(program: try bench.program("np_bench_restore"), run: run)
        }
        let vary = one.direction == .ingress ? "np_bench_vary_source" : "np_bench_vary_destination"
        return PinnedRuns.Run(program: try bench.program(vary), run: run)
    }
}

extension PacketBenchCase {
    /// How the other ends vary; `nil`: the frame stays as it is.
    fileprivate var plan: np_bench_plan? {
        if reference == .straight {
            let flows = spread == .one ? 1 : UInt32(PacketBenchServices.flows)
            return np_bench_plan(flows: flows, addresses: 1)
        }
        let ends: UInt32
        switch spread {
        case .one: return nil
        case .ports, .fewPorts: ends = 1
        case .ends(let count): ends = UInt32(count)
        }
        let flows: UInt32 = ends == 1 ? 1 << 16 : 1 << 20
        return np_bench_plan(flows: flows, addresses: ends, firstAddress: firstEnd, addressStep: 2)
    }

    /// Even ends are allowed, odd ones denied.
    private var firstEnd: UInt32 { PacketBenchPolicy.firstEnd + (passes ? 0 : 1) }

    /// Where a frame of TCP over IPv4 has its flags.
    fileprivate static let flagsPlace = FlowPacket.ethernetBytes + 20 + 13

    /// Of a connection from the pod to an end that policy allows.
    fileprivate var straightFrame: [UInt8] {
        frame(to: IPAddress(ipv4: PacketBenchPolicy.firstEnd), PacketBenchPolicy.port)
    }

    private func frame(to destination: IPAddress, _ port: UInt16) -> [UInt8] {
        var packet = FlowPacket(
            source: PacketBenchPolicy.pod, destination: destination, protocol: .tcp, sourcePort: 20_000,
            destinationPort: port)
        packet.tcpFlags = 0x10
        return packet.frame
    }

    /// TCP or UDP over IPv4 between the first end and the pod, or from the pod to a Service.
    fileprivate var frame: [UInt8] {
        if case .service(let backends) = packets {
            return frame(
                to: PacketBenchServices.address,
                backends == 1 ? PacketBenchServices.onePort : PacketBenchServices.manyPort)
        }
        let isToPod = direction == .ingress
        // The pod serves, and opens connections from a port of its own.
        let podPort: UInt16 = packets == .new && !isToPod ? 40_000 : PacketBenchPolicy.port
        let (end, pod) = (IPAddress(ipv4: firstEnd), PacketBenchPolicy.pod)
        var packet = FlowPacket(
            source: isToPod ? end : pod, destination: isToPod ? pod : end,
            protocol: packets == .deniedUDP ? .udp : .tcp,
            sourcePort: isToPod ? 12_345 : podPort, destinationPort: isToPod ? podPort : 12_345)
        packet.tcpFlags = packets == .established ? 0x10 : 0x02
        return packet.frame
    }
}
