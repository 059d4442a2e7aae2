import BPFEmit
import PolicyAPI
import PolicyIR
import Testing

@testable import Agent

@Suite("filters of monitors, on the numbers of a record") struct RawFilterTests {
    private static let origin = RuleOrigin(
        kind: "NetworkPolicy", namespace: "shop", name: "db", path: "spec.ingress[0]",
        location: SourceLocation(file: "a.yaml", line: 9, column: 5))

    /// `shop/web` in slot 0 (10.0.0.1), `shop/db` in slot 1 (10.0.0.2); counter 1 is a default deny of `shop/db`.
    private static func generation() -> Generation {
        var hits = RuleHitIndex()
        _ = hits.take(
            count: 4, capacity: 100, subject: "db", direction: .ingress,
            bits: [RuleBit(rule: 0, action: .allow, isL7: false, origin: origin)], isolatedBy: [origin])
        return Records.generation(Fixtures.report("web", "db"), hits: hits)
    }

    @Test(
        "filters choose by drop, pod and policy",
        arguments: [
            (MonitorFilter(), true), (MonitorFilter(dropsOnly: true), true), (MonitorFilter(pod: "shop/db"), true),
            (MonitorFilter(pod: "shop/web"), true), (MonitorFilter(pod: "shop/other"), false),
            (MonitorFilter(pod: "shop"), false), (MonitorFilter(policy: "db"), true),
            (MonitorFilter(policy: "shop/db"), true), (MonitorFilter(policy: "b"), false),
            (MonitorFilter(pod: "shop/db", policy: "b"), false),
        ])
    func filters(filter: MonitorFilter, isAccepted: Bool) {
        var raw = RawFilter(filter, Self.generation())
        var record = Records.drop(slot: 1, from: "10.0.0.1", to: "10.0.0.2")
        record.ruleHit = 1
        let accepts = raw.accepts(record)
        #expect(accepts == isAccepted)
    }

    @Test("a pod is found by its slot also where its address is somebody else's word")
    func spoofed() {
        var raw = RawFilter(MonitorFilter(pod: "shop/web"), Self.generation())
        var record = Records.drop(slot: 0, from: "192.0.2.9", to: "192.0.2.1")
        record.direction = .egress
        let ofPod = raw.accepts(record)
        record.slot = 1
        let ofOther = raw.accepts(record)
        #expect(ofPod && !ofOther)
    }

    @Test("what passes is no drop, and an allow names its rule's policy")
    func passed() {
        var record = Records.drop(slot: 1, from: "10.0.0.1", to: "10.0.0.2")
        record.reason = VerdictReason.allowed.rawValue
        record.ruleHit = 4
        var drops = RawFilter(MonitorFilter(dropsOnly: true), Self.generation())
        var policy = RawFilter(MonitorFilter(policy: "db"), Self.generation())
        let (isDrop, isOfPolicy) = (drops.accepts(record), policy.accepts(record))
        #expect(!isDrop && isOfPolicy)
    }
}
