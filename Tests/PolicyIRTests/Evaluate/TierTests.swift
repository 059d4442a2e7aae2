import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

/// Tiers and priorities on hand-made rules.
struct TierTests {
    private let subject = pod("shop/web", "app=web", ["10.0.0.1"])

    private func rule(
        _ tier: Tier, _ action: RuleAction, _ ports: ClosedRange<UInt16> = 0...65535, priority: UInt32 = 0,
        peers: PeerMatch = .everyone
    ) -> PolicyRule {
        PolicyRule(
            tier: tier, priority: priority, action: action, peers: peers,
            traffic: .anyOf([.ports(.tcp, PortRange(ports.lowerBound, ports.upperBound))]),
            origin: RuleOrigin(kind: "Test", namespace: "", name: "\(tier)-\(priority)-\(action)", path: ""))
    }

    private func decide(_ rules: [PolicyRule], isolated: Bool, port: UInt16, from host: Bool = false) -> SideDecision {
        let isolatedBy = isolated ? [RuleOrigin(kind: "Test", namespace: "", name: "isolating", path: "")] : []
        let policy = SubjectPolicy([DirectionRules(isolates: isolated, rules: rules)], isolatedBy: isolatedBy)
        let remote = RemoteEnd(
            kind: host ? .host : .remoteNode, address: nil,
            labels: CiliumLabels(reserved: [host ? "host" : "remote-node"]))
        return policy.decide(subject: subject, .ingress, remote: remote, protocol: .tcp, port: port)
    }

    @Test("an admin allow beats a normal deny, and at one priority deny beats allow (124, 125)")
    func adminFirst() {
        #expect(decide([rule(.normal, .deny), rule(.admin, .allow)], isolated: true, port: 80).verdict == .allow)
        #expect(decide([rule(.admin, .allow), rule(.admin, .deny)], isolated: true, port: 80).verdict == .deny)
        #expect(
            decide([rule(.admin, .allow, priority: 1), rule(.admin, .deny, priority: 2)], isolated: true, port: 80)
                .verdict == .allow)
    }

    @Test("pass skips the rest of the tier and no more (127)")
    func pass() {
        let rules = [
            rule(.admin, .pass, priority: 1), rule(.admin, .deny, priority: 2), rule(.normal, .allow, 80...80),
        ]
        #expect(decide(rules, isolated: true, port: 80).verdict == .allow)
        let denied = decide(rules, isolated: true, port: 81)
        #expect(denied.verdict == .deny)
        if case .defaultDeny = denied.reason {} else { Issue.record("\(denied.reason)") }
        #expect(decide(rules, isolated: false, port: 81).verdict == .allow)
    }

    @Test("baseline is evaluated only for a pod that the normal tier does not isolate")
    func baseline() {
        #expect(decide([rule(.baseline, .deny)], isolated: false, port: 80).verdict == .deny)
        #expect(decide([rule(.baseline, .allow)], isolated: true, port: 80).verdict == .deny)
        #expect(
            decide(
                [rule(.baseline, .allow, priority: 1), rule(.baseline, .deny, priority: 2)], isolated: false, port: 80
            ).verdict == .allow
        )
    }

    @Test("the own node passes isolation, but no deny of the admin or normal tier")
    func ownNode() {
        #expect(decide([], isolated: true, port: 80, from: true).reason == .localNode)
        #expect(decide([rule(.admin, .deny)], isolated: true, port: 80, from: true).verdict == .deny)
        #expect(decide([rule(.normal, .deny)], isolated: true, port: 80, from: true).verdict == .deny)
        #expect(decide([rule(.admin, .pass)], isolated: true, port: 80, from: true).verdict == .allow)
    }

    @Test("the reason names the rule by its number in the sorted policy")
    func number() {
        let decision = decide(
            [rule(.normal, .allow), rule(.admin, .pass), rule(.normal, .deny, 1...2)], isolated: true, port: 80)
        #expect(
            decision.reason
                == .rule(2, RuleOrigin(kind: "Test", namespace: "", name: "normal-0-allow", path: "")))
    }
}
