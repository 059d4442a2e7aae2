import BPFEmit
import CNetpoldABI
import Datapath
import Glibc
import NetTypes
import SystemPackage

/// The datapath with one pod in it, and the reference programs beside it.
final class PacketBenchRig {
    private static let slot: UInt32 = 1
    /// Flows that "spread" means.
    static let spreadFlows = 1 << 16
    /// New flows of one run: half a table of them, so that inserts find room.
    static let newFlows = Int(NP_MAX_CONNTRACK) / 4

    let maps: DatapathMaps
    private let bench: BPFObject
    private let stub: BPFProgram
    private var policy: LoadedPolicy?
    private var cluster = PacketBenchPolicy(rules: 0, identities: 0)

    init() throws(BPFError) {
        maps = try DatapathMaps(DatapathOptions(pins: nil))
        bench = try BPFObject(name: "np_bench", bytes: try EmbeddedObject.bytes(of: EmbeddedBenchObject.base64))
        try BTFCheck.require(bench)
        // The reference finds its flows in the very table of the datapath: same memory, same order.
        try bench.use(maps.flows)
        try bench.load()
        let program: EncodedProgram
        do {
            program = try EntryStub.program(slot: Self.slot, direction: .ingress)
        } catch {
            throw BPFError(.loadProgram, "np_stub", errno: .invalidArgument, detail: "\(error)")
        }
        stub = try BPFProgram(program, name: "np_stub", hitBase: 0, maps: [.steps: maps.steps])
        var endpoint = np_endpoint()
        endpoint.address.0 = np_address(PacketBenchPolicy.pod)
        endpoint.revision = 1
        endpoint.flags = UInt32(NP_ENDPOINT_READY)
        try maps.endpoints.set(Self.slot, endpoint)
    }

    /// Puts the cluster of a case in place.
    func prepare(rules: Int, identities: Int) throws(BPFError) {
        guard cluster.rules != rules || cluster.identities != identities else { return }
        if cluster.identities > identities {
            for sender in cluster.senders.dropFirst(identities) {
                try maps.addresses.remove(np_address(sender.address))
            }
        }
        cluster = PacketBenchPolicy(rules: rules, identities: identities)
        try maps.addresses.set(cluster.senders.map { (key: np_address($0.address), value: $0.identity) })
        let image: PolicyImage
        do {
            image = try PolicyEmitter.emit(cluster.bits)
        } catch {
            throw BPFError(.loadProgram, "np_policy", errno: .invalidArgument, detail: "\(error)")
        }
        let loaded = try LoadedPolicy(image, transitional: [:], name: "np_policy", hits: nil, steps: maps.steps)
        try maps.policies.set(0, program: loaded.program)
        policy = loaded
    }

    /// Nanoseconds per packet through a reference program, `np_bench_...`. With `spread`, the sender is rewritten before
    /// each packet, and that is part of the time.
    func measure(reference name: String, _ spread: PacketBenchCase.Spread, repetitions: Int) throws(BPFError) -> Int {
        let program = try bench.program(name)
        return try run(program, spread == .hot ? nil : plan(.established, .spread), repetitions)
    }

    /// Makes the flows of established packets.
    ///
    /// Twice: in a table never used, entries lie in memory in the order in which they were made, and are found faster than
    /// they ever are in life.
    func establish() throws(BPFError) {
        try maps.forgetFlows()
        _ = try run(stub, plan(.established, .spread), Self.spreadFlows)
        try maps.forgetFlows()
        _ = try run(stub, nil, 1)
        _ = try run(stub, plan(.established, .spread), Self.spreadFlows)
    }

    /// Nanoseconds per packet of one run of `repetitions` packets; of new flows there are at most `newFlows`, which find an
    /// empty table.
    func measure(
        _ kind: PacketBenchCase.Kind, _ spread: PacketBenchCase.Spread, repetitions: Int
    ) throws(BPFError) -> Int {
        if kind == .new { try maps.forgetFlows() }
        let count = kind == .new ? min(repetitions, Self.newFlows) : repetitions
        return try run(stub, plan(kind, spread), count, flags: kind == .established ? Self.ack : Self.syn)
    }

    /// `nil`: the frame stays as it is.
    private func plan(_ kind: PacketBenchCase.Kind, _ spread: PacketBenchCase.Spread) -> np_bench_plan? {
        if kind == .established, spread == .hot { return nil }
        // Even senders are allowed, odd ones denied.
        let first = PacketBenchPolicy.firstSender + (kind == .denied ? 1 : 0)
        let everySender = spread == .spread && kind != .established
        let flows = everySender ? 1 << 20 : Self.spreadFlows
        return np_bench_plan(
            counter: 0, mask: UInt32(flows - 1), addresses: everySender ? UInt32(cluster.identities / 2) : 1,
            first_address: first, address_step: 2)
    }

    private func run(
        _ program: BPFProgram, _ plan: np_bench_plan?, _ repetitions: Int, flags: UInt8 = ack
    ) throws(BPFError) -> Int {
        var run = TestRun(frame: Self.frame(flags: flags))
        run.repetitions = repetitions
        guard let plan else { return try run.run(program).nanoseconds }
        try bench.map("np_bench_plan").set(UInt32(0), plan)
        try bench.map("np_bench_next").set(0, program: program)
        return try run.run(try bench.program("np_bench_vary")).nanoseconds
    }

    private static let ack: UInt8 = 0x10
    private static let syn: UInt8 = 0x02

    /// TCP over IPv4 from the first sender to the pod.
    private static func frame(flags: UInt8) -> [UInt8] {
        let ethernet: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00]
        let sender = IPAddress(ipv4: PacketBenchPolicy.firstSender).bytes.suffix(4)
        let ip: [UInt8] = [0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0] + sender + PacketBenchPolicy.pod.bytes.suffix(4)
        let port = UInt8(PacketBenchPolicy.port)
        let tcp: [UInt8] = [0x30, 0x39, 0, port, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]
        return ethernet + ip + tcp
    }
}
