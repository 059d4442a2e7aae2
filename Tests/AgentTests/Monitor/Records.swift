import BPFEmit
import PolicyAPI

@testable import Agent

/// Event records and what their numbers stand for.
enum Records {
    /// A default deny at a pod's ingress hook.
    static func drop(
        slot: UInt16, revision: UInt32 = 1, from source: String = "10.0.0.1", to destination: String = "10.0.0.2",
        port: UInt16 = 5432, time: UInt64 = KernelTime.now.nanoseconds
    ) -> VerdictRecord {
        VerdictRecord(
            time: time, source: Fixtures.address(source), destination: Fixtures.address(destination),
            sourcePort: 4311, destinationPort: port, protocol: .udp, slot: slot, direction: .ingress,
            remoteIdentity: 300, ruleHit: 0, revision: revision, reason: VerdictReason.policyDefault.rawValue,
            length: 60)
    }

    /// A generation of `shop/web` (10.0.0.1) and `shop/db` (10.0.0.2).
    static func generation(
        _ report: ApplyReport, began: UInt64 = 0, hits: RuleHitIndex = RuleHitIndex(),
        pods: [Pod] = [Fixtures.pod("web", "10.0.0.1"), Fixtures.pod("db", "10.0.0.2")]
    ) -> Generation {
        var objects = ObjectTable()
        for pod in pods { objects.apply(.upsert(.pod(pod))) }
        let image = NodeImage(identities: [], addresses: [], prefixes: [], subjects: [], endpoints: [])
        return Generation(
            began: KernelTime(nanoseconds: began), report: report, hits: hits,
            compiled: CompiledNode(image: image, objects: objects, node: "node-1"))
    }
}
