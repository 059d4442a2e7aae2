import BPFEmit
import NetTypes
import PolicyAPI
import Testing

@testable import Agent

/// Pods that run on when their namespace goes.
@Suite("namespaces that go before their pods")
struct NamespaceKeeperTests {
    private static let source = ObjectSourceID("cluster")
    private static let pod = Fixtures.pod("web", "10.0.0.1", uid: "u-1", node: "node-1")
    private static let policy = Fixtures.policy("web", app: "web", directions: [.ingress, .egress])
    private static let here = Fixtures.host([(7, "10.0.0.1")])
    private static let settings = Fixtures.settings()

    private static func namespace(_ labels: [String: String] = ["team": "web"], isTerminating: Bool = false)
        -> ClusterObject
    {
        var namespace = Namespace(metadata: ObjectMeta(name: "shop", labels: labels))
        namespace.isTerminating = isTerminating
        return .namespace(namespace)
    }

    private static func events(_ events: [ObjectEvent]) -> AgentEvent {
        .objects(ObjectBatch(source: source, events: events))
    }

    private static func upsert(_ object: ClusterObject) -> ObjectEvent {
        .upsert(object, origin: .server(ObjectVersion(resourceVersion: "1")))
    }

    /// An agent that enforces on a pod of `shop`.
    private static func begun(_ objects: [ClusterObject] = [namespace(), .pod(pod), policy]) -> ReducerRun {
        var run = ReducerRun(settings, sources: [source])
        run.on(events(objects.map(upsert) + ObjectKind.allCases.map(ObjectEvent.synced)))
        run.on(.node(here))
        run.finish()
        return run
    }

    private func labels(_ run: ReducerRun) -> [String: String]? {
        guard case .namespace(let namespace)? = run.table.objects[Self.namespace().key] else { return nil }
        return namespace.metadata.labels
    }

    private func kept(_ run: ReducerRun) -> [Condition] { run.state.conditions.filter { $0.kind == .namespaceKept } }

    private static let labels = ["team": "web", "kubernetes.io/metadata.name": "shop"]

    @Test("a pod whose object and namespace are gone keeps its namespace's labels until its interface is gone")
    func labelsStay() {
        var run = Self.begun()
        #expect(labels(run) == Self.labels && kept(run).isEmpty)
        run.on(Self.events([.delete(ClusterObject.pod(Self.pod).key)]))
        run.finish()
        run.on(Self.events([.delete(Self.namespace().key)]))
        run.finish()
        #expect(run.state.binding.view.endpoints.map(\.isCurrent) == [false])
        #expect(labels(run) == Self.labels)
        #expect(kept(run).map(\.subject) == ["shop"] && run.state.isInForce)

        run.on(.node(Fixtures.host([])))
        run.finish()
        #expect(labels(run) == nil && kept(run).isEmpty)
    }

    @Test("also where the Pod object is still there; a namespace without pods here goes at once")
    func ofPodsThatAreThere() {
        var run = Self.begun()
        run.on(Self.events([.delete(Self.namespace().key)]))
        run.finish()
        #expect(labels(run) == Self.labels)

        run = Self.begun([Self.namespace(), Self.policy])
        run.on(Self.events([.delete(Self.namespace().key)]))
        run.finish()
        #expect(labels(run) == nil && kept(run).isEmpty)
    }

    @Test("policies that go with a namespace stay for its pods; of one that is there they go")
    func policiesStay() {
        let deletion = ObjectEvent.delete(Self.policy.key)
        let pod = ObjectEvent.delete(ClusterObject.pod(Self.pod).key)
        let namespace = ObjectEvent.delete(Self.namespace().key)
        let terminating = Self.upsert(Self.namespace(isTerminating: true))
        let orders: [(steps: [[ObjectEvent]], stays: Bool)] = [
            ([[deletion]], false), ([[pod], [deletion]], false),
            ([[terminating], [deletion], [pod], [namespace]], true),
            ([[terminating, deletion], [pod, namespace]], true),
            ([[terminating], [pod], [deletion], [namespace]], true),
            ([[pod, deletion, namespace]], true), ([[pod], [namespace], [deletion]], true),
            // Word of the pod's end is late.
            ([[terminating], [deletion], [namespace]], true), ([[terminating], [deletion], [namespace], [pod]], true),
            // With live pods and without a word of termination, the policy is one that somebody deletes.
            ([[namespace], [deletion]], false),
        ]
        for (steps, stays) in orders {
            var run = Self.begun()
            for step in steps {
                run.on(Self.events(step))
                run.finish()
            }
            #expect((run.table.objects[Self.policy.key] != nil) == stays, "\(steps)")
            run.on(.node(Fixtures.host([])))
            run.finish()
            run.on(Self.events([pod]))
            run.finish()
            #expect(run.table.objects[Self.policy.key] == nil, "\(steps)")
        }
    }

