import BPFEmit
import Glibc
import PolicyAPI
import Support
import Synchronization

@testable import Agent

/// A world without kernel: what the agent reads is set, what it does is kept.
final class FakeWorld: ObjectSource, NodeSource, DatapathPort, PolicyCompiler, Sendable {
    struct State {
        var snapshot: FolderSnapshot = [:]
        var feed = FolderFeed()
        /// What the compiler was told.
        var objects = ObjectTable()
        var node = Fixtures.host([])
        var applied: [[EndpointKey: [UInt32]]] = []
        var masters: [UInt32: [UInt32]] = [:]
        var images: [NodeImage] = []
        /// What does not fit from now on.
        var servicesLeftOut: [String] = []
        var hooks: [HookFinding] = []
        /// Whether an apply puts programs back at hooks.
        var repairsHooks = false
        var policies: [[String]] = []
        var failure: SystemError?
        /// Nobody can say how it stands with host policies.
        var hostFailure: SystemError?
        /// Interfaces that were to be closed.
        var closed: Set<UInt32> = []
        var readFailure: SystemError?
        var changed: @Sendable () -> Void = {}
        /// Whether somebody listens.
        var isListening = false
        var interest: EventInterest?
        /// How long reading the node takes, and how long an apply does.
        var blocking = Duration.zero
        /// Verdict records not read yet.
        var records: [VerdictRecord] = []
        var suppressed: UInt64 = 0
        var suppressedDrops: [UInt32: UInt64] = [:]
        /// How often counters and capacities were read.
        var counted = 0
        var collections = 0
        /// Packets by what decided them.
        var hits: [RuleHitKey: UInt64] = [:]
        /// Flows that are remembered.
        var flows: [RememberedFlow] = []
    }

    let state = Mutex(State())

    let id = FolderFeed.id

    func changes() -> ObjectBatch {
        state.withLock { state in
            if let failure = state.readFailure { return state.feed.unavailable("\(failure)") }
            return state.feed.read(state.snapshot)
        }
    }

    func evidence() throws -> HostEvidence { state.withLock { $0.node } }

    func watch(_ changed: @escaping @Sendable () -> Void) throws {
        state.withLock { state in
            let others = state.changed
            state.changed = {
                others()
                changed()
            }
        }
    }

    /// Changes the world and tells the agent.
    func change(_ body: (inout State) -> Void) {
        let changed = state.withLock { state in
            body(&state)
            return state.changed
        }
        changed()
    }

    func compile(_ desired: DesiredChanges) throws -> CompiledNode {
        state.withLock { state in
            for change in desired.changes { state.objects.apply(change) }
            state.policies.append(
                state.objects.objects.keys.filter { $0.kind == "NetworkPolicy" }.map(\.name).sorted())
            let image = NodeImage(identities: [], addresses: [], prefixes: [], subjects: [], endpoints: [])
            return CompiledNode(image: image, objects: state.objects, node: desired.node)
        }
    }

    func apply(
        _ image: NodeImage, links: [EndpointKey: [UInt32]], masters: [UInt32: [UInt32]]
    ) throws -> ApplyReport {
        Pause.sleep(state.withLock(\.blocking))
        return try state.withLock { state in
            if let failure = state.failure { throw failure }
            state.applied.append(links)
            state.masters = masters
            state.images.append(image)
            if state.repairsHooks { state.hooks = [] }
            var report = Fixtures.report(links.keys.sorted())
            report.servicesLeftOut = state.servicesLeftOut
            return report
        }
    }

    func close(_ interfaces: Set<UInt32>) throws { state.withLock { $0.closed = interfaces } }

    func hostStanding() throws -> HostStanding? {
        if let failure = state.withLock(\.hostFailure) { throw failure }
        return nil
    }

    func refreshFastPath() throws -> FastPathReport? { nil }
    func collectLearnt() throws -> [EndpointKey: LearntUse] { [:] }
    func learn(_ pod: EndpointKey, _ history: [LearntName]) throws {}
    func auditHooks() -> [HookFinding] { state.withLock { $0.hooks } }
    var ruleHitIndex: RuleHitIndex { RuleHitIndex() }
    func counters() throws -> DatapathCounters {
        state.withLock { $0.counted += 1 }
        return DatapathCounters(
            reasons: [33: PacketCount(packets: 5, bytes: 300)],
            suppressedEvents: [33: state.withLock { $0.suppressed }],
            suppressedDrops: state.withLock { $0.suppressedDrops })
    }
    func packetsByRule() throws -> [RuleHitKey: UInt64] { state.withLock(\.hits) }
    func makeFlowReader() throws -> any FlowReading { FakeFlows(all: state.withLock(\.flows)) }
    func capacities() throws -> [CapacityUse] {
        [CapacityUse(name: "np_flows", used: 3, limit: 262_144, memoryBytes: 40 << 20)]
    }
    func collectConntrack() throws -> ConntrackCollection {
        state.withLock { $0.collections += 1 }
        return ConntrackCollection(seen: 0, removed: 0)
    }
    func makeEventReader(_ interest: EventInterest) throws -> Reader {
        state.withLock { state in
            state.isListening = true
            state.interest = interest
        }
        return Reader(world: self)
    }

    struct Reader: VerdictReader {
        let world: FakeWorld

        func read() throws -> [VerdictRecord] {
            let records = world.state.withLock { state in
                defer { state.records = [] }
                return state.records
            }
            if records.isEmpty { usleep(5000) }
            return records
        }

        func listen(to interest: EventInterest) throws { world.state.withLock { $0.interest = interest } }

        func stop() throws { world.state.withLock { $0.isListening = false } }
    }
}

/// Flows of a fake world.
private struct FakeFlows: FlowReading {
    let all: [RememberedFlow]

    func flows(of slots: Set<UInt32>, limit: Int) -> (flows: [RememberedFlow], leftOut: Int) {
        let wanted = all.filter { slots.contains($0.slot) }
        return (Array(wanted.prefix(limit)), max(0, wanted.count - limit))
    }
}
