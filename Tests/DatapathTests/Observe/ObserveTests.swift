import BPFEmit
import CNetpoldABI
import Glibc
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
        #expect(try probe.tcp(source: 2, flags: 0x10) == NP_REASON_ESTABLISHED)
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
        let before = monotonicNanoseconds()
        #expect(try probe.tcp(source: 2) == NP_REASON_ALLOWED)
        #expect(try probe.tcp(from: NodeImages.stranger, source: 3) == NP_DROP_POLICY_DEFAULT)
        let after = monotonicNanoseconds()
        usleep(200_000)
        let events = try reader.read()
        #expect(events.map(\.sourcePort) == [3])
        #expect(events.allSatisfy { $0.time >= before && $0.time <= after })
        try reader.listen(to: .verdicts)
        #expect(try probe.tcp(source: 4) == NP_REASON_ALLOWED)
        #expect(try reader.read().map(\.sourcePort) == [4])
    }

    private func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
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
        let probe = HookProbe(node: node)
        for source in 1...3 as ClosedRange<UInt16> { #expect(try probe.tcp(source: source) == NP_REASON_ALLOWED) }
        // 2: both ends finish. 3: reset.
        _ = try probe.tcp(source: 2, flags: 0x11)
        #expect(try probe.tcp(source: 3, flags: 0x14) == NP_REASON_ESTABLISHED)
        let flows = try node.conntrack()
        #expect(flows.count == 3)
        let client = try #require(flows.first { $0.low.port == 1 })
        #expect(client.low.address == NodeImages.client)
        #expect(client.high.role == .responder)
        #expect(client.high.revision == 1)
        #expect(client.protocol == .tcp)
        var now = try KernelClock().now()
        func after(_ seconds: Int) -> KernelClock.Reading {
            KernelClock.Reading(jiffies: now.jiffies + UInt64(seconds * now.rate), rate: now.rate)
        }
        #expect(try node.collectConntrack(now: now).removed == 0)
        #expect(try node.collectConntrack(now: after(60)) == ConntrackCollection(seen: 3, removed: 1))
        #expect(try node.conntrack().map(\.isReset) == [false, false])
        #expect(try node.collectConntrack(now: after(700)) == ConntrackCollection(seen: 2, removed: 1))
        #expect(try node.conntrack().map(\.low.port) == [1])
        #expect(try node.collectConntrack(now: after(7000)) == ConntrackCollection(seen: 1, removed: 0))
        #expect(try probe.tcp(source: 1, flags: 0x10) == NP_REASON_ESTABLISHED)
        now.jiffies = 0
        #expect(try node.collectConntrack(now: now).removed == 0)
        now = try KernelClock().now()
        #expect(try node.collectConntrack(now: after(8100)) == ConntrackCollection(seen: 1, removed: 1))
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
        #expect(uses["np_flows"]?.used == 0)
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