    /// An agent that follows an API server and enforces on a pod of `shop`, whose cgroup says which it is.
    private static func begunAtServer() -> ReducerRun {
        let settings = AgentState.Settings(binding: .init(node: "node-1", source: .apiServer), debounce: 50)
        var run = ReducerRun(settings, sources: [source])
        run.on(
            events([namespace(), .pod(pod), policy].map(upsert) + ObjectKind.allCases.map(ObjectEvent.synced)))
        var host = here
        for index in host.namespaces.indices { host.namespaces[index].podUIDs = ["u-1"] }
        run.on(.node(host))
        run.finish()
        return run
    }

    /// Takes events and applies; gives the answers that the API server would.
    private func step(_ run: inout ReducerRun, _ events: [ObjectEvent], isEnding: Bool) -> [NamespaceQuestion] {
        var actions = run.on(Self.events(events))
        var questions: [NamespaceQuestion] = []
        repeat {
            if let last = run.handedOut.last { actions += run.on(.applied(generation: last.generation, ApplyReport())) }
            actions += run.on(.reconcileDue)
            var next: [AgentAction] = []
            for case .look(let question) in actions {
                #expect(!run.state.isInForce && run.table.objects[Self.policy.key] != nil)
                questions.append(question)
                next += run.on(.namespaceSeen(question, isEnding: isEnding))
            }
            actions = next
        } while !actions.isEmpty
        run.finish()
        return questions
    }

