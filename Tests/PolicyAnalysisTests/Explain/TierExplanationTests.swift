import NetpoldTestSupport
import Testing

@testable import NetTypes
@testable import PolicyAPI
@testable import PolicyIR

/// Explanations across tiers, on hand-made rules.
@Suite("Tiers, explained")
struct TierExplanationTests {
    private func rule(
        _ tier: Tier, _ action: RuleAction, _ ports: ClosedRange<UInt16> = 0...65535, priority: UInt32 = 0
    ) -> PolicyRule {
        PolicyRule(
            tier: tier, priority: priority, action: action, peers: .everyone,
            traffic: .anyOf([.ports(.tcp, PortRange(ports.lowerBound, ports.upperBound))]),
            origin: RuleOrigin(kind: "Test", namespace: "", name: "\(tier)-\(action)", path: "rules[\(priority)]"))
    }

    private func explain(_ rules: [PolicyRule], isolated: Bool = false) throws -> String {
        var objects = ClusterObjects()
        objects.pods = [pod("shop/web", "app=web", ["10.0.0.1"]), pod("shop/db", "app=db", ["10.0.0.2"])]
        let origin = RuleOrigin(kind: "Test", namespace: "shop", name: "db", path: "")
        let policy = LoweredPolicy(
            subject: .pods(.named("shop"), selector("app=db")),
            ingress: DirectionRules(isolates: isolated, rules: rules), egress: nil, origin: origin)
        let explanation = try ReferenceEvaluator(objects, policies: [policy]).explain(
            Flow(
                from: .pod(namespace: "shop", name: "web"), to: .pod(namespace: "shop", name: "db"), protocol: .tcp,
                port: 80))
        return explanation.ingress.lines.joined(separator: "\n")
    }

    @Test("a flow that Pass rules pass on lists each of them before the deciding rule")
    func passes() throws {
        #expect(
            try explain([
                rule(.admin, .pass, priority: 3), rule(.admin, .deny, priority: 7), rule(.normal, .allow, 80...80),
            ]) == """
                ingress of shop/db: allow
                  passed to the next tier by rule 0: Test admin-pass rules[3] [Admin priority 3]
                  by rule 2: Test normal-allow rules[0]
                  no evaluated deny rule matches it
                """)
        #expect(
            try explain([rule(.admin, .pass), rule(.baseline, .pass)]) == """
                ingress of shop/db: allow
                  passed to the next tier by rule 0: Test admin-pass rules[0] [Admin priority 0]
                  passed to the next tier by rule 1: Test baseline-pass rules[0] [Baseline priority 0]
                  no rule denies it, and none of the policies that select shop/db isolates it
                    Test shop/db
                """)
    }

    @Test("an allow of the Admin tier lists the deny that it overrides, a deny the allow")
    func wins() throws {
        #expect(
            try explain([rule(.admin, .allow, priority: 1), rule(.normal, .deny)], isolated: true).hasSuffix(
                """
                  by rule 0: Test admin-allow rules[1] [Admin priority 1]
                  which overrides
                    rule 1: Test normal-deny rules[0]
                """))
        #expect(
            try explain([rule(.normal, .allow), rule(.normal, .deny)]).hasSuffix(
                """
                  by rule 0: Test normal-deny rules[0]
                  which overrides
                    rule 1: Test normal-allow rules[0]
                """))
    }

    @Test("rules that are not evaluated are not near misses: after a Pass, and the Baseline tier of an isolated pod")
    func notAsked() throws {
        let text = try explain(
            [
                rule(.admin, .pass, 80...80, priority: 1), rule(.admin, .allow, 81...81, priority: 2),
                rule(.normal, .allow, 82...82), rule(.baseline, .allow, 83...83), rule(.baseline, .deny),
            ], isolated: true)
        #expect(
            text == """
                ingress of shop/db: deny
                  passed to the next tier by rule 0: Test admin-pass rules[1] [Admin priority 1]
                  no rule allows it, and it is isolated by
                    Test shop/db
                  nearest rule
                    rule 2: Test normal-allow rules[0]
                      but port 80 is not 82
                """)
    }
}
