import Foundation
import NetTypes
import PolicyAPI
import PolicyIR
import ProxyRules
import Testing

@Suite("DNS rules in snapshots")
struct DNSRuleSnapshotTests {
    private static let selection = RuleBook.Selection(policy: 1, rules: [0])

    private static func snapshot() throws -> RuleSnapshot {
        let rule = PolicyRule(
            action: .allow, peers: .everyone, traffic: .everything,
            l7: .dns([
                Located(.pattern("*.stripe.com"), path: "spec.egress[0].toPorts[0].rules.dns[0]"),
                Located(.name("a.example")),
            ]),
            origin: RuleOrigin(kind: "CiliumNetworkPolicy", namespace: "shop", name: "billing", path: "spec.egress[0]"))
        let written = try #require(RuleSnapshot.Rule(number: 0, rule))
        return RuleSnapshot(revision: 1, policies: [.init(id: 1, direction: .egress, rules: [written])])
    }

    @Test("are the same after they were written and read, with their places")
    func roundTrip() throws {
        let snapshot = try Self.snapshot()
        let again = try RuleSnapshot(json: snapshot.json())
        #expect(again == snapshot)
        let book = try RuleBook(again)
        #expect(book.isDNS(egress: Self.selection, ingress: nil))
        let answer = book.rules(egress: Self.selection, ingress: nil).decide(query: "api.stripe.com")
        #expect(answer.isPermitted)
        #expect(answer.rule?.origin.path == "spec.egress[0].toPorts[0].rules.dns[0]")
        #expect(!book.rules(egress: Self.selection, ingress: nil).decide(query: "b.example").isPermitted)
    }

    @Test("a rule of a file without DNS rules allows no query")
    func earlier() throws {
        var snapshot = try Self.snapshot()
        snapshot.policies[0].rules[0].dns = []
        let text = String(decoding: try snapshot.json(), as: UTF8.self)
        // The empty list and the comma behind it.
        let cut = text.replacing(/"dns" : \[\s*\],/, with: "")
        #expect(text.contains("dns") && !cut.contains("dns"))
        let book = try RuleBook(try RuleSnapshot(json: Data(cut.utf8)))
        #expect(!book.isDNS(egress: Self.selection, ingress: nil))
        #expect(!book.rules(egress: Self.selection, ingress: nil).decide(query: "api.stripe.com").isPermitted)
    }

    @Test("an element with both a name and a pattern, or neither, is refused")
    func ambiguous() throws {
        var snapshot = try Self.snapshot()
        snapshot.policies[0].rules[0].dns[0].matchName = "a.example"
        #expect(throws: SnapshotProblem.self) { _ = try RuleBook(snapshot) }
        snapshot.policies[0].rules[0].dns[0].matchName = nil
        snapshot.policies[0].rules[0].dns[0].matchPattern = nil
        #expect(throws: SnapshotProblem.self) { _ = try RuleBook(snapshot) }
    }

    @Test("beside HTTP rules the connection is HTTP, and no query passes an end without DNS rules")
    func mixed() throws {
        var snapshot = try Self.snapshot()
        let http = PolicyRule(
            action: .allow, peers: .everyone, traffic: .everything, l7: .http([Located(HTTPRule())]),
            origin: RuleOrigin(kind: "CiliumNetworkPolicy", namespace: "shop", name: "api", path: "spec.ingress[0]"))
        snapshot.policies.append(
            .init(id: 2, direction: .ingress, rules: [try #require(RuleSnapshot.Rule(number: 0, http))]))
        let book = try RuleBook(snapshot)
        let other = RuleBook.Selection(policy: 2, rules: [0])
        #expect(!book.isDNS(egress: Self.selection, ingress: other))
        #expect(!book.isDNS(egress: nil, ingress: other))
        #expect(!book.rules(egress: Self.selection, ingress: other).decide(query: "api.stripe.com").isPermitted)
    }
}
