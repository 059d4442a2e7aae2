import BPFEmit
import PolicyIR
import Support
import Synchronization

@testable import Agent

/// A world without kernel: what the agent reads is set, what it does is kept.
final class FakeWorld: ManifestSource, NamespaceSource, DatapathPort, PolicyCompiler {
    struct State {
        var snapshot: ManifestSnapshot = [:]
        var sight = NodeSight(namespaces: [], nodeAddresses: [])
        var applied: [[InterfaceBinding]] = []
        var policies: [[String]] = []
        var failure: SystemError?
        var readFailure: SystemError?
        var changed: @Sendable () -> Void = {}
        var deliver: (@Sendable ([VerdictRecord]) -> Void)?
        var suppressed: UInt64 = 0
        var sweeps = 0
    }

    let state = Mutex(State())

    func read() throws -> ManifestSnapshot {
        try state.withLock { state in
            if let failure = state.readFailure { throw failure }
            return state.snapshot
        }
    }

    func scan() throws -> NodeSight { state.withLock { $0.sight } }

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

    func apply(_ image: NodeImage, interfaces: [InterfaceBinding]) throws -> ApplyReport {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            state.applied.append(interfaces)
            return ApplyReport(
                endpoints: interfaces.enumerated().map {
                    ApplyReport.Endpoint(
                        pod: $1.qualifiedName, slot: UInt32($0), revision: 1, attachment: "tcx")
                },
                programsLoaded: 1, entriesChanged: 1)
        }
    }

    func resolve(ruleHit: UInt32) -> HitMeaning? { .defaultAllow }
    func counters() throws -> DatapathCounters {
        DatapathCounters(
            reasons: [33: PacketCount(packets: 5, bytes: 300)], eventsSuppressed: state.withLock { $0.suppressed })
    }
    func capacities() throws -> [CapacityUse] {
        [CapacityUse(name: "np_flows", used: 3, limit: 262_144, memoryBytes: 40 << 20)]
    }
    func collectConntrack() throws -> ConntrackSweep {
        state.withLock { $0.sweeps += 1 }
        return ConntrackSweep(seen: 0, removed: 0)
    }
    func listen(_ deliver: (@Sendable ([VerdictRecord]) -> Void)?) throws {
        state.withLock { $0.deliver = deliver }
    }
}
