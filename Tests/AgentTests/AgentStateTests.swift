import BPFEmit
import NetTypes
import Testing

@testable import Agent

@Suite struct AgentStateTests {
    let files: FolderSnapshot = [
        "a.yaml": ManifestFile(
            objects: [
                .pod(Fixtures.pod("web", "10.0.0.1")), .pod(Fixtures.pod("db", "10.0.0.2")),
                Fixtures.policy("web", app: "web", directions: [.ingress]),
            ], refused: [])
    ]
    let node = Fixtures.host([(7, "10.0.0.1"), (9, "10.0.0.9")], own: ["192.0.2.1"])

    /// What happens, before it is an event: what a folder reports depends on what it has reported.
    private enum Step {
        case files(FolderSnapshot)
        case unavailable
        case event(AgentEvent)
    }

    /// An agent that was given one reading of the files, and the node.
    private func begun(_ settings: AgentState.Settings = Fixtures.settings()) -> (AgentState, FolderFeed) {
        var feed = FolderFeed()
        var state = AgentState(settings: settings, sources: [FolderFeed.id])
        _ = state.on(.objects(feed.read(files)))
        _ = state.on(.node(node))
        return (state, feed)
    }

    @Test("every order and repetition of the same inputs gives the same desired state")
    func permutations() {
        let older = Fixtures.host([])
        let broken: FolderSnapshot = ["a.yaml": ManifestFile(unreadable: ["half written"])]
        let orders: [[Step]] = [
            [.files(files), .event(.node(node))],
            [.event(.node(node)), .files(files)],
            [.event(.node(older)), .files(files), .event(.node(node)), .event(.node(node))],
            [.files(files), .files(broken), .event(.node(node)), .files(files)],
            [.files([:]), .event(.node(node)), .event(.reconcileDue), .files(files)],
            [.files(files), .event(.node(node)), .event(.reconcileDue), .files(broken), .files(files)],
            [.files(files), .event(.node(node)), .unavailable, .files(files)],
        ]
        var results: Set<String> = []
        for steps in orders {
            var run = ReducerRun()
            var feed = FolderFeed()
            for step in steps {
                switch step {
                case .files(let files): run.on(.objects(feed.read(files)))
                case .unavailable: run.on(.objects(feed.unavailable("gone")))
                case .event(let event): run.on(event)
                }
            }
            run.finish()
            #expect(run.state.isInForce)
            let objects = run.table.objects.sorted { $0.key < $1.key }.map(\.value)
            results.insert(
                "\(objects) \(run.table.isolating) \(run.table.ownAddresses) \(run.links.sorted { $0.key < $1.key })"
                    + " \(run.node) \(run.state.binding.view)")
        }
        #expect(results.count == 1)
    }

    @Test("another master of an interface and other networks of the node are applied, as the host has them")
    func mastersAndNetworks() throws {
        var run = ReducerRun()
        var feed = FolderFeed()
        run.on(.objects(feed.read(files)))
        run.on(.node(node))
        run.finish()
        #expect(run.state.isInForce && run.handedOut.last?.masters == [:])
        var moved = node
        let link = try #require(moved.links.first?.ifindex)
        moved.masters = [link: [70, 71]]
        run.on(.node(moved))
        #expect(!run.state.isInForce)
        run.finish()
        #expect(run.handedOut.last?.masters == [link: [70, 71]])
        // Loopback's network is no pod's to reach.
        moved.networks = ["10.9.0.0/24", "127.0.0.0/8", "fd09::/64"].compactMap { IPPrefix(parsing: $0) }
        run.on(.node(moved))
        run.finish()
        #expect(run.table.ownNetworks.map(\.description) == ["10.9.0.0/24", "fd09::/64"])
        let count = run.handedOut.count
        run.on(.node(moved))
        #expect(run.state.isInForce && run.handedOut.count == count)
    }

