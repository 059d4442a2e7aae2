import BPFEmit
import NetTypes
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

    @Test("of an answer in a flow the other end is the one that it goes to")
    func answers() {
        var resolver = resolver(hits())
        var record = record(source: "10.0.0.2", reason: .reply)
        record.destination = Fixtures.address("192.0.2.7")
        let verdict = resolver.resolve(record, time: 5)
        #expect(verdict.source.pod == "shop/db" && verdict.source.identity == nil)
        #expect(verdict.destination.identity == "world")
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

    @Test("a refused name is shown with the rule that came nearest, and not as what a rule has done")
    func refusedName() throws {
        func rule(_ path: String, _ patterns: [String]) -> RuleBit {
            RuleBit(
                rule: 0, action: .allow, isL7: true,
                origin: RuleOrigin(kind: "CiliumNetworkPolicy", namespace: "shop", name: "dns", path: path),
                l7: .dns(patterns.map { Located(.pattern($0)) }))
        }
        var hits = RuleHitIndex()
        let far = rule("far", ["*.other.org"])
        let near = rule("near", ["api.example.org", "*.example.com"])
        let plain = RuleBit(
            rule: 0, action: .allow, isL7: false,
            origin: RuleOrigin(kind: "CiliumNetworkPolicy", namespace: "shop", name: "plain", path: "x"))
        let taken = hits.take(count: 6, capacity: 100, subject: "s", direction: .egress, bits: [plain, far, near])
        let entry = try #require(taken)
        func refused(_ name: String, kind: NameRecord.Kind = .denied, time: UInt64 = 999, rules: UInt64 = 6)
            -> NameRecord
        {
            NameRecord(
                time: time, slot: 1, kind: kind, name: name, type: 1, remote: IPAddress(ipv4: 1), addresses: [],
                expires: 0, base: entry.base, rules: rules)
        }
        var resolver = resolver(hits)
        var packet = record(source: "10.0.0.1", reason: .nameDenied, hit: entry.base + 4)
        packet.time = 1000
        packet.slot = 1
        let verdict = resolver.resolve(packet, time: 5, refused: refused("evil.example.com"))
        #expect(verdict.name == "evil.example.com" && verdict.rule == nil)
        #expect(
            verdict.nearestMiss
                == "\(near.origin): evil.example.com is none of *.example.com, api.example.org")
        #expect(
            NearestNameRule(refused("a.b", rules: 2), hits)?.sentence("a.b") == "\(far.origin): a.b is not *.other.org")
        #expect(NearestNameRule(refused("a.b", rules: 1), hits) == nil)
        #expect(resolver.resolve(packet, time: 5).name == nil)

        // Which record is that of which packet.
        var denials = RecentDenials()
        denials.add([
            refused("older.org", time: 990), refused("it.org", time: 999), refused("later.org", time: 1001),
            refused("sni.org", kind: .serverDenied, time: 1000), refused("learnt.org", kind: .learnt, time: 1000),
        ])
        #expect(denials.name(of: packet)?.name == "it.org")
        packet.reason = VerdictReason.serverName.rawValue
        #expect(denials.name(of: packet)?.name == "sni.org")
        packet.reason = VerdictReason.policyDeny.rawValue
        #expect(denials.name(of: packet) == nil)
        packet.reason = VerdictReason.nameDenied.rawValue
        packet.time = 5_000_000
        #expect(denials.name(of: packet) == nil)
        denials.add((0..<2000).map { refused("n\($0).org", time: 4_999_000 + UInt64($0 % 2)) })
        #expect(denials.name(of: packet) != nil)
    }
}
