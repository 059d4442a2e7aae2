import Foundation
import PolicyAPI
import PolicyIR
import Testing

@testable import ProxyRules

@Suite("Snapshots of rules")
struct RuleSnapshotTests {
    private static let rule = PolicyRule(
        action: .allow, peers: .everyone, traffic: .everything,
        l7: .http([
            Located(
                HTTPRule(
                    method: "GET", path: "/a.*", headers: ["X: y"],
                    headerMatches: [HeaderMatch(name: "A", value: "b", mismatch: "LOG")]),
                path: "spec.ingress[0].toPorts[0].rules.http[0]",
                location: SourceLocation(file: "api.yaml", line: 12, column: 5))
        ]),
        origin: RuleOrigin(kind: "CiliumNetworkPolicy", namespace: "shop", name: "api", path: "spec.ingress[0]"))

    private static func snapshot() throws -> RuleSnapshot {
        let plain = PolicyRule(
            action: .allow, peers: .everyone, traffic: .everything,
            origin: RuleOrigin(kind: "CiliumNetworkPolicy", namespace: "shop", name: "api", path: "spec.ingress[1]"))
        let policy = SubjectPolicy(
            [DirectionRules(isolates: true, rules: [rule, plain])], isolatedBy: [rule.origin])
        return RuleSnapshot(
            revision: 7, policies: [try #require(RuleSnapshot.Policy(id: 3, policy, direction: .ingress))])
    }

    @Test("is the same after it was written and read, and its rules keep their numbers and places")
    func roundTrip() throws {
        let snapshot = try RuleSnapshotTests.snapshot()
        let again = try RuleSnapshot(json: snapshot.json())
        #expect(again == snapshot)
        let book = try RuleBook(again)
        let request = try RequestBytes("GET /a1 HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n")
        guard case .permitted(let by, let actions) = request.decide(book.side(.init(policy: 3, rules: [0, 1]))) else {
            Issue.record("it is denied")
            return
        }
        #expect(by.origin.description.hasSuffix("spec.ingress[0].toPorts[0].rules.http[0] (api.yaml:12:5)"))
        #expect(actions == [HeaderAction(.log, name: "A", value: "b")])
    }

    @Test("pods are written and read; a file of an earlier agent has none")
    func pods() throws {
        var snapshot = try RuleSnapshotTests.snapshot()
        snapshot.pods = [
            .init(namespace: "shop", name: "web", addresses: ["10.0.0.1", "fd00::1"]),
            .init(namespace: "shop", name: "db", addresses: []),
        ]
        #expect(try RuleSnapshot(json: snapshot.json()) == snapshot)
        var object = try #require(JSONSerialization.jsonObject(with: snapshot.json()) as? [String: Any])
        object["pods"] = nil
        let earlier = try RuleSnapshot(json: JSONSerialization.data(withJSONObject: object))
        #expect(earlier.pods.isEmpty && earlier.policies == snapshot.policies)
    }

    @Test("the columns of names that hold for a name, of the policy that has them")
    func columns() throws {
        var snapshot = try RuleSnapshotTests.snapshot()
        snapshot.policies[0].names = .init(
            numbering: 9,
            columns: [
                .init(number: 0, names: ["api.example.com"], patterns: []),
                .init(number: 31, names: [], patterns: ["*.example.com", "a.b"]),
                .init(number: 32, names: ["api.example.com"], patterns: []),
            ])
        let book = try RuleBook(RuleSnapshot(json: snapshot.json()))
        #expect(book.columns(of: 3, for: "API.example.com") == LearntColumns(numbering: 9, columns: 1 << 31 | 1))
        #expect(book.columns(of: 3, for: "a.b")?.columns == 1 << 31)
        #expect(book.columns(of: 3, for: "example.com")?.columns == 0)
        #expect(book.columns(of: 4, for: "a.b") == nil)
    }

    @Test("rules and policies that the snapshot does not have allow nothing")
    func unknown() throws {
        let book = try RuleBook(RuleSnapshotTests.snapshot())
        let request = try RequestBytes("GET /a1 HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n")
        #expect(!request.decide(book.side(.init(policy: 3, rules: [9]))).isPermitted)
        #expect(!request.decide(book.side(.init(policy: 4, rules: [0]))).isPermitted)
    }

    @Test("another version, another form, cut bytes, doubled numbers and bad patterns are refused")
    func refused() throws {
        var snapshot = try RuleSnapshotTests.snapshot()
        let json = try snapshot.json()
        for count in Swift.stride(from: 0, to: json.count, by: 7) {
            #expect(throws: SnapshotProblem.self) { _ = try RuleSnapshot(json: json.prefix(count)) }
        }
        snapshot.version = 2
        #expect(throws: SnapshotProblem.version(2)) { _ = try RuleSnapshot(json: snapshot.json()) }
        snapshot.version = 1
        snapshot.format = "x"
        #expect(throws: SnapshotProblem.self) { _ = try RuleSnapshot(json: snapshot.json()) }
        snapshot.policies.append(snapshot.policies[0])
        #expect(throws: SnapshotProblem.twice("policy 3")) { _ = try RuleBook(snapshot) }
        snapshot.policies.removeLast()
        snapshot.policies[0].rules[0].http[0].path = "("
        #expect(throws: SnapshotProblem.self) { _ = try RuleBook(snapshot) }
    }

    @Test("policies without HTTP rules are left out")
    func leftOut() {
        let policy = SubjectPolicy([], isolatedBy: [RuleSnapshotTests.rule.origin])
        #expect(RuleSnapshot.Policy(id: 1, policy, direction: .egress) == nil)
    }
}