    @Test("nothing is applied before every source has named all its objects and the node was seen")
    func startGate() {
        var feed = FolderFeed()
        let reading = feed.read(files)
        var unsynced = reading
        unsynced.events.removeLast()
        for first in [AgentEvent.objects(reading), .node(node)] {
            var state = AgentState(settings: Fixtures.settings(), sources: [FolderFeed.id])
            #expect(delays(state.on(first)).isEmpty)
            #expect(reconciles(state.on(.reconcileDue)).isEmpty)
        }
        let other = ObjectSourceID("other")
        for events in [[reading], [unsynced]] {
            var state = AgentState(settings: Fixtures.settings(), sources: [FolderFeed.id, other])
            for event in events { _ = state.on(.objects(event)) }
            #expect(delays(state.on(.node(node))).isEmpty)
            #expect(reconciles(state.on(.reconcileDue)).isEmpty)
            var last = ObjectBatch(source: other, events: ObjectKind.allCases.map(ObjectEvent.synced))
            #expect(delays(state.on(.objects(last))).isEmpty == (events == [unsynced]))
            last = ObjectBatch(source: FolderFeed.id, events: Array(reading.events.suffix(1)))
            #expect(delays(state.on(.objects(last))).isEmpty == (events == [reading]))
        }
    }

    @Test("a file that is broken when the agent starts keeps what the agent before had accepted, and nothing else is")
    func remembered() {
        var before = files
        before["gone.yaml"] = ManifestFile(objects: [Fixtures.policy("gone", app: "db", directions: [.ingress])])
        var feed = FolderFeed(remembered: before)
        var state = AgentState(settings: Fixtures.settings(), sources: [FolderFeed.id])
        #expect(delays(state.on(.node(node))).isEmpty)
        _ = state.on(.objects(feed.read(["a.yaml": ManifestFile(unreadable: ["a.yaml:1:1: error: not YAML"])])))
        #expect(state.store.objects.networkPolicies.map(\.metadata.name) == ["web"])
        #expect(state.conditions.contains { $0.kind == .brokenFile })
    }

    @Test("a burst of changes is compiled once")
    func coalescing() {
        var feed = FolderFeed()
        var state = AgentState(settings: Fixtures.settings(), sources: [FolderFeed.id])
        var actions: [AgentAction] = []
        actions += state.on(.objects(feed.read(files)))
        actions += state.on(.node(node))
        for ifindex in UInt32(20)..<30 {
            actions += state.on(.node(Fixtures.host([(ifindex, "10.0.0.1")])))
        }
        #expect(delays(actions) == [50])
        #expect(reconciles(state.on(.reconcileDue)).map { Array($0.links.values) } == [[[29]]])
        // While the kernel is at work, nothing else starts; what came meanwhile follows.
        #expect(delays(state.on(.node(node))) == [50])
        #expect(reconciles(state.on(.reconcileDue)).isEmpty)
        #expect(!state.isInForce)
        let done = state.on(.applied(generation: state.generation - 1, Fixtures.report("web")))
        #expect(delays(done) == [50])
        #expect(reconciles(state.on(.reconcileDue)).count == 1)
        _ = state.on(.applied(generation: state.generation, Fixtures.report("web")))
        #expect(state.isInForce)
        #expect(state.applyCount == 2)
    }

    @Test("the first change after a while is compiled at once, those within a rest after an apply together at its end")
    func firstChangeAtOnce() {
        var (state, _) = begun()
        _ = state.on(.reconcileDue)
        func apply() -> [AgentAction] { state.on(.applied(generation: state.generation, Fixtures.report("web"))) }
        // The rest.
        #expect(delays(apply()) == [50])
        for ifindex in UInt32(20)..<30 {
            let actions = state.on(.node(Fixtures.host([(ifindex, "10.0.0.1")])))
            #expect(delays(actions).isEmpty && reconciles(actions).isEmpty)
        }
        #expect(reconciles(state.on(.reconcileDue)).map { Array($0.links.values) } == [[[29]]])
        #expect(delays(apply()) == [50])
        // Nothing came: it is over.
        #expect(reconciles(state.on(.reconcileDue)).isEmpty)
        #expect(state.isInForce)
        let actions = state.on(.node(Fixtures.host([(40, "10.0.0.1")])))
        #expect(delays(actions).isEmpty)
        #expect(reconciles(actions).map { Array($0.links.values) } == [[[40]]])
        #expect(!state.isInForce)
    }

