import Agent
import Foundation
import KubeClient
import KubeObjects
import KubeTestServer
import PolicyAPI
import Testing

/// The source against a server that behaves, and misbehaves, as the recorded one.
struct KubeSourceTests {
    private static func namespace(_ name: String) -> String {
        "{apiVersion: v1, kind: Namespace, metadata: {name: \(name)}}"
    }

    private static func pod(_ name: String, ip: String, labels: String = "app: web") -> String {
        """
        {apiVersion: v1, kind: Pod, metadata: {name: \(name), namespace: shop, labels: {\(labels)}}, \
        spec: {nodeName: node-1, containers: []}, status: {phase: Running, podIP: \(ip), podIPs: [{ip: \(ip)}]}}
        """
    }

    private static func policy(_ name: String, selector: String = "{}") -> String {
        """
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: \(name), namespace: shop}, \
        spec: {podSelector: \(selector), policyTypes: [Ingress]}}
        """
    }

    private static func ciliumPolicy(_ name: String, rule: String = "ingress: [{}]") -> String {
        """
        {apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: \(name), namespace: shop}, \
        spec: {endpointSelector: {}, \(rule)}}
        """
    }

    private func server(_ settings: TestAPIServer.Settings = .init(), pods: Int = 5) async throws -> TestAPIServer {
        let server = try await TestAPIServer.start(settings)
        try server.apply(Self.namespace("shop"))
        try server.apply("{apiVersion: v1, kind: Node, metadata: {name: node-1}}")
        for index in 0..<pods { try server.apply(Self.pod("web-\(index)", ip: "10.0.0.\(index + 1)")) }
        try server.apply(Self.policy("deny"))
        try server.apply(Self.ciliumPolicy("cilium"))
        return server
    }

    @Test("a reload lists every kind again, and tells what it does not find any more", arguments: [true, false])
    func reload(streams: Bool) async throws {
        var watch = SourceRun.hasty
        watch.streamsLists = streams
        let run = try SourceRun(try await server(), settings: watch)
        _ = try await run.until("synced") { $0.isSynced }
        let before = run.server.requests.count
        #expect(await run.reload().dropped.isEmpty)
        let asked = run.server.requests.dropFirst(before)
        for plural in ["namespaces", "pods", "nodes", "services", "endpointslices", "networkpolicies"] {
            #expect(asked.contains { $0.contains("/\(plural)?") }, "\(plural): \(asked)")
        }
        run.server.delete(try run.server.resource("pods"), namespace: "shop", name: "web-0")
        let batch = await run.reload()
        #expect(batch.dropped.map(\.text) == ["Pod shop/web-0"] && batch.conditions.isEmpty, "\(batch)")
        // It goes on to follow.
        try run.server.apply(Self.pod("web-9", ip: "10.0.0.99"))
        try await run.until("followed") { $0.has(.pod, "web-9") }
        await run.stop()
    }

    @Test(
        "while a reload waits for a list that does not come, what else comes is told, and what goes counts as gone by it"
    )
    func slowReload() async throws {
        var watch = SourceRun.hasty
        watch.streamsLists = false
        watch.answerLimit = .seconds(60)
        let run = try SourceRun(try await server(), settings: watch)
        _ = try await run.until("synced") { $0.isSynced }
        run.server.inject(Fault(.silence, path: "/apis/discovery.k8s.io", watches: false))
        async let reloaded = run.reload()
        try await run.until("asked for slices") { _ in
            run.server.requests.suffix(60).contains { $0.contains("/endpointslices?limit") }
        }
        try run.server.apply(Self.policy("later"))
        try await run.until("a new policy") { $0.has(.networkPolicy, "later") }
        run.server.delete(try run.server.resource("pods"), namespace: "shop", name: "web-0")
        try await run.until("a pod that is gone") { !$0.has(.pod, "web-0") }
        run.server.clearFaults()
        run.server.cutConnections()
        let batch = await reloaded
        #expect(batch.dropped.map(\.text) == ["Pod shop/web-0"], "\(batch)")
        // All watches were cut: for a moment nothing can be read.
        try await run.until("read again") { $0.conditions.isEmpty }
        await run.stop()
    }

