import PolicyAPI
import Testing

@testable import Agent

/// When a policy counts as in force: a table of what is known, and what follows.
@Suite struct PolicyWaitTests {
    private let key = ObjectKey(kind: "NetworkPolicy", namespace: "shop", name: "db")
    private let other = ObjectKey(kind: "CiliumNetworkPolicy", namespace: "shop", name: "db")

    private func version(_ generation: Int64, uid: String = "u", resource: String? = nil) -> ObjectVersion {
        ObjectVersion(uid: uid, generation: generation, resourceVersion: resource ?? "\(generation)")
    }

    private func standing(
        _ version: ObjectVersion, _ state: PolicyStanding.State = .asWritten, generation: UInt64 = 3,
        reason: String? = nil
    ) -> PolicyStanding {
        PolicyStanding(origin: .server(version), state: state, reason: reason, generation: generation)
    }

    /// What a look says.
    private func look(
        _ name: String = "shop/db", gone: Bool = false, latest: [ObjectKey: LatestObject],
        policies: [ObjectKey: PolicyStanding], applied: UInt64 = 3, generation: UInt64 = 3, isRead: Bool = true,
        conditions: [Condition] = [], notAsWritten: String? = nil, failure: String? = nil
    ) throws -> PolicyWait.Answer {
        var wait = PolicyWait(
            PolicyWaitRequest(
                policy: try #require(PolicyName(parsing: name)), isGone: gone, timeoutMilliseconds: 0))
        wait.latest = Dictionary(uniqueKeysWithValues: wait.keys.map { ($0, latest[$0] ?? .absent) })
        return wait.look(
            at: PolicyWait.View(
                policies: policies,
                facts: Health.Facts(
                    generation: generation, appliedGeneration: applied, conditions: conditions),
                isRead: isRead, notAsWritten: { _ in notAsWritten }, failure: { _ in failure }))
    }

    private func outcome(_ answer: PolicyWait.Answer) -> PolicyWaitReport.Outcome? {
        if case .over(let report) = answer { report.outcome } else { nil }
    }

    @Test("in force: the version that the API server has now was read, and the kernel holds what came with it")
    func inForce() throws {
        let read = [key: standing(version(2))]
        #expect(try outcome(look(latest: [key: .version(version(2))], policies: read)) == .inForce)
        // Of its status, or of an older specification.
        #expect(try outcome(look(latest: [key: .version(version(2, resource: "9"))], policies: read)) == .inForce)
        #expect(try outcome(look(latest: [key: .version(version(1))], policies: read)) == .inForce)
        #expect(try outcome(look(latest: [key: .asRead], policies: read)) == .inForce)
    }

    @Test("not yet: another version, another object of the name, an older state of the kernel, sources not read again")
    func notYet() throws {
        let read = [key: standing(version(2))]
        #expect(try outcome(look(latest: [key: .version(version(3))], policies: read)) == nil)
        #expect(try outcome(look(latest: [key: .version(version(1, uid: "v"))], policies: read)) == nil)
        #expect(try outcome(look(latest: [key: .version(version(2))], policies: [:])) == nil)
        #expect(try outcome(look(latest: [key: .version(version(2))], policies: read, applied: 2)) == nil)
        #expect(try outcome(look(latest: [key: .version(version(2))], policies: read, isRead: false)) == nil)
        #expect(try outcome(look(latest: [key: .unknown("away")], policies: read)) == nil)
        #expect(try outcome(look(latest: [:], policies: read)) == nil)
        #expect(try outcome(look(latest: [:], policies: [:])) == nil)
        #expect(try outcome(look(latest: [key: .asRead], policies: read, failure: "veth7: no such device")) == nil)
        // Without metadata.generation only the very version counts.
        let bare = ObjectVersion(uid: "u", resourceVersion: "7")
        let next = ObjectVersion(uid: "u", resourceVersion: "8")
        #expect(try outcome(look(latest: [key: .version(next)], policies: [key: standing(bare)])) == nil)
    }

    @Test("refused, not as written, or in a file that cannot be read: over at once, with the reason")
    func refused() throws {
        for state in [PolicyStanding.State.lastGood, .isolated, .ignored] {
            let read = [key: standing(version(2), state, reason: "spec.prots: unknown field")]
            let answer = try look(latest: [key: .version(version(2))], policies: read)
            guard case .over(let report) = answer else { throw TestFailure("\(answer)") }
            #expect(report.outcome == .refused && report.reason.contains("spec.prots"))
            // The refused version is not the current one any more.
            #expect(try outcome(look(latest: [key: .version(version(3))], policies: read)) == nil)
        }
        let read = [key: standing(version(2))]
        #expect(try outcome(look(latest: [key: .asRead], policies: read, notAsWritten: "too many")) == .refused)
        let place = PolicyStanding(
            origin: .manifest(SourceLocation(file: "a.yaml", line: 1, column: 1)), state: .asWritten, generation: 1)
        let broken = Condition(kind: .brokenFile, subject: "a.yaml", message: "no YAML")
        #expect(
            try outcome(look(latest: [key: .asRead], policies: [key: place], conditions: [broken])) == .refused)
        let elsewhere = Condition(kind: .brokenFile, subject: "b.yaml", message: "no YAML")
        #expect(
            try outcome(look(latest: [key: .asRead], policies: [key: place], conditions: [elsewhere])) == .inForce)
        let absent = try look(latest: [key: .asRead], policies: [:], conditions: [elsewhere])
        #expect(absent == .waiting("there is no policy shop/db; b.yaml: no YAML"))
    }