    @Test("a failed apply is tried again, later each time, and is a condition until it works")
    func retries() {
        var (state, _) = begun()
        var waits: [Int] = []
        for _ in 0..<9 {
            #expect(reconciles(state.on(.reconcileDue)).count == 1)
            waits += delays(state.on(.applyFailed(generation: state.generation, "np_addresses is full")))
        }
        #expect(waits == [500, 1000, 2000, 4000, 8000, 16000, 32000, 32000, 32000])
        #expect(state.conditions.contains { $0.kind == .applyFailed })
        _ = state.on(.reconcileDue)
        _ = state.on(.applied(generation: state.generation, Fixtures.report("web")))
        #expect(!state.conditions.contains { $0.kind == .applyFailed })
        #expect(state.isInForce)
    }

    @Test("a change does not wait for the delay between retries")
    func changeWhileRetrying() {
        var (state, feed) = begun()
        for _ in 0..<5 {
            _ = state.on(.reconcileDue)
            _ = state.on(.applyFailed(generation: state.generation, "np_addresses is full"))
        }
        #expect(delays(state.on(.objects(feed.read([:])))) == [50])
        #expect(reconciles(state.on(.reconcileDue)).count == 1)
        #expect(reconciles(state.on(.reconcileDue)).isEmpty)
    }

    @Test("an endpoint that could not be programmed is tried again, and not everything is in force")
    func partial() {
        var (state, _) = begun()
        _ = state.on(.reconcileDue)
        var report = Fixtures.report("web")
        report.endpoints[0].failure = "attach to np7: ENODEV"
        #expect(delays(state.on(.applied(generation: state.generation, report))) == [500])
        #expect(state.conditions.contains { $0.kind == .endpointFailed && $0.subject == "shop/web" })
        #expect(!state.isInForce)
        #expect(reconciles(state.on(.reconcileDue)).count == 1)
    }

    @Test("a namespace without a pod is reported, or isolated when the user says so", arguments: [false, true])
    func unknownNamespace(isolate: Bool) throws {
        var (state, _) = begun(Fixtures.settings(unknown: isolate ? .allIsolate : .open))
        #expect(state.conditions.contains { $0.kind == .unenforcedNamespace } != isolate)
        let desired = try #require(reconciles(state.on(.reconcileDue)).first)
        #expect(desired.links.values.flatMap(\.self).sorted() == (isolate ? [7, 9] : [7]))
        #expect(desired.stubs.map(\.key.name) == (isolate ? ["n9:9"] : []))
    }

    @Test("bindings are handed out to be written down when they change, and only then")
    func records() {
        var feed = FolderFeed()
        var state = AgentState(settings: Fixtures.settings(), sources: [FolderFeed.id])
        #expect(recorded(state.on(.objects(feed.read(files)))) == [])
        #expect(recorded(state.on(.node(node))).map { $0.bindings.map(\.ifindex) } == [[7]])
        #expect(recorded(state.on(.node(node))) == [])
        #expect(recorded(state.on(.node(Fixtures.host([(9, "10.0.0.9")])))).map(\.bindings.count) == [0])
    }

    @Test("hooks that others run before are severe conditions, and go when the hooks are found well")
    func hooks() {
        var (state, _) = begun()
        _ = state.on(.reconcileDue)
        let web = EndpointKey(namespace: "shop", name: "web")
        let finding = HookFinding(ifindex: 7, direction: .ingress, key: web, problem: .preceded(by: ["program 5"]))
        let found = state.on(.applied(generation: state.generation, Fixtures.report("web"), hooks: [finding]))
        #expect(raised(found).filter(\.isSevere).map(\.kind).contains(.hookBypassed))
        #expect(reconciles(state.on(.resync)).count == 1)
        let over = state.on(.applied(generation: state.generation, ApplyReport()))
        #expect(cleared(over).map(\.kind) == [.hookBypassed])
    }

