import Agent
import KubeClient
import PolicyAPI
import Testing

@testable import KubeObjects

/// Answers that are sound JSON and cannot be meant as they stand: they take nothing out of force.
@Suite struct DoubtfulAnswersTests {
    /// A source of a server, and what it has told.
    private final class Run {
        let source: KubeSource
        private let task: Task<Void, Never>
        private(set) var keys: Set<ObjectKey> = []
        private(set) var dropped: Set<ObjectKey> = []
        private(set) var conditions: [Condition] = []

        init(_ server: ScriptedServer) {
            let settings = WatchSettings(
                streamsLists: false, firstDelay: .milliseconds(20), longestDelay: .milliseconds(200))
            let source = KubeSource(
                ObjectSourceID("https://scripted"), server, decoder: WireObjectDecoder(), settings: settings
            ) {}
            self.source = source
            task = Task { await source.run() }
        }

        func look() {
            let batch = source.changes()
            conditions = batch.conditions
            for event in batch.events {
                switch event {
                case .upsert(let object, _): keys.insert(object.key)
                case .delete(let key):
                    keys.remove(key)
                    dropped.insert(key)
                case .refused, .synced: break
                }
            }
        }

        func says(_ words: String) -> Bool {
            look()
            return conditions.contains { $0.message.contains(words) }
        }

        func has(_ key: ObjectKey) -> Bool {
            look()
            return keys.contains(key)
        }

        func stop() async {
            task.cancel()
            await task.value
        }
    }

    private static let deny = ObjectKey(kind: "NetworkPolicy", namespace: "shop", name: "deny")
    private static let form = ("NetworkPolicyList", "networking.k8s.io/v1")

    private static func policy(_ name: String, uid: String) -> String {
        #"{"metadata":{"name":"\#(name)","namespace":"shop","uid":"\#(uid)","resourceVersion":"8"},"#
            + #""spec":{"podSelector":{}}}"#
    }

    private static func event(_ type: String, _ object: String) -> String {
        #"{"type":"\#(type)","object":\#(object)}"# + "\n"
    }

    private static var good: String { ScriptedServer.list(form.0, form.1, [policy("deny", uid: "u-1")]) }

    @Test(
        "a list of another kind takes nothing out of force, and is a condition",
        arguments: [
            ("PodList", "v1"), ("ConfigMapList", "v1"), ("NetworkPolicyList", "v9/foo"),
            ("NetworkPolicyList", "extensions/v1beta1"),
        ])
    func listOfAnotherKind(kind: String, apiVersion: String) async throws {
        let server = ScriptedServer()
        server.answer("networkpolicies", lists: [Self.good])
        let run = Run(server)
        try await expectEventually("it is there") { run.has(Self.deny) }
        server.answer("networkpolicies", lists: [ScriptedServer.list(kind, apiVersion, [])])
        await run.source.prepareReload()
        try await expectEventually("it is said") {
            run.says("a NetworkPolicyList of networking.k8s.io/v1 was asked for")
        }
        #expect(run.has(Self.deny) && run.dropped.isEmpty)
        server.answer("networkpolicies", lists: [ScriptedServer.list(Self.form.0, Self.form.1, [])])
        try await expectEventually("a list of the right kind counts") { !run.has(Self.deny) }
        await run.stop()
    }

    @Test(
        "an event that does not say of which object it is leads to a list",
        arguments: [#""name":"""#, #""x":1"#, #""name":"x5\ud800""#, #""name":7"#], ["ADDED", "DELETED"])
    func eventWithoutAName(name: String, type: String) async throws {
        let server = ScriptedServer()
        let odd = #"{"metadata":{\#(name),"namespace":"shop","uid":"u-2"},"spec":{"podSelector":{}}}"#
        // Events of the same chunk before it count.
        let known = Self.event("ADDED", Self.policy("more", uid: "u-3"))
        server.answer("networkpolicies", lists: [Self.good], watches: [known + Self.event(type, odd)])
        let run = Run(server)
        try await expectEventually("it is listed again") { server.lists(of: "networkpolicies") >= 2 }
        try await expectEventually("followed") { run.has(Self.deny) && run.conditions.isEmpty }
        #expect(!run.dropped.contains(Self.deny))
        await run.stop()
    }

    @Test(
        "the end of another object of the same name leads to a list, which says what there is",
        arguments: [true, false])
    func endOfAnother(isGone: Bool) async throws {
        let server = ScriptedServer()
        let end = Self.event("DELETED", Self.policy("deny", uid: "u-2"))
        let later = isGone ? ScriptedServer.list(Self.form.0, Self.form.1, []) : Self.good
        server.answer("networkpolicies", lists: [Self.good, later], watches: [end])
        let run = Run(server)
        try await expectEventually("it is listed again") {
            run.look()
            return server.lists(of: "networkpolicies") >= 2
        }
        try await expectEventually("as it says") { run.has(Self.deny) != isGone && run.conditions.isEmpty }
        #expect(run.dropped.contains(Self.deny) == isGone)
        await run.stop()
    }

    @Test("the end of the object that is there counts at once")
    func end() async throws {
        let server = ScriptedServer()
        let end = Self.event("DELETED", Self.policy("deny", uid: "u-1"))
        server.answer("networkpolicies", lists: [Self.good], watches: [end])
        let run = Run(server)
        try await expectEventually("it is gone") { !run.has(Self.deny) && run.dropped.contains(Self.deny) }
        #expect(server.lists(of: "networkpolicies") == 1)
        await run.stop()
    }

    @Test("of a server that does not heed field selectors other objects are not taken for the one that was asked for")
    func selectorsAreNotHeeded() async throws {
        let server = ScriptedServer()
        let source = KubeSource(
            ObjectSourceID("https://scripted"), server, decoder: WireObjectDecoder(), settings: WatchSettings()
        ) {}
        func namespace(_ name: String, _ more: String = "") -> String {
            #"{"metadata":{"name":"\#(name)","uid":"of-\#(name)","resourceVersion":"3"\#(more)}}"#
        }
        let ending = namespace("a", #","deletionTimestamp":"2026-01-01T00:00:00Z""#)
        let key = ObjectKey(kind: "Namespace", namespace: "", name: "b")
        server.answer("namespaces", lists: [ScriptedServer.list("NamespaceList", "v1", [ending])])
        #expect(await source.isEnding(namespace: "b") == nil)
        guard case .unknown = await source.latest(key) else {
            Issue.record("taken for another")
            return
        }
        server.answer("namespaces", lists: [ScriptedServer.list("NamespaceList", "v1", [ending, namespace("b")])])
        #expect(await source.isEnding(namespace: "b") == false)
        #expect(await source.isEnding(namespace: "a") == true)
        guard case .version(let version) = await source.latest(key) else {
            Issue.record("not found")
            return
        }
        #expect(version.uid == "of-b")
        server.answer("namespaces", lists: [ScriptedServer.list("NamespaceList", "v1", [])])
        #expect(await source.isEnding(namespace: "b") == true)
        server.answer("namespaces", lists: [ScriptedServer.list("PodList", "v1", [])])
        #expect(await source.isEnding(namespace: "b") == nil)
    }
}
