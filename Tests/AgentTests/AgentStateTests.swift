import BPFEmit
import Testing

@testable import Agent

@Suite struct AgentStateTests {
    let snapshot: ManifestSnapshot = [
        "a.yaml": ManifestFile(
            objects: [
                .pod(Fixtures.pod("web", "10.0.0.1")), .pod(Fixtures.pod("db", "10.0.0.2")),
                Fixtures.policy("web", app: "web", directions: [.ingress]),
            ], refused: [])
    ]
    let node = NodeSnapshot(
        namespaces: [Fixtures.netns("n1", "10.0.0.1", ifindex: 7), Fixtures.netns("n9", "10.0.0.9", ifindex: 9)],
        addresses: [Fixtures.address("192.0.2.1")])

    private func text(_ inputs: DesiredInputs?) -> String {
        guard let inputs else { return "nothing" }
        return
            "\(inputs.objects) \(inputs.interfaces.sorted { $0.key < $1.key }) \(inputs.nodeAddresses) \(inputs.endpoints)"
    }

    @Test("every order and repetition of the same inputs gives the same desired state")
    func permutations() {
        let older = NodeSnapshot(namespaces: [], addresses: [])
        let broken: ManifestSnapshot = ["a.yaml": ManifestFile(unreadable: ["half written"])]
        let orders: [[AgentEvent]] = [
            [.manifests(snapshot), .node(node)],
            [.node(node), .manifests(snapshot)],
            [.node(older), .manifests(snapshot), .node(node), .node(node)],
            [.manifests(snapshot), .manifests(broken), .node(node), .manifests(snapshot)],
            [.manifests([:]), .node(node), .reconcileDue, .manifests(snapshot)],
            [.manifests(snapshot), .node(node), .manifestsUnavailable("gone"), .manifests(snapshot)],
        ]
        var results: Set<String> = []
        for events in orders {
            var state = AgentState(settings: .init())
            for event in events { _ = state.on(event) }
            results.insert(text(state.desired()))
        }
        #expect(results.count == 1)
        #expect(results.first != "nothing")
    }

    @Test("nothing is applied before both manifests and node were seen")
    func startGate() {
        for first in [AgentEvent.manifests(snapshot), .node(node)] {
            var state = AgentState(settings: .init())
            #expect(delays(state.on(first)).isEmpty)
            #expect(reconciles(state.on(.reconcileDue)).isEmpty)
        }
    }

    @Test("a file that is broken when the agent starts keeps what the agent before had accepted, and nothing else is")
    func remembered() {
        var state = AgentState(settings: .init())
        var before = snapshot
        before["gone.yaml"] = ManifestFile(objects: [Fixtures.policy("gone", app: "db", directions: [.ingress])])
        #expect(state.on(.remembered(before)).isEmpty)
        #expect(delays(state.on(.node(node))).isEmpty)
        _ = state.on(.manifests(["a.yaml": ManifestFile(unreadable: ["a.yaml:1:1: error: not YAML"])]))
        #expect(state.desired()?.objects.networkPolicies.map(\.metadata.name) == ["web"])
        #expect(state.conditions.contains { $0.kind == .brokenFile })
    }

    @Test("a burst of changes is compiled once")
    func coalescing() {
        var state = AgentState(settings: .init())
        var actions: [AgentAction] = []
        actions += state.on(.manifests(snapshot))
        actions += state.on(.node(node))
        for ifindex in UInt32(20)..<30 {
            var changed = node
            changed.namespaces[0] = Fixtures.netns("n1", "10.0.0.1", ifindex: ifindex)
            actions += state.on(.node(changed))
        }
        #expect(delays(actions) == [50])
        #expect(reconciles(state.on(.reconcileDue)).map { Array($0.interfaces.values) } == [[29]])
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

    @Test("a failed apply is tried again, later each time, and is a condition until it works")
    func retries() {
        var state = AgentState(settings: .init())
        _ = state.on(.manifests(snapshot))
        _ = state.on(.node(node))
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
        var state = AgentState(settings: .init())
        _ = state.on(.manifests(snapshot))
        _ = state.on(.node(node))
        for _ in 0..<5 {
            _ = state.on(.reconcileDue)
            _ = state.on(.applyFailed(generation: state.generation, "np_addresses is full"))
        }
        #expect(delays(state.on(.manifests([:]))) == [50])
        #expect(reconciles(state.on(.reconcileDue)).count == 1)
        #expect(reconciles(state.on(.reconcileDue)).isEmpty)
    }

    @Test("an endpoint that could not be programmed is tried again, and not everything is in force")
    func partial() {
        var state = AgentState(settings: .init())
        _ = state.on(.manifests(snapshot))
        _ = state.on(.node(node))
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
        var state = AgentState(settings: .init(isolateUnknown: isolate))
        _ = state.on(.manifests(snapshot))
        _ = state.on(.node(node))
        #expect(state.conditions.contains { $0.kind == .unenforcedNamespace } != isolate)
        let inputs = try #require(state.desired())
        #expect(inputs.interfaces.values.sorted() == (isolate ? [7, 9] : [7]))
        #expect(inputs.objects.networkPolicies.count == (isolate ? 2 : 1))
    }

    @Test("an unreadable folder keeps everything and is a condition")
    func unavailable() {
        var state = AgentState(settings: .init())
        _ = state.on(.manifests(snapshot))
        _ = state.on(.node(node))
        let before = text(state.desired())
        let actions = state.on(.manifestsUnavailable("open /etc/netpold: ENOENT"))
        #expect(text(state.desired()) == before)
        #expect(raised(actions).map(\.kind) == [.manifestsUnavailable])
        #expect(cleared(state.on(.manifests(snapshot))).map(\.kind) == [.manifestsUnavailable])
    }

    @Test("a resync compares with the kernel again and counts as no apply")
    func resync() {
        var state = AgentState(settings: .init())
        _ = state.on(.manifests(snapshot))
        _ = state.on(.node(node))
        _ = state.on(.reconcileDue)
        _ = state.on(.applied(generation: state.generation, Fixtures.report("web")))
        #expect(reconciles(state.on(.resync)).count == 1)
        _ = state.on(.applied(generation: state.generation, ApplyReport()))
        #expect(state.applyCount == 1)
    }

    private func delays(_ actions: [AgentAction]) -> [Int] {
        actions.compactMap { if case .reconcileLater(let milliseconds) = $0 { milliseconds } else { nil } }
    }
    private func reconciles(_ actions: [AgentAction]) -> [DesiredInputs] {
        actions.compactMap { if case .reconcile(let inputs) = $0 { inputs } else { nil } }
    }
    private func raised(_ actions: [AgentAction]) -> [Condition] {
        actions.compactMap { if case .raise(let condition) = $0 { condition } else { nil } }
    }
    private func cleared(_ actions: [AgentAction]) -> [Condition] {
        actions.compactMap { if case .clear(let condition) = $0 { condition } else { nil } }
    }
}