    @Test("an unreadable folder keeps everything and is a condition")
    func unavailable() {
        var (state, feed) = begun()
        let before = state.store.objects
        let actions = state.on(.objects(feed.unavailable("open /etc/netpold: ENOENT")))
        #expect("\(state.store.objects)" == "\(before)")
        #expect(delays(actions).isEmpty)
        #expect(raised(actions).map(\.kind) == [.sourceUnavailable])
        #expect(cleared(state.on(.objects(feed.read(files)))).map(\.kind) == [.sourceUnavailable])
    }

    @Test("what a reconciliation hands out is what changed since the one before, once")
    func changesOnce() {
        var (state, feed) = begun()
        func next() -> [ObjectChange] {
            defer { _ = state.on(.applied(generation: state.generation, ApplyReport())) }
            return reconciles(state.on(.reconcileDue)).flatMap(\.changes)
        }
        #expect(next().count == 4)
        var more = files
        more["b.yaml"] = ManifestFile(objects: [Fixtures.policy("db", app: "db", directions: [.egress])])
        _ = state.on(.objects(feed.read(more)))
        guard case .upsert(.networkPolicy(let policy))? = next().first else {
            Issue.record("no policy was handed out")
            return
        }
        #expect(policy.metadata.name == "db")
        // Gone and back before anybody compiled: nothing changed.
        _ = state.on(.objects(feed.read(files)))
        _ = state.on(.objects(feed.read(more)))
        #expect(next().isEmpty)
        // What is handed out counts as taken over, whatever becomes of it in the kernel.
        _ = state.on(.objects(feed.read(files)))
        #expect(reconciles(state.on(.reconcileDue)).flatMap(\.changes).count == 1)
        _ = state.on(.applyFailed(generation: state.generation, "np_addresses is full"))
        #expect(reconciles(state.on(.reconcileDue)).map(\.changes.count) == [0])
    }

    @Test("a resync compares with the kernel again and counts as no apply")
    func resync() {
        var (state, _) = begun()
        _ = state.on(.reconcileDue)
        _ = state.on(.applied(generation: state.generation, Fixtures.report("web")))
        #expect(reconciles(state.on(.resync)).count == 1)
        _ = state.on(.applied(generation: state.generation, ApplyReport()))
        #expect(state.applyCount == 1)
    }

    @Test("an audit that fails is retried by the delays of failures, and everything is not in force meanwhile")
    func failedAudit() {
        var (state, _) = begun()
        _ = state.on(.reconcileDue)
        _ = state.on(.applied(generation: state.generation, Fixtures.report("web")))
        _ = state.on(.resync)
        #expect(delays(state.on(.applyFailed(generation: state.generation, "np_endpoints: EIO"))) == [500])
        #expect(!state.isInForce)
        #expect(reconciles(state.on(.reconcileDue)).count == 1)
        _ = state.on(.applied(generation: state.generation, ApplyReport()))
        #expect(state.isInForce)
        #expect(reconciles(state.on(.reconcileDue)).isEmpty)
    }

    private func delays(_ actions: [AgentAction]) -> [Int] {
        actions.compactMap { if case .reconcileLater(let milliseconds) = $0 { milliseconds } else { nil } }
    }
    private func reconciles(_ actions: [AgentAction]) -> [DesiredChanges] {
        actions.compactMap { if case .reconcile(let inputs) = $0 { inputs } else { nil } }
    }
    private func recorded(_ actions: [AgentAction]) -> [BindingRecords] {
        actions.compactMap { if case .record(let records) = $0 { records } else { nil } }
    }
    private func raised(_ actions: [AgentAction]) -> [Condition] {
        actions.compactMap { if case .raise(let condition) = $0 { condition } else { nil } }
    }
    private func cleared(_ actions: [AgentAction]) -> [Condition] {
        actions.compactMap { if case .clear(let condition) = $0 { condition } else { nil } }
    }

