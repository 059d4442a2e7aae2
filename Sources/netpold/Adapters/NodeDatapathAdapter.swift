import Agent
import BPFEmit
import Datapath
import Foundation
import NetTypes
import PolicyAPI
import Synchronization

/// The datapath as the agent sees it.
///
/// Unchecked: calls come from one task at a time (the contract of `DatapathPort`); `resolve`, which does not, reads only
/// what the mutex guards, and the events' thread has a reader of its own.
final class NodeDatapathAdapter: DatapathPort, @unchecked Sendable {
    /// What counters stand for, and who isolates which subject: of the present image and the one before.
    private struct Meanings {
        var hits: RuleHitIndex
        var isolating: [Subject: [RuleOrigin]] = [:]
        var isolatingBefore: [Subject: [RuleOrigin]] = [:]
    }

    private struct Subject: Hashable {
        var key: String
        var direction: Direction
    }

    private let datapath: NodeDatapath
    private let meanings: Mutex<Meanings>
    private var clock: KernelClock?
    private var reading: EventThread?

    /// An adapter of a loaded datapath. Ends a reading that a killed process left on.
    init(_ datapath: NodeDatapath) throws {
        self.datapath = datapath
        meanings = Mutex(Meanings(hits: datapath.ruleHitIndex))
        try datapath.makeEventReader().stop()
    }

    func apply(_ image: NodeImage, interfaces: [InterfaceBinding]) throws -> ApplyReport {
        var bindings: [EndpointKey: UInt32] = [:]
        for binding in interfaces {
            bindings[EndpointKey(namespace: binding.namespace, name: binding.pod, uid: binding.uid)] = binding.ifindex
        }
        defer { publish(image) }
        let report = try datapath.apply(image, interfaces: bindings)
        return ApplyReport(
            endpoints: report.endpoints.map { endpoint in
                ApplyReport.Endpoint(
                    pod: "\(endpoint.key)", slot: endpoint.slot, revision: endpoint.revision,
                    attachment: endpoint.attachment.rawValue, failure: endpoint.failure.map { "\($0)" })
            },
            programsLoaded: report.programsLoaded, entriesChanged: report.entriesChanged + report.hooksChanged)
    }

    /// Retired programs keep their counters' meaning for one more apply; so do their policies here.
    private func publish(_ image: NodeImage) {
        var isolating: [Subject: [RuleOrigin]] = [:]
        for subject in image.subjects {
            for direction in Direction.allCases {
                isolating[Subject(key: subject.key, direction: direction)] = subject[direction].isolatedBy
            }
        }
        meanings.withLock { meanings in
            meanings.hits = datapath.ruleHitIndex
            meanings.isolatingBefore = meanings.isolating
            meanings.isolating = isolating
        }
    }

    func resolve(ruleHit: UInt32) -> HitMeaning? {
        meanings.withLock { meanings in
            guard let key = meanings.hits.meaning(of: ruleHit) else { return nil }
            switch key.meaning {
            case .rule(let bit): return .rule(bit)
            case .defaultAllow: return .defaultAllow
            case .host: return .host
            case .defaultDeny:
                let subject = Subject(key: key.subject, direction: key.direction)
                return .defaultDeny(
                    isolatedBy: meanings.isolating[subject] ?? meanings.isolatingBefore[subject] ?? [])
            }
        }
    }

    func counters() throws -> DatapathCounters {
        DatapathCounters(
            reasons: try datapath.packetsByReason().mapValues { PacketCount(packets: $0.packets, bytes: $0.bytes) },
            eventsSuppressed: try datapath.suppressedEvents().values.reduce(0, +))
    }

    func capacities() throws -> [CapacityUse] {
        try datapath.capacities().map { use in
            CapacityUse(
                name: use.name, used: use.used, limit: use.capacity, memoryBytes: use.memoryBytes.map(UInt64.init))
        }
    }

    func collectConntrack() throws -> ConntrackSweep {
        let clock = try clock ?? KernelClock()
        self.clock = clock
        let sweep = try datapath.collectConntrack(now: clock.now())
        return ConntrackSweep(seen: sweep.seen, removed: sweep.removed)
    }

    func listen(_ deliver: (@Sendable ([VerdictRecord]) -> Void)?) throws {
        reading?.stop()
        reading = nil
        if let deliver { reading = EventThread(try datapath.makeEventReader(), deliver) }
    }
}