    @Test("what the API server has of one object now is asked for, not taken from what was sent")
    func latest() async throws {
        let run = try SourceRun(try await server())
        _ = try await run.until("synced") { $0.isSynced }
        let deny = ObjectKey(kind: "NetworkPolicy", namespace: "shop", name: "deny")
        let policies = try run.server.resource("networkpolicies")
        func version(_ key: ObjectKey) async throws -> ObjectVersion {
            guard case .version(let version) = await run.source.latest(key) else {
                throw LatestFailure("no version of \(key.text)")
            }
            return version
        }
        let first = try await version(deny)
        #expect(!first.uid.isEmpty && first.generation == 1 && !first.resourceVersion.isEmpty)
        try run.server.apply(Self.policy("deny", selector: "{matchLabels: {app: web}}"))
        let second = try await version(deny)
        #expect(second.uid == first.uid && second.generation == 2)
        #expect(second.covers(first) && !first.covers(second))
        run.server.delete(policies, namespace: "shop", name: "deny")
        #expect(await run.source.latest(deny) == .absent)
        try run.server.apply(Self.policy("deny"))
        let third = try await version(deny)
        #expect(third.uid != first.uid && !second.covers(third))
        #expect(await run.source.latest(ObjectKey(kind: "AdminNetworkPolicy", namespace: "", name: "base")) == .absent)
        // Its namespace.
        #expect(await run.source.isEnding(namespace: "shop") == false)
        try run.server.apply(
            "{apiVersion: v1, kind: Namespace, metadata: {name: shop, deletionTimestamp: \"2026-01-01T00:00:00Z\"}}")
        #expect(await run.source.isEnding(namespace: "shop") == true)
        #expect(await run.source.isEnding(namespace: "nowhere") == true)
        await run.server.stopAccepting()
        run.server.cutConnections()
        #expect(await run.source.isEnding(namespace: "shop") == nil)
        guard case .unknown = await run.source.latest(deny) else { throw LatestFailure("an answer without a server") }
        await run.stop()
    }

    @Test(arguments: ["h2", "http/1.1"], [true, false])
    func everythingIsListedAndThenFollowed(alpn: String, streams: Bool) async throws {
        var settings = TestAPIServer.Settings()
        settings.protocols = [alpn]
        var watch = SourceRun.hasty
        watch.streamsLists = streams
        let run = try SourceRun(try await server(settings), settings: watch)
        // On a busy machine an answer takes longer than these settings wait: that is a condition until the next one.
        let state = try await run.until("synced, without a condition") { $0.isSynced && $0.conditions.isEmpty }
        #expect(state.objects.count == 9, "\(state.objects.keys.map(\.text).sorted())")
        guard case .pod(let pod)? = state.objects.first(where: { $0.key.name == "web-0" })?.value else {
            Issue.record("no pod")
            return
        }
        #expect(pod.addresses.map(\.description) == ["10.0.0.1"] && pod.nodeName == "node-1")
        try run.server.apply(Self.pod("late", ip: "10.0.0.9"))
        run.server.delete(try run.server.resource("pods"), namespace: "shop", name: "web-1")
        run.server.delete(try run.server.resource("networkpolicies"), namespace: "shop", name: "deny")
        try await run.until("changes come") {
            $0.has(.pod, "late") && !$0.has(.pod, "web-1") && !$0.has(.networkPolicy, "deny")
        }
        await run.stop()
    }

    @Test(arguments: [TestAPIServer.Credential.adminCertificate, .token("admin-token")])
    func everyCredentialWorks(credential: TestAPIServer.Credential) async throws {
        let run = try SourceRun(try await server(), credential)
        try await run.until("synced") { $0.isSynced && $0.conditions.isEmpty }
        await run.stop()
    }

