import BPFEmit
import Testing

@testable import Agent

@Suite("health: one truthful answer") struct HealthTests {
    private static let web = EndpointKey(namespace: "shop", name: "web")

    /// Everything in force on one pod.
    private static var well: Health.Facts {
        var view = BindingView()
        let link = HostLink(ifindex: 7, name: "np7", mac: "", kind: "veth", peerIndex: 2, namespace: 107)
        view.endpoints = [
            .init(
                pod: Fixtures.pod("web", "10.0.0.1"), links: [link], netns: "n7", rank: .insideAddress, isCurrent: true)
        ]
        return Health.Facts(generation: 3, appliedGeneration: 3, view: view, report: Fixtures.report("web"))
    }

    private static func with(_ kind: Condition.Kind) -> Health.Facts {
        var facts = well
        facts.conditions = [Condition(kind: kind, subject: "it", message: "is so")]
        return facts
    }

    @Test("everything enforced and nothing wrong is healthy and ready")
    func healthy() {
        let health = Health(Self.well)
        #expect(health.isHealthy && health.isReady)
        #expect(health.problems == [] && health.faults == [])
    }

    @Test("before the first apply nothing is in force, whatever else is known")
    func notBegun() {
        let health = Health(Health.Facts())
        #expect(!health.isHealthy && !health.isReady)
        #expect(health.problems.map(\.subject) == ["agent"])
    }

    @Test("what was read and does not come into force is a problem; of enforcement only when it lasts")
    func pending() {
        var facts = Self.well
        facts.generation = 4
        facts.pendingFor = Health.settling
        #expect(Health(facts).isHealthy)
        facts.pendingFor = Health.settling + .milliseconds(1)
        #expect(!Health(facts).isHealthy)
        #expect(Health(facts).isReady)
        facts.pendingFor = Health.patience + .seconds(1)
        #expect(!Health(facts).isReady)
    }

    @Test("a bound pod that is not programmed yet, or could not be, is a problem that names it")
    func unprogrammed() {
        var facts = Self.well
        facts.report = ApplyReport()
        #expect(Health(facts).problems.map(\.subject) == ["shop/web"])
        #expect(Health(facts).isReady, "a pod that is only starting does not make the node unready")
        facts.report = Fixtures.report("web")
        facts.report?.endpoints[0].failure = "attach to np7: ENODEV"
        #expect(Health(facts).problems == [.init(subject: "shop/web", message: "attach to np7: ENODEV")])
        #expect(!Health(facts).isReady)
    }

    @Test("a running local pod without an interface is a problem, and one that is not running is none")
    func waiting() {
        var facts = Self.well
        facts.view.waiting = [Fixtures.pod("db", "10.0.0.2"), Fixtures.pod("new", nil, phase: "Pending")]
        #expect(Health(facts).problems.map(\.subject) == ["shop/db"])
        #expect(Health(facts).isReady)
    }

    @Test("every severe condition is a problem", arguments: Condition.Kind.allCases)
    func severe(kind: Condition.Kind) {
        let facts = Self.with(kind)
        let isListed = Health(facts).problems == [.init(subject: "it", message: "is so")]
        #expect(isListed == (facts.conditions[0].isSevere || Health.unmet.contains(kind)))
    }

    @Test(
        "what one author of a policy, or one pod, can cause does not make the node unready",
        arguments: [
            .keptLastGood, .isolatedByRefused, .refusedIgnored, .brokenFile, .duplicateObject, .addressConflict,
            .unenforcedNamespace, .podObjectGone, .bindingContradicted, .podUnenforced, .interfaceUnenforced,
            .compiledClosed, .policyWarning, .evidenceUnreadable,
        ] as [Condition.Kind])
    func tenants(kind: Condition.Kind) {
        #expect(Health(Self.with(kind)).isReady)
        #expect(Health(Self.with(kind)).standstill == nil)
    }

    @Test(
        "what is wrong with enforcement makes the node unready",
        arguments: [.applyFailed, .endpointFailed, .hookBypassed, .nodeNameUnknown] as [Condition.Kind])
    func machinery(kind: Condition.Kind) {
        #expect(!Health(Self.with(kind)).isReady)
        #expect(!Health(Self.with(kind)).isHealthy)
    }

    @Test("whatever makes the node unready is among the problems", arguments: Condition.Kind.allCases)
    func faultsAreProblems(kind: Condition.Kind) {
        let health = Health(Self.with(kind))
        #expect(Set(health.faults).isSubset(of: Set(health.problems)))
    }

    @Test("work on the kernel that does not end is a standstill, and all else is none")
    func standstill() {
        var facts = Self.with(.applyFailed)
        facts.workingFor = Health.endurance
        #expect(Health(facts).standstill == nil)
        facts.workingFor = Health.endurance + .seconds(1)
        #expect(Health(facts).standstill != nil)
        #expect(!Health(facts).isReady)
    }

    @Test("a source or a node whose reading does not end is a fault that names it")
    func stalledReading() {
        var facts = Self.well
        facts.readings = [("/etc/netpold", Health.patience)]
        #expect(Health(facts).isHealthy)
        facts.readings = [("/etc/netpold", Health.patience + .seconds(1))]
        #expect(Health(facts).problems.map(\.subject) == ["/etc/netpold"])
        #expect(!Health(facts).isReady)
    }
}
