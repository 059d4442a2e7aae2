import BPFEmit
import CNetpoldABI
import Glibc
import NetTypes
import Support
import Testing

@testable import Datapath

@Suite("looking into a running datapath", .needsRoot, .serialized)
struct ObserveTests {
    @Test("verdicts are told while somebody listens, with the rule that decided, and not otherwise")
    func events() throws {
        let node = try NodeDatapath.forTests()
        _ = try node.apply(try NodeImages.shop(), links: [:])
        let probe = HookProbe(node: node)
        #expect(try probe.tcp(source: 1) == NP_REASON_ALLOWED)
        let reader = try node.makeEventReader()
        #expect(try reader.read().isEmpty)
        #expect(try probe.tcp(source: 2) == NP_REASON_ALLOWED)
        // Not a flow's beginning: no news, although policy is asked about it too.
        #expect(try probe.tcp(source: 2, flags: 0x10) == NP_REASON_ALLOWED)
        #expect(try probe.tcp(from: NodeImages.stranger, source: 3) == NP_DROP_POLICY_DEFAULT)
        let events = try reader.read()
        #expect(events.map { UInt32($0.reason) } == [NP_REASON_ALLOWED.rawValue, NP_DROP_POLICY_DEFAULT.rawValue])
        #expect(events.map(\.sourcePort) == [2, 3])
        #expect(events.map(\.remoteIdentity) == [NodeImages.clientID, NodeImages.strangerID])
        let meanings = events.map { node.ruleHitIndex.meaning(of: $0.ruleHit)?.meaning }
        #expect(
            meanings == [
                .rule(RuleBit(rule: 0, action: .allow, isL7: false, origin: NodeImages.origin("rule-0"))),
                .defaultDeny(isolatedBy: [NodeImages.origin("isolation")]),
            ])
        try reader.stop()
        #expect(try probe.tcp(source: 4) == NP_REASON_ALLOWED)
        #expect(try reader.read().isEmpty)
        #expect(reader.unreadable == 0)
    }

    @Test("records have the packet's time, those of drops alone can be asked for, and none of an earlier reader come")
    func times() throws {
        let node = try NodeDatapath.forTests()
        _ = try node.apply(try NodeImages.shop(), links: [:])
        let probe = HookProbe(node: node)
        let earlier = try node.makeEventReader()
        #expect(try probe.tcp(source: 1) == NP_REASON_ALLOWED)
        try earlier.stop()
        let reader = try node.makeEventReader(.drops)
        let before = MonotonicClock.nanoseconds
        #expect(try probe.tcp(source: 2) == NP_REASON_ALLOWED)
        #expect(try probe.tcp(from: NodeImages.stranger, source: 3) == NP_DROP_POLICY_DEFAULT)
        let after = MonotonicClock.nanoseconds
        usleep(200_000)
        let events = try reader.read()
        #expect(events.map(\.sourcePort) == [3])
        #expect(events.allSatisfy { $0.time >= before && $0.time <= after })
        try reader.listen(to: .verdicts)
        #expect(try probe.tcp(source: 4) == NP_REASON_ALLOWED)
        #expect(try reader.read().map(\.sourcePort) == [4])
    }

    @Test("a reader that asks for few records gets the others the next time")
    func limit() throws {
        let node = try NodeDatapath.forTests()
        _ = try node.apply(try NodeImages.shop(), links: [:])
        let probe = HookProbe(node: node)
        let reader = try node.makeEventReader()
        for source in 1...20 as ClosedRange<UInt16> { _ = try probe.tcp(source: source) }
        var ports: [UInt16] = []
        for _ in 0..<4 { ports += try reader.read(limit: 5).map(\.sourcePort) }
        #expect(ports == Array(1...20))
    }

    @Test("silent flows are forgotten by protocol and state; live ones never")
    func conntrack() throws {
        let node = try NodeDatapath.forTests()
        _ = try node.apply(try NodeImages.shop(), links: [:])
        let clock = try KernelClock()
        var now = try clock.now()
        // 1: answered. 2: one end finishes. 3: reset. 4: nobody answers.
        for (port, flags) in [(1, 0), (2, NP_ENTRY_FIN_OWN), (3, NP_ENTRY_RST)] as [(UInt16, Int32)] {
            try node.remember(port, flags: NP_ENTRY_ANSWERED | flags, at: now)
        }
        try node.remember(4, flags: 0, at: now)
        let flows = try node.rememberedFlows()
        #expect(flows.count == 4)
        let client = try #require(flows.first { $0.own.port == 1 })
        #expect(client.own.address == NodeImages.web)
        #expect(client.remote == .init(address: IPAddress(ipv4: 0xc000_0201), port: 80))
        #expect(client.role == .initiator)
        #expect(client.isAnswered && !client.hasFinished && !client.isReset)
        #expect(client.protocol == .tcp)
        func collect(_ seconds: Int) throws -> [Int] {
            let reading = KernelClock.Reading(jiffies: now.jiffies + UInt64(seconds * now.rate), rate: now.rate)
            let collected = try node.collectConntrack(now: reading)
            return [collected.seen, collected.removed]
        }
        #expect(try collect(0) == [4, 0])
        #expect(try collect(29) == [4, 0])
        #expect(try collect(40) == [4, 1])
        #expect(try node.rememberedFlows().map(\.isReset) == [false, false, false])
        #expect(try collect(70) == [3, 1])
        #expect(Set(try node.rememberedFlows().map(\.own.port)) == [1, 2])
        #expect(try collect(700) == [2, 1])
        #expect(try node.rememberedFlows().map(\.own.port) == [1])
        #expect(try collect(7000) == [1, 0])
        now.jiffies = 0
        #expect(try node.collectConntrack(now: now).removed == 0, "a packet since the reading")
        now = try clock.now()
        #expect(try collect(8100) == [1, 1])
    }

    @Test("hellos of connections that are gone are forgotten with them, others kept")
    func hellos() throws {
        let node = try NodeDatapath.forTests()
        _ = try node.apply(try NodeImages.shop(), links: [:])
        let hellos = try #require(node.maps.hellos)
        let clock = try KernelClock()
        let now = try clock.now()
        try node.remember(1, flags: NP_ENTRY_ANSWERED, at: now)
        try node.remember(2, flags: NP_ENTRY_ANSWERED | NP_ENTRY_RST, at: now)
        let web = try #require(node.endpoints[NodeImages.webKey])
        let region = try #require(node.regions.current[web.slot])
        let entries = try node.maps.flows.mapped(region).entries(in: region)
        for entry in entries {
            var hello = np_hello()
            hello.version = entry.word.version
            try hellos.set(entry.slot, hello)
        }
        func slots() throws -> Set<UInt32> {
            Set(try hellos.entries(key: UInt32(0), value: np_hello()).map(\.key))
        }
        _ = try node.collectConntrack(now: now)
        #expect(try slots() == Set(entries.map(\.slot)) && entries.count == 2)
        // The one that was reset is over.
        let later = KernelClock.Reading(jiffies: now.jiffies + UInt64(60 * now.rate), rate: now.rate)
        #expect(try node.collectConntrack(now: later).removed == 1)
        let left = try #require(entries.first { $0.record.own_port == UInt16(1).bigEndian })
        // Its hello may be that of a connection that begins now: it goes when the next walk finds it as it is.
        #expect(try slots() == Set(entries.map(\.slot)))
        _ = try node.collectConntrack(now: later)
        #expect(try slots() == [left.slot])
    }

    @Test(
        "a collection goes through the whole table part by part, without a system call for a flow, and a flow that woke up stays"
    )
    func parts() throws {
        let node = try NodeDatapath(DatapathOptions(pins: nil, attachment: .none))
        _ = try node.apply(try NodeImages.shop(), links: [:])
        let now = try KernelClock().now()
        for port in 0..<1000 as Range<UInt16> { try node.remember(port, flags: NP_ENTRY_ANSWERED, at: now) }
        // The shares are read at the end, and what is known of proxied connections and of hellos.
        let reading = InjectedFault(.readMap, call: 4, errno: .ioError)
        var seen = 0
        var parts = 0
        try InjectedFault.$current.withValue(reading) {
            var isOver = false
            while !isOver {
                let part = try node.collectConntrack()
                seen += part.seen
                parts += 1
                isOver = part.isComplete
            }
        }
        #expect(seen == 1000)
        #expect(parts == 1, "its region is as large as a part")
        #expect(!reading.fired)
        let later = KernelClock.Reading(jiffies: now.jiffies + UInt64(9000 * now.rate), rate: now.rate)
        var walk = FlowCollection(node.regions, now: later)
        let slot = try #require(node.endpoints[NodeImages.webKey]?.slot)
        let region = try #require(node.regions.current[slot])
        try walk.step(node.maps.flows, sets: region.range.count / 2)
        #expect(walk.removed > 0 && !walk.isComplete)
        let table = try node.maps.flows.mapped(region)
        let left = table.entries(in: region)
        // One of those that the walk has not reached yet.
        let awake = try #require(left.randomElement())
        #expect(table.remove(awake))
        var record = awake.record
        record.last_seen = later.flowStamp
        #expect(table.insert(record, endpoint: slot, in: region) == .inserted)
        try walk.step(node.maps.flows, sets: .max)
        #expect(walk.isComplete)
        #expect(try node.rememberedFlows().map(\.own.port) == [UInt16(bigEndian: record.own_port)])
    }

    @Test("the use of each limit is told, with the kernel's memory")
    func capacities() throws {
        let node = try NodeDatapath.forTests()
        _ = try node.apply(try NodeImages.shop(), links: [:])
        let uses = Dictionary(uniqueKeysWithValues: try node.capacities().map { ($0.name, $0) })
        #expect(uses["np_endpoints"]?.used == 1)
        #expect(uses["np_endpoints"]?.limit == Int(NP_MAX_ENDPOINTS))
        #expect(uses["np_addresses"]?.used == 3)
        #expect(uses["np_prefixes"]?.used == 2)
        #expect(uses["np_policies"]?.used == 2)
        #expect(uses["np_peers"]?.used == 1)
        #expect(uses["np_flow_sets"]?.used == 0)
        #expect(uses["np_flow_sets"]?.limit == 4096)
        try node.remember(1, flags: 0, at: try KernelClock().now())
        #expect(try node.capacities().first { $0.name == "np_flow_sets" }?.used == 1)
        #expect(uses.values.allSatisfy { ($0.memoryBytes ?? 0) > 0 })
    }

    @Test("this kernel is told apart from one that lacks something", arguments: KernelFeature.allCases)
    func features(feature: KernelFeature) {
        // TCX may be missing on the oldest kernels, membarrier wherever it was not built in: both have a stand-in.
        switch feature.probe() {
        case .available: break
        case .missing(let minimum): #expect([.tcx, .membarrier].contains(feature) && !minimum.isEmpty)
        case .inconclusive(let error): Issue.record("\(error)")
        }
    }
}