    @Test(
        "a policy's end that comes before its namespace's is believed once the API server says that the namespace is there",
        arguments: [false, true], [false, true])
    func policyFirst(isEnding: Bool, podIsGone: Bool) {
        var run = Self.begunAtServer()
        #expect(run.state.binding.view.endpoints.map(\.isCurrent) == [true])
        if podIsGone { #expect(step(&run, [.delete(ClusterObject.pod(Self.pod).key)], isEnding: isEnding).isEmpty) }
        let asked = step(&run, [.delete(Self.policy.key)], isEnding: isEnding)
        #expect(asked.map(\.name) == ["shop"])
        #expect(run.state.isInForce)
        #expect((run.table.objects[Self.policy.key] != nil) == isEnding)
        #expect(kept(run).map(\.subject) == (isEnding ? ["shop"] : []))
        guard isEnding else { return }
        // An older state of the namespace comes first: asked again.
        #expect(step(&run, [Self.upsert(Self.namespace(["team": "x"]))], isEnding: true).count == 1)
        #expect(step(&run, [Self.upsert(Self.namespace(isTerminating: true))], isEnding: true).isEmpty)
        _ = step(
            &run, [.delete(ClusterObject.pod(Self.pod).key), .delete(Self.namespace().key)], isEnding: true)
        #expect(run.table.objects[Self.policy.key] != nil)
        run.on(.node(Fixtures.host([])))
        run.finish()
        #expect(run.table.objects[Self.policy.key] == nil && kept(run).isEmpty)
    }

    /// How a pod that no interface is bound to yet is known.
    enum Sign: CaseIterable {
        /// The runtime's note names it, and there is no Pod object.
        case note
        /// Its processes' cgroup says its UID, and there is no Pod object.
        case cgroup
        /// Its Pod object is there, and its interface is not.
        case object
    }

    /// A host with the interface of `pod`, as far as a sign of it goes.
    private static func host(_ sign: Sign) -> HostEvidence {
        var host = here
        host.namespaces[0].podUIDs = sign == .note ? [] : ["u-1"]
        guard sign == .note else { return host }
        host.attachments = [
            CNIAttachment(
                source: .netpold, file: "/run/netpold/test.cni/a", interface: "eth0",
                pod: PodReference(namespace: "shop", name: "web", uid: "u-1"), netns: "/run/netns/n7", namespace: 107,
                hostInterfaces: [.init(name: "np7", mac: "")], addresses: [Fixtures.address("10.0.0.1")])
        ]
        return host
    }

    /// An agent that follows an API server, in the state before `pod` is bound.
    private static func begun(_ sign: Sign, records: BindingRecords? = nil, _ objects: [ClusterObject]) -> ReducerRun {
        let settings = AgentState.Settings(binding: .init(node: "node-1", source: .apiServer), debounce: 50)
        var run = ReducerRun(settings, sources: [source], records: records)
        let all = objects + (sign == .object ? [.pod(pod)] : [])
        run.on(events(all.map(upsert) + ObjectKind.allCases.map(ObjectEvent.synced)))
        run.on(.node(sign == .object ? HostEvidence(host: here.host) : host(sign)))
        run.finish()
        return run
    }

    /// What was missing comes.
    private static func complete(_ run: inout ReducerRun, _ sign: Sign) {
        if sign == .object { run.on(.node(host(sign))) } else { run.on(events([upsert(.pod(pod))])) }
        run.finish()
    }

    @Test(
        "policies and labels stay too for a pod whose object or whose interface comes after they were deleted",
        arguments: Sign.allCases)
    func notBoundYet(sign: Sign) {
        let terminating = Self.upsert(Self.namespace(isTerminating: true))
        let orders: [[[ObjectEvent]]] = [
            [[terminating], [.delete(Self.policy.key)]], [[terminating, .delete(Self.policy.key)]],
            [[.delete(Self.policy.key)]],
            [[terminating], [.delete(Self.policy.key)], [.delete(Self.namespace().key)]],
            [[.delete(Self.namespace().key)], [.delete(Self.policy.key)]],
        ]
        for steps in orders {
            var run = Self.begun(sign, [Self.namespace(), Self.policy])
            #expect(run.state.binding.view.endpoints.isEmpty)
            for events in steps { _ = step(&run, events, isEnding: true) }
            Self.complete(&run, sign)
            #expect(run.state.binding.view.endpoints.map(\.isCurrent) == [true])
            #expect(run.table.objects[Self.policy.key] != nil && labels(run) == Self.labels, "\(steps)")
            // Over with the pod.
            _ = step(&run, [.delete(ClusterObject.pod(Self.pod).key)], isEnding: true)
            #expect(run.table.objects[Self.policy.key] != nil, "\(steps)")
            run.on(.node(Fixtures.host([])))
            run.finish()
            #expect(run.table.objects[Self.policy.key] == nil && kept(run).isEmpty, "\(steps)")
        }
    }

    @Test(
        "of a namespace that is there, a policy that is deleted goes also where a pod is not bound yet",
        arguments: Sign.allCases)
    func notBoundYetAndThere(sign: Sign) {
        var run = Self.begun(sign, [Self.namespace(), Self.policy])
        #expect(step(&run, [.delete(Self.policy.key)], isEnding: false).count == 1)
        #expect(run.table.objects[Self.policy.key] == nil && kept(run).isEmpty && run.state.isInForce)
    }

    @Test(
        "the next agent too isolates a pod that was not bound yet when its namespace began to end",
        arguments: Sign.allCases)
    func restartNotBoundYet(sign: Sign) throws {
        let run = Self.begun(sign, [Self.namespace(), Self.policy])
        let records = try #require(run.recorded.last)
        #expect(records.namespaces?["shop"]?.policies == ["NetworkPolicy web"])
        var next = Self.begun(sign, records: records, [Self.namespace(isTerminating: true)])
        Self.complete(&next, sign)
        #expect(next.state.binding.view.endpoints.map(\.isCurrent) == [true])
        #expect(next.table.objects.keys.contains { $0.name == NamespaceKeeper.standIn }, "\(next.table.objects.keys)")
    }

    @Test("a policy that comes again while its namespace is asked about is in force, and the answer takes nothing")
    func policyAgain() {
        var run = Self.begunAtServer()
        #expect(run.state.binding.view.endpoints.map(\.isCurrent) == [true])
        var actions = run.on(Self.events([.delete(Self.policy.key)]))
        actions += run.on(.reconcileDue)
        let questions = actions.compactMap { if case .look(let question) = $0 { question } else { nil } }
        #expect(questions.count == 1)
        run.finish()
        run.on(Self.events([Self.upsert(Self.policy)]))
        run.finish()
        for question in questions { run.on(.namespaceSeen(question, isEnding: false)) }
        run.finish()
        #expect(run.table.objects[Self.policy.key] != nil && run.state.isInForce)
    }

    /// What `netpold wait --gone` is told.
    private func look(_ wait: inout PolicyWait, _ run: ReducerRun) -> PolicyWait.Answer {
        let facts = Health.Facts(
            generation: run.state.generation, appliedGeneration: run.state.appliedGeneration,
            conditions: run.state.conditions)
        return wait.look(
            at: PolicyWait.View(
                policies: run.state.policies, kept: run.state.policiesKept, facts: facts, isRead: true,
                notAsWritten: { _ in nil }, failure: { _ in nil }))
    }

    @Test("a policy that was deleted and stays in force is not said to be gone", arguments: [false, true])
    func notGoneYet(isEnding: Bool) {
        var run = Self.begunAtServer()
        var wait = PolicyWait(
            PolicyWaitRequest(policy: PolicyName(namespace: "shop", name: "web"), isGone: true, timeoutMilliseconds: 0))
        for key in wait.keys { wait.latest[key] = .absent }
        var over: [Bool] = []
        /// Looks: it is over as soon as the policy is out of force, and not before.
        func check(_ run: ReducerRun) {
            if case .over(let report) = look(&wait, run) {
                over.append(true)
                #expect(report.outcome == .gone && run.table.objects[Self.policy.key] == nil)
            } else {
                over.append(false)
            }
        }
        var actions = run.on(Self.events([.delete(Self.policy.key)]))
        check(run)
        actions += run.on(.reconcileDue)
        check(run)
        if let last = run.handedOut.last { run.on(.applied(generation: last.generation, ApplyReport())) }
        #expect(run.table.objects[Self.policy.key] != nil && run.state.appliedGeneration == run.state.generation)
        check(run)
        #expect(run.state.policies.isEmpty && run.state.policiesInForce == 1)
        #expect(run.state.policiesKept[Self.policy.key]?.contains("is asked") == true)
        let questions = actions.compactMap { if case .look(let question) = $0 { question } else { nil } }
        #expect(questions.count == 1)
        for question in questions { run.on(.namespaceSeen(question, isEnding: isEnding)) }
        check(run)
        run.on(.reconcileDue)
        check(run)
        run.finish()
        check(run)
        #expect(over == [false, false, false, false, false, !isEnding])
        #expect(run.state.policiesInForce == (isEnding ? 1 : 0))
        guard isEnding else { return }
        #expect(run.state.policiesKept[Self.policy.key]?.contains("being deleted") == true)
        let rows = wait.reports(
            .init(
                policies: [:], kept: run.state.policiesKept, facts: .init(), isRead: true, notAsWritten: { _ in nil },
                failure: { _ in nil }))
        #expect(rows.map(\.state) == [.kept] && rows.map(\.text) == ["NetworkPolicy shop/web"])
        run.on(Self.events([.delete(ClusterObject.pod(Self.pod).key), .delete(Self.namespace().key)]))
        run.finish()
        check(run)
        run.on(.node(Fixtures.host([])))
        check(run)
        run.finish()
        check(run)
        #expect(over.suffix(3) == [false, false, true])
    }

    @Test("a namespace that is there again counts as it is")
    func again() {
        var run = Self.begun()
        run.on(
            Self.events([
                .delete(ClusterObject.pod(Self.pod).key), .delete(Self.policy.key), .delete(Self.namespace().key),
            ]))
        run.finish()
        #expect(run.table.objects[Self.policy.key] != nil)
        run.on(Self.events([Self.upsert(Self.namespace(["team": "other"]))]))
        run.finish()
        #expect(labels(run)?["team"] == "other" && run.table.objects[Self.policy.key] == nil && kept(run).isEmpty)
    }

    @Test("the next agent knows the labels, and isolates the pods whose policies it cannot know")
    func restart() throws {
        var run = Self.begun()
        let deletions: [ObjectEvent] = [
            .delete(ClusterObject.pod(Self.pod).key), .delete(Self.policy.key), .delete(Self.namespace().key),
        ]
        for deletion in deletions {
            run.on(Self.events([deletion]))
            run.finish()
        }
        let records = try #require(run.recorded.last)
        var next = ReducerRun(Self.settings, sources: [Self.source], records: records)
        next.on(Self.events(ObjectKind.allCases.map(ObjectEvent.synced)))
        next.on(.node(Self.here))
        next.finish()
        #expect(next.state.binding.view.endpoints.map(\.isCurrent) == [false])
        #expect(labels(next) == Self.labels && kept(next).map(\.subject) == ["shop"])
        let policies = next.table.objects.values.compactMap { object -> NetworkPolicy? in
            if case .networkPolicy(let policy) = object { policy } else { nil }
        }
        #expect(policies.map(\.policyTypes) == [[.ingress, .egress]])
        #expect(policies.allSatisfy { $0.metadata.namespace == "shop" && $0.podSelector == LabelSelector() })
        // And the one after it.
        #expect(
            try #require(next.recorded.last).namespaces
                == records.namespaces?.mapValues { _ in
                    .init(labels: Self.labels, keepsPolicies: true, policies: ["NetworkPolicy (namespace gone)"])
                })
        next.on(.node(Fixtures.host([])))
        next.finish()
        #expect(labels(next) == nil && next.table.objects.isEmpty)
    }