    /// 401 for a certificate of an unknown CA; 403 for somebody without rights: loud, and never synced.
    @Test(arguments: [
        (TestAPIServer.Credential.strangerCertificate, "credentials"), (.token("unknown"), "credentials"),
        (.token("nobody-token"), "grant the agent list and watch on networkpolicies of networking.k8s.io"),
    ])
    func whoMayNotReadSyncsNothing(credential: TestAPIServer.Credential, words: String) async throws {
        let run = try SourceRun(try await server(), credential)
        let state = try await run.until("said") { $0.conditions.contains { $0.message.contains(words) } }
        #expect(state.synced.isEmpty && state.objects.isEmpty)
        #expect(state.conditions.allSatisfy { $0.isSevere })
        #expect(state.conditions.contains { $0.message.contains("nothing is put in force before") })
        await run.stop()
    }

    @Test func theServersNameIsVerified() async throws {
        let server = try await server()
        let text = server.kubeconfig().replacing("certificate-authority-data", with: "unused")
        let file = "/tmp/kubeconfig-\(UInt64.random(in: .min ... .max))"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let source = KubeSource(try Kubeconfig(file).access(context: nil), settings: SourceRun.hasty)
        let task = Task { await source.run() }
        var conditions: [Condition] = []
        for _ in 0..<6000
        where !conditions.contains(where: { $0.message.contains("not signed by the given authorities") }) {
            try await Task.sleep(for: .milliseconds(20))
            conditions = source.changes().conditions
        }
        #expect(conditions.contains { $0.message.contains("not signed by the given authorities") }, "\(conditions)")
        task.cancel()
        await task.value
        await server.stop()
    }

    /// 410 as ERROR event after a restart: listed again, and nothing is missing for a moment.
    @Test func aRelistHasNoWindow() async throws {
        let run = try SourceRun(try await server())
        try await run.until("synced") { $0.isSynced }
        for round in 0..<3 {
            run.server.forgetHistory(compacts: true)
            run.server.delete(try run.server.resource("pods"), namespace: "shop", name: "web-\(round)")
            run.server.cutConnections()
            try run.server.apply(Self.pod("new-\(round)", ip: "10.0.1.\(round)"))
            let state = try await run.until("listed again") {
                $0.has(.pod, "new-\(round)") && !$0.has(.pod, "web-\(round)")
            }
            #expect(state.has(.networkPolicy, "deny") && state.has(.namespace, "shop"))
            #expect(state.dropped.map(\.name).sorted() == (0...round).map { "web-\($0)" })
        }
        await run.stop()
    }

    /// After a restore of etcd versions go back: a watch from the old version is silent.
    @Test func aDeafWatchIsNoticed() async throws {
        var settings = TestAPIServer.Settings()
        settings.bookmarkInterval = .milliseconds(300)
        let run = try SourceRun(try await server(settings))
        let before = run.server.version
        try run.server.apply(Self.policy("later"))
        try await run.until("synced") { $0.isSynced && $0.has(.networkPolicy, "later") }
        run.server.restore(to: before)
        let state = try await run.until("the restored state") { !$0.has(.networkPolicy, "later") }
        #expect(state.has(.networkPolicy, "deny"))
        await run.stop()
    }

    @Test func aSilentServerLosesNothing() async throws {
        let run = try SourceRun(try await server())
        try await run.until("synced") { $0.isSynced }
        run.server.setSilent(true)
        let away = try await run.until("said") { state in state.conditions.contains { $0.kind == .sourceUnavailable } }
        #expect(away.objects.count == 9 && away.dropped.isEmpty)
        try run.server.apply(Self.policy("while-away"))
        run.server.setSilent(false)
        run.server.cutConnections()
        try await run.until("back") { $0.has(.networkPolicy, "while-away") && $0.conditions.isEmpty }
        await run.stop()
    }

