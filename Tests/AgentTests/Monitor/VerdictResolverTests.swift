import BPFEmit
import PolicyAPI
import PolicyIR
import Testing

@testable import Agent

@Suite struct VerdictResolverTests {
    private let origin = RuleOrigin(
        kind: "NetworkPolicy", namespace: "shop", name: "db", path: "spec.ingress[0]",
        location: SourceLocation(file: "a.yaml", line: 9, column: 5))

    /// Counters of one program with one rule, the first of them at `base`: default deny, default allow, host, rule 0.
    private func hits(_ rule: RuleBit? = nil, isolatedBy: [RuleOrigin] = []) -> RuleHitIndex {
        var hits = RuleHitIndex()
        let entry = hits.take(
            count: 4, capacity: 100, subject: "db", direction: .ingress, bits: rule.map { [$0] } ?? [],
            isolatedBy: isolatedBy)
        #expect(entry?.base == 1)
        return hits
    }

    private func resolver(_ hits: RuleHitIndex) -> VerdictResolver {
        var objects = ClusterObjects()
        objects.pods = [Fixtures.pod("web", "10.0.0.1"), Fixtures.pod("db", "10.0.0.2")]
        let web = LabelSelector([LabelRequirement(key: "app", operator: .isIn, values: ["other"])])
        let rule = PolicyRule(
            action: .allow, peers: .anyOf([.pods(.named("shop"), web)]), traffic: .everything, origin: origin)
        let policy = LoweredPolicy(
            subject: .pods(
                .named("shop"),
                LabelSelector([LabelRequirement(key: "app", operator: .isIn, values: ["db"])])),
            ingress: DirectionRules(isolates: true, rules: [rule]), egress: nil, origin: origin)
        return VerdictResolver(
            evaluator: ReferenceEvaluator(objects, policies: [policy]), slots: [4: "shop/db"], identities: [2: "world"],
            hits: hits)
    }

    private func record(source: String, reason: VerdictReason, hit: UInt32 = 1) -> VerdictRecord {
        VerdictRecord(
            source: Fixtures.address(source), destination: Fixtures.address("10.0.0.2"), sourcePort: 4311,
            destinationPort: 5432, protocol: .tcp, slot: 4, direction: .ingress, remoteIdentity: 2, ruleHit: hit,
            revision: 3, reason: reason.rawValue, length: 60)
    }

    @Test("a default deny is explained by the isolating policies and the nearest rule")
    func defaultDeny() {
        var resolver = resolver(hits(isolatedBy: [origin]))
        let verdict = resolver.resolve(record(source: "10.0.0.1", reason: .policyDefault), time: 5)
        #expect(verdict.isDrop)
        #expect(verdict.subject == "shop/db")
        #expect(verdict.source.pod == "shop/web")
        #expect(verdict.isolatedBy.map(\.object) == ["NetworkPolicy shop/db"])
        #expect(
            verdict.nearestMiss
                == "NetworkPolicy shop/db spec.ingress[0] (a.yaml:9:5): pod shop/web lacks label app=other (has app=web)"
        )
        #expect(resolver.resolve(record(source: "10.0.0.1", reason: .policyDefault), time: 5) == verdict)
    }

    @Test("a rule bit is resolved to policy, path and place")
    func rule() {
        var resolver = resolver(hits(RuleBit(rule: 0, action: .allow, isL7: false, origin: origin)))
        let verdict = resolver.resolve(record(source: "10.0.0.1", reason: .allowed, hit: 4), time: 5)
        #expect(!verdict.isDrop)
        #expect(
            verdict.rule
                == FlowVerdict.Rule(object: "NetworkPolicy shop/db", path: "spec.ingress[0]", place: "a.yaml:9:5"))
    }

    @Test("an unknown hit, slot or address still gives a verdict")
    func unknown() {
        var resolver = resolver(RuleHitIndex())
        var strange = record(source: "192.0.2.9", reason: .spoofedSource, hit: 5)
        strange.slot = 900
        let verdict = resolver.resolve(strange, time: 5)
        #expect(verdict.subject == "endpoint 900")
        #expect(verdict.source.identity == "world")
        #expect(verdict.reason == "NP_DROP_SPOOFED_SOURCE")
    }
}