    @Test(
        "a namespace that began to end, and a policy that went with it, while no agent ran: the next one isolates its pods",
        arguments: [false, true])
    func restartMeanwhile(policyIsLeft: Bool) throws {
        var run = Self.begun()
        // A policy that comes later is written down too, and one that goes is not missed.
        let other = Fixtures.policy("other", app: "web", directions: [.ingress])
        run.on(Self.events([Self.upsert(other)]))
        run.finish()
        #expect(run.recorded.last?.namespaces?["shop"]?.policies == ["NetworkPolicy other", "NetworkPolicy web"])
        run.on(Self.events([.delete(other.key)]))
        run.finish()
        let records = try #require(run.recorded.last)
        #expect(records.namespaces?["shop"]?.policies == ["NetworkPolicy web"])
        // Nothing has gone by the time of the record: the Pod object is there, and the namespace was.
        let now = [Self.namespace(isTerminating: true), .pod(Self.pod)] + (policyIsLeft ? [Self.policy] : [])
        for isHostFirst in [false, true] {
            var next = ReducerRun(Self.settings, sources: [Self.source], records: records)
            if isHostFirst { next.on(.node(Self.here)) }
            next.on(Self.events(now.map(Self.upsert) + ObjectKind.allCases.map(ObjectEvent.synced)))
            if !isHostFirst { next.on(.node(Self.here)) }
            // Killed before it has applied anything, it leaves what it was told.
            for written in next.recorded {
                #expect(written.namespaces?["shop"]?.policies?.isEmpty == false)
            }
            next.finish()
            #expect(next.state.binding.view.endpoints.map(\.isCurrent) == [true])
            let isolating = next.table.objects.keys.filter { $0.name == NamespaceKeeper.standIn }
            #expect(isolating.count == (policyIsLeft ? 0 : 1), "\(next.table.objects.keys)")
            #expect(kept(next).map(\.subject) == (policyIsLeft ? [] : ["shop"]))
        }
    }

    @Test("a namespace that is still there when the next agent starts is as its object says")
    func restartWithNamespace() throws {
        let run = Self.begun()
        let records = try #require(run.recorded.last)
        #expect(
            records.namespaces
                == ["shop": .init(labels: Self.labels, keepsPolicies: false, policies: ["NetworkPolicy web"])])
        var next = ReducerRun(Self.settings, sources: [Self.source], records: records)
        let now = Self.namespace(["team": "other"])
        next.on(Self.events([Self.upsert(now)] + ObjectKind.allCases.map(ObjectEvent.synced)))
        next.on(.node(Self.here))
        next.finish()
        #expect(labels(next)?["team"] == "other" && next.table.objects.count == 2 && kept(next).isEmpty)
    }
}