    @Test("what stands for a refused Pod is handed on until the Pod is good or gone; one that is bound stays as it was")
    func refusedPod() {
        let key = ObjectKey(kind: "Pod", namespace: "shop", name: "far")
        let refused = RefusedObject(
            key: key, origin: .manifest(.init(file: "b.yaml", line: 1, column: 1)), diagnostics: [],
            isolating: Fixtures.isolating(Fixtures.policy("far", app: "far", directions: [.ingress])))
        let bad = ManifestFile(objects: [], refused: [refused])
        var run = ReducerRun()
        var feed = FolderFeed()
        func read(_ file: ManifestFile?) {
            var now = files
            now["b.yaml"] = file
            run.on(.objects(feed.read(now)))
            run.finish()
        }
        run.on(.node(node))
        read(bad)
        #expect(run.table.isolating[key] == refused.isolating)
        #expect(run.table.objects[key] == nil)
        read(ManifestFile(objects: [.pod(Fixtures.pod("far", "10.0.0.7"))], refused: []))
        #expect(run.table.isolating.isEmpty && run.table.objects[key] != nil)
        // Its last good version stays.
        read(bad)
        #expect(run.table.isolating.isEmpty && run.table.objects[key] != nil)
        read(nil)
        #expect(run.table.isolating.isEmpty && run.table.objects[key] == nil)
        read(bad)
        #expect(run.table.isolating[key] == refused.isolating)
        read(nil)
        #expect(run.table.isolating.isEmpty)

        // A pod that an earlier agent has bound, and whose object is refused from the start.
        var records = ReducerRun()
        records.on(.node(Fixtures.host([(7, "10.0.0.1")])))
        var first = FolderFeed()
        records.on(.objects(first.read(files)))
        records.finish()
        let bound = ObjectKey(kind: "Pod", namespace: "shop", name: "web")
        var again = ReducerRun(records: records.recorded.last)
        var other = FolderFeed()
        again.on(.node(Fixtures.host([(7, "10.0.0.1")])))
        var refusedWeb = refused
        refusedWeb.key = bound
        again.on(.objects(other.read(["a.yaml": ManifestFile(objects: [], refused: [refusedWeb])])))
        again.finish()
        #expect(again.table.objects[bound] != nil && again.table.isolating[bound] == nil)
        #expect(again.links.values.joined().contains(7))
    }

    @Test(
        "while a change of host policies waits for somebody, it is looked every two seconds whether the kernel has settled it"
    )
    func confirmation() {
        var (state, _) = begun()
        _ = state.on(.reconcileDue)
        var report = Fixtures.report("web")
        report.host = HostReport(
            confirmation: .pending(.enforce, former: .audit, until: 9), devices: ["eth0"], problems: [])
        #expect(delays(state.on(.applied(generation: state.generation, report))) == [2000])
        #expect(state.conditions.contains { $0.kind == .hostUnconfirmed })
        #expect(reconciles(state.on(.reconcileDue)).count == 1)
        report.host?.confirmation = .expired(.enforce, former: .audit)
        #expect(delays(state.on(.applied(generation: state.generation, report))) == [50])
        #expect(state.conditions.contains { $0.kind == .hostGivenUp })
        #expect(reconciles(state.on(.reconcileDue)).isEmpty)
    }

    @Test("servers of the proxy that could not be asked are a condition, and asked again until they were")
    func serversNotAsked() {
        var (state, _) = begun()
        _ = state.on(.reconcileDue)
        var report = Fixtures.report("web")
        report.serversNotAsked = "no buffer space"
        let generation = state.generation
        let actions = state.on(.applied(generation: generation, report, [], hooks: []))
        #expect(delays(actions) == [500])
        #expect(state.conditions.contains { $0.kind == .serversNotAsked && $0.message.contains("no buffer space") })
        _ = state.on(.reconcileDue)
        report.serversNotAsked = nil
        _ = state.on(.applied(generation: generation, report, [], hooks: []))
        #expect(!state.conditions.contains { $0.kind == .serversNotAsked })
    }
}