    @Test("a name that two kinds have is ambiguous; with the kind it is not")
    func ambiguous() throws {
        let read = [key: standing(version(2)), other: standing(version(5, uid: "w"))]
        let latest: [ObjectKey: LatestObject] = [key: .version(version(2)), other: .version(version(5, uid: "w"))]
        let answer = try look(latest: latest, policies: read)
        guard case .over(let report) = answer else { throw TestFailure("\(answer)") }
        #expect(report.outcome == .ambiguous)
        #expect(report.reason.contains("CiliumNetworkPolicy/shop/db or NetworkPolicy/shop/db"))
        #expect(try outcome(look("NetworkPolicy/shop/db", latest: latest, policies: read)) == .inForce)
    }

    @Test("gone: no source has it, and the kernel holds that")
    func gone() throws {
        let read = [key: standing(version(2))]
        #expect(try outcome(look(gone: true, latest: [key: .version(version(2))], policies: read)) == nil)
        #expect(try outcome(look(gone: true, latest: [key: .version(version(2))], policies: [:])) == nil)
        #expect(try outcome(look(gone: true, latest: [:], policies: read)) == nil)
        #expect(try outcome(look(gone: true, latest: [:], policies: [:], applied: 2)) == nil)
        #expect(try outcome(look(gone: true, latest: [:], policies: [:])) == .gone)
    }

    @Test("names: the kind is told by its upper-case letters")
    func names() {
        #expect(PolicyName(parsing: "shop/db") == PolicyName(namespace: "shop", name: "db"))
        #expect(PolicyName(parsing: "base") == PolicyName(namespace: "", name: "base"))
        #expect(
            PolicyName(parsing: "AdminNetworkPolicy/base")
                == PolicyName(kind: "AdminNetworkPolicy", namespace: "", name: "base"))
        #expect(
            PolicyName(parsing: "NetworkPolicy/shop/db")
                == PolicyName(kind: "NetworkPolicy", namespace: "shop", name: "db"))
        for wrong in ["", "/", "a/", "/a", "a/b/c", "Pod/a/b", "NetworkPolicy/db", "AdminNetworkPolicy/a/b", "a/b/c/d"]
        {
            #expect(PolicyName(parsing: wrong) == nil, "\(wrong)")
        }
    }
}