    @Test func aServerThatIsGoneIsOneCondition() async throws {
        let run = try SourceRun(try await server())
        try await run.until("synced") { $0.isSynced }
        await run.server.stopAccepting()
        run.server.cutConnections()
        let state = try await run.until("all kinds") { state in
            state.conditions.count == 1 && state.conditions[0].message.hasPrefix("nothing can be read")
        }
        #expect(state.conditions.first?.subject == run.server.url)
        #expect(state.conditions.first?.message.contains("everything last read stays in force") == true)
        #expect(state.objects.count == 9)
        try run.server.apply(Self.policy("while-away"))
        run.server.delete(try run.server.resource("networkpolicies"), namespace: "shop", name: "deny")
        try await run.server.startAccepting()
        try await run.until("back") {
            $0.has(.networkPolicy, "while-away") && !$0.has(.networkPolicy, "deny") && $0.conditions.isEmpty
        }
        await run.stop()
    }

    @Test func kindsComeAndGo() async throws {
        var settings = TestAPIServer.Settings()
        let custom = settings.resources.filter(\.isCustom)
        settings.resources = settings.resources.filter { !$0.isCustom }
        let server = try await TestAPIServer.start(settings)
        try server.apply(Self.namespace("shop"))
        let run = try SourceRun(server)
        try await run.until("synced without them") { $0.isSynced && $0.conditions.isEmpty }
        let policies = try #require(custom.first { $0.name == "ciliumnetworkpolicies" })
        server.install(policies)
        try server.apply(Self.ciliumPolicy("cilium"))
        try await run.until("it appears") { $0.has(.ciliumNetworkPolicy, "cilium") }
        server.changeSchema(of: policies)
        try await Task.sleep(for: .milliseconds(1300))
        try server.apply(Self.ciliumPolicy("second"))
        let state = try await run.until("the schema changed") { $0.has(.ciliumNetworkPolicy, "second") }
        #expect(state.has(.ciliumNetworkPolicy, "cilium") && state.dropped.isEmpty)
        server.remove(policies)
        try await run.until("it is gone") { !$0.has(.ciliumNetworkPolicy, "cilium") && $0.conditions.isEmpty }
        server.install(policies)
        try server.apply(Self.ciliumPolicy("third"))
        try await run.until("it is back") { $0.has(.ciliumNetworkPolicy, "third") }
        await run.stop()
    }

    /// A CustomResourceDefinition serves another version: the objects are still there, and cannot be read.
    @Test func aKindInAnotherVersionIsNotGone() async throws {
        let run = try SourceRun(try await server())
        let policies = try run.server.resource("ciliumnetworkpolicies")
        try run.server.apply(Self.ciliumPolicy("cilium"))
        try await run.until("synced") { $0.isSynced && $0.has(.ciliumNetworkPolicy, "cilium") }
        var next = policies
        next.version = "v3"
        run.server.install(next)
        // As when it is not served any more: no DELETED comes, but the path is gone.
        run.server.inject(
            Fault(.plain(code: 404, body: "404 page not found\n"), path: "/apis/cilium.io/v2/ciliumnetworkpolicies"))
        run.server.cutConnections()
        let state = try await run.until("said") { state in
            state.conditions.contains { $0.isSevere && $0.message.contains("served as cilium.io/v3") }
        }
        #expect(state.has(.ciliumNetworkPolicy, "cilium") && state.dropped.isEmpty)
        await run.stop()
    }

    /// A proxy in front of the API server that says 404 in the same words takes no policy out of force.
    @Test func whatIsNotFoundBySomebodyElseIsNotGone() async throws {
        let run = try SourceRun(try await server())
        try await run.until("synced") { $0.isSynced }
        run.server.inject(Fault(.plain(code: 404, body: "404 page not found\n")))
        run.server.cutConnections()
        try await run.until("said") { state in
            state.conditions.contains { $0.message.contains("/apis is not answered by an API server") }
        }
        try await Task.sleep(for: .milliseconds(500))
        let state = run.now()
        #expect(state.has(.ciliumNetworkPolicy, "cilium") && state.dropped.isEmpty)
        run.server.clearFaults()
        try await run.until("over") { $0.conditions.isEmpty }
        await run.stop()
    }

