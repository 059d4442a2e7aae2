import BPFEmit
import Glibc
import PolicyIR
import Support
import Synchronization

@testable import Agent

/// A world without kernel: what the agent reads is set, what it does is kept.
final class FakeWorld: ManifestSource, NodeSource, DatapathPort, PolicyCompiler, Sendable {
    struct State {
        var snapshot: ManifestSnapshot = [:]
        var node = NodeSnapshot(namespaces: [], addresses: [])
        var applied: [[EndpointKey: UInt32]] = []
        var policies: [[String]] = []
        var failure: SystemError?
        var readFailure: SystemError?
        var changed: @Sendable () -> Void = {}
        /// Whether somebody listens.
        var isListening = false
        /// Verdict records not read yet.
        var records: [VerdictRecord] = []
        var suppressed: UInt64 = 0
        var collections = 0
    }

    let state = Mutex(State())

    func read() throws -> ManifestSnapshot {
        try state.withLock { state in
            if let failure = state.readFailure { throw failure }
            return state.snapshot
        }
    }

    func snapshot() throws -> NodeSnapshot { state.withLock { $0.node } }

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

    func compile(_ inputs: DesiredInputs) throws -> CompiledNode {
        let names = inputs.objects.networkPolicies.map(\.metadata.name).sorted()
        state.withLock { $0.policies.append(names) }
        let image = NodeImage(identities: [], addresses: [], prefixes: [], subjects: [], endpoints: [])
        return CompiledNode(
            image: image, objects: inputs.objects,
            policies: PolicyLowering.lower(inputs.objects).policies + inputs.isolating)
    }

    func apply(_ image: NodeImage, interfaces: [EndpointKey: UInt32]) throws -> ApplyReport {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            state.applied.append(interfaces)
            return Fixtures.report(interfaces.keys.sorted())
        }
    }

    var ruleHitIndex: RuleHitIndex { RuleHitIndex() }
    func counters() throws -> DatapathCounters {
        DatapathCounters(
            reasons: [33: PacketCount(packets: 5, bytes: 300)],
            suppressedEvents: [33: state.withLock { $0.suppressed }])
    }
    func capacities() throws -> [CapacityUse] {
        [CapacityUse(name: "np_flows", used: 3, limit: 262_144, memoryBytes: 40 << 20)]
    }
    func collectConntrack() throws -> ConntrackCollection {
        state.withLock { $0.collections += 1 }
        return ConntrackCollection(seen: 0, removed: 0)
    }
    func makeEventReader() throws -> Reader {
        state.withLock { $0.isListening = true }
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

        func stop() throws { world.state.withLock { $0.isListening = false } }
    }
}