    /// Objects that cannot be used keep their last good version; the list they are in counts all the same.
    @Test func refusedObjectsKeepTheirLastGoodVersion() async throws {
        let run = try SourceRun(try await server())
        try await run.until("synced") { $0.isSynced }
        try run.server.apply(Self.ciliumPolicy("cilium", rule: "ingress: [{fromNowhere: 1}]"))
        let state = try await run.until("refused") { !$0.refused.isEmpty }
        #expect(state.refused.map(\.text) == ["CiliumNetworkPolicy shop/cilium"])
        #expect(state.has(.ciliumNetworkPolicy, "cilium") && state.dropped.isEmpty)
        run.server.forgetHistory(compacts: true)
        run.server.cutConnections()
        try run.server.apply(Self.ciliumPolicy("other"))
        let listed = try await run.until("listed again") { $0.has(.ciliumNetworkPolicy, "other") }
        #expect(listed.has(.ciliumNetworkPolicy, "cilium") && listed.dropped.isEmpty)
        try run.server.apply(Self.ciliumPolicy("cilium"))
        try await run.until("good again") { $0.refused.isEmpty }
        await run.stop()
    }

    @Test(
        .serialized,
        arguments: [
            Fault(.tooManyRequests, times: 20), Fault(.initializing, times: 20),
            Fault(.unavailable, path: "/apis", times: 3),
            Fault(.plain(code: 502, body: "<html>bad gateway</html>"), times: 20), Fault(.silence, times: 3),
            Fault(.slow(bytes: 500, every: .milliseconds(2)), times: 40), Fault(.cut(afterBytes: 700), times: 20),
            Fault(.shorten(afterBytes: 700), times: 20), Fault(.corrupt(at: 0, with: [0xff, 0, 0x7b]), times: 20),
            Fault(.plain(code: 404, body: "<html>nothing here</html>"), times: 20),
            Fault(.cut(afterBytes: 100), watches: true, times: 60),
            Fault(.shorten(afterBytes: 0), watches: true, times: 30),
        ])
    func faultsPass(fault: Fault) async throws {
        let server = try await server(pods: 12)
        server.inject(fault)
        let run = try SourceRun(server)
        let state = try await run.until("synced in spite of \(fault)") { $0.isSynced && $0.conditions.isEmpty }
        #expect(state.objects.count == 16 && state.dropped.isEmpty)
        try server.apply(Self.policy("late"))
        try await run.until("followed in spite of \(fault)") { $0.has(.networkPolicy, "late") }
        #expect(run.now().dropped.isEmpty)
        await run.stop()
    }

    @Test func tokensAreReadAnewAndRefusedOnesTriedAgain() async throws {
        let file = "/tmp/token-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "old-token".write(toFile: file, atomically: true, encoding: .utf8)
        var settings = TestAPIServer.Settings()
        settings.tokens["old-token"] = .admin
        let run = try SourceRun(try await server(settings), .tokenFile(file))
        try await run.until("synced") { $0.isSynced }
        run.server.setToken("old-token", nil)
        run.server.endWatches()
        try await run.until("refused") { $0.conditions.contains { $0.message.contains("credentials") } }
        run.server.setToken("new-token", .admin)
        try "new-token".write(toFile: file, atomically: true, encoding: .utf8)
        try run.server.apply(Self.policy("late"))
        try await run.until("with the new one") { $0.has(.networkPolicy, "late") && $0.conditions.isEmpty }
        await run.stop()
    }

    @Test func goAwayAndCleanEndsLoseNothing() async throws {
        let run = try SourceRun(try await server())
        try await run.until("synced") { $0.isSynced }
        for index in 0..<5 {
            if index % 2 == 0 { run.server.goAway() } else { run.server.endWatches() }
            try run.server.apply(Self.policy("p\(index)"))
            try await run.until("p\(index)") { $0.has(.networkPolicy, "p\(index)") }
        }
        #expect(run.now().dropped.isEmpty)
        await run.stop()
    }
}

/// What `latest` answered otherwise.
private struct LatestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
