import Foundation
import Glibc
import KubeTestServer
import NetpoldTestSupport
import PolicyAPI

/// One run against an API server: a network, an agent, traffic, and steps at random that change objects while the server, the way to it or
/// the agent fails.
final class ClusterChaosRun {
    let network: ChaosNetwork
    let agent: AgentProcess
    let timeline = ChaosTimeline()
    private(set) var quietPoints = 0
    /// How often each kind of step was taken.
    private(set) var steps: [Step: Int] = [:]
    private let server: TestAPIServer
    private let relay: PortRelay
    private let reader: KernelReader
    private let pods: [String: ChaosPod]
    private let pairs: [ProbePair]
    private var random: SplitMix64
    private var state: ClusterChaosState

    /// What goes wrong, or goes on, while objects change.
    enum Step: String, CaseIterable {
        case change = "change", orphan = "orphan", namespace = "namespace", kinds = "kinds"
        case cut = "cut", midLine = "cut in a line", ends = "clean ends", goneStatus = "410 as status"
        case goneEvent = "410 as event", tooMany = "429", unavailable = "503", silence = "silence", restart = "restart"
        case kill = "kill -9", killAway = "kill -9 without server"
    }

    private static let definitions = APIResource.custom(
        group: "apiextensions.k8s.io", version: "v1", name: "customresourcedefinitions",
        kind: "CustomResourceDefinition", isNamespaced: false)
    private static let gone = """
        {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (2)",\
        "reason":"Expired","code":410}
        """

    /// Builds everything and puts the first policies in force.
    init(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        network = try ChaosNetwork(pods: 10, in: ClusterChaosState.namespaces)
        pods = Dictionary(uniqueKeysWithValues: network.pods.map { ($0.name, $0) })
        state = ClusterChaosState(network.pods)
        var pairs: Set<ProbePair> = []
        while pairs.count < 30 {
            let (from, to) = (random.pick(network.pods), random.pick(network.pods))
            if from != to {
                pairs.insert(ProbePair(from: from.name, to: to.name, port: random.pick(ChaosPolicies.ports)))
            }
        }
        for (from, to, victim) in [("pod-0", "pod-3", "pod-2"), ("pod-1", "pod-4", "pod-2")] {
            pairs.insert(ProbePair(from: from, to: to, port: 9000, pretending: victim))
        }
        self.pairs = pairs.sorted { ($0.from, $0.to, $0.port) < ($1.from, $1.to, $1.port) }
        self.random = random

        var settings = TestAPIServer.Settings()
        settings.resources.append(Self.definitions)
        settings.bookmarkInterval = .seconds(2)
        server = try await TestAPIServer.start(settings)
        relay = try PortRelay(in: network.node, to: UInt16(server.port))
        let config = "\(network.folder)/config"
        try server.kubeconfig().replacing(server.url, with: "https://127.0.0.1:\(relay.port)")
            .write(toFile: config, atomically: true, encoding: .utf8)
        agent = try AgentProcess(
            node: network.nodePath, pods: network.podsFolder, more: ["--cni-cache", network.cacheFolder],
            kubeconfig: config)
        reader = try KernelReader(network, instance: agent.instance)
        for resource in APIResource.policyCRDs { try announce(resource) }
        for text in state.texts.sorted(by: { $0.key < $1.key }).map(\.value) { try server.apply(text) }
        try timeline.begin(allowed: state.allowed(self.pairs, pods))
        try agent.launch()
        try settle("start")
    }

    /// Takes everything away.
    func stop() async {
        agent.kill()
        relay.stop()
        await server.stop()
    }

    /// Disturbs until the time is over, each kind of step at least once; every probe that was sent meanwhile.
    func run(_ time: Duration) async throws -> [ProbeTraffic.Probe] {
        let traffic = try ProbeTraffic(network, pairs)
        try traffic.start()
        let end = ContinuousClock.now + time
        do {
            var waiting: [Step] = []
            while ContinuousClock.now < end {
                if waiting.isEmpty { waiting = Step.allCases.shuffled(using: &random) }
                let step = waiting.isEmpty ? .change : waiting.removeLast()
                steps[step, default: 0] += 1
                timeline.note(step.rawValue)
                try await perform(step)
                server.clearFaults()
                try settle(step.rawValue)
            }
        } catch {
            _ = traffic.join()
            throw error
        }
        return traffic.join()
    }

    private func perform(_ step: Step) async throws {
        switch step {
        case .change: try change()
        case .orphan: try orphan()
        case .namespace: try endNamespace()
        case .kinds: try removeKinds()
        case .cut:
            try change { self.server.cutConnections() }
        case .midLine:
            server.inject(Fault(.cut(afterBytes: random.below(2_000)), watches: nil, times: 8))
            server.endWatches()
            try change()
        case .ends:
            try change { self.server.endWatches() }
        case .goneStatus:
            server.inject(Fault(.plain(code: 410, body: Self.gone), watches: true, times: 6))
            server.endWatches()
            try change { self.server.forgetHistory() }
        case .goneEvent:
            try change {
                self.server.sendRaw(#"{"type":"ERROR","object":"# + Self.gone + "}\n")
                self.server.endWatches()
                self.server.forgetHistory(compacts: true)
            }
        case .tooMany:
            server.inject(Fault(.tooManyRequests, times: 6))
            server.cutConnections()
            try change()
        case .unavailable:
            server.inject(Fault(.unavailable, times: 2))
            server.endWatches()
            try change()
        case .silence:
            server.setSilent(true)
            try change()
            usleep(300_000)
            server.setSilent(false)
        case .restart:
            await server.stopAccepting()
            server.cutConnections()
            try change()
            usleep(200_000)
            server.forgetHistory(compacts: true)
            try await server.startAccepting()
        case .kill:
            agent.kill()
            try change()
            usleep(200_000)
            try agent.launch()
        case .killAway:
            await server.stopAccepting()
            server.cutConnections()
            agent.kill()
            try change()
            try agent.launch()
            usleep(500_000)
            try await server.startAccepting()
        }
    }

    // MARK: objects

    /// Several objects at once, in any order, `between` somewhere among them.
    private func change(_ between: () -> Void = {}) throws {
        let before = state
        for _ in 0...random.below(3) { state.changePolicy(&random) }
        if random.once(in: 4) { state.relabelNamespace(&random) }
        if random.once(in: 4) { state.relabel(random.pick(network.pods), &random) }
        if random.once(in: 2) { state.changeRemotes(&random) }
        if random.once(in: 3) { state.changeServices(&random) }
        try write(from: before, between)
    }

    private func write(from before: ClusterChaosState, _ between: () -> Void = {}) throws {
        for mixed in state.mixes(from: before) { try timeline.begin(allowed: mixed.allowed(pairs, pods)) }
        let keys = state.changed(from: before).shuffled(using: &random)
        let place = random.below(keys.count + 1)
        for (number, key) in keys.enumerated() {
            if number == place { between() }
            timeline.note("  \(state[key] == nil ? "delete" : "write") \(key.kind) \(key.namespace)/\(key.name)")
            if let text = state[key] { try server.apply(text) } else { try delete(key) }
        }
        if place == keys.count { between() }
    }

    private func delete(_ key: ClusterChaosState.Key) throws {
        let resource = (APIResource.builtIns + APIResource.policyCRDs).first { $0.kind == key.kind }
        guard let resource else { throw PodNetworkError("no resource of \(key.kind)") }
        server.delete(resource, namespace: key.namespace, name: key.name)
    }

    /// A Pod object is deleted by force while the pod runs on, and comes back.
    private func orphan() throws {
        let pod = random.pick(network.pods)
        let key = ClusterChaosState.key(pod)
        timeline.note("  \(key.namespace)/\(key.name) without object")
        try delete(key)
        try change()
        try settle("the loss of \(key.name)'s object")
        if let text = state[key] { try server.apply(text) }
    }

    /// A namespace is deleted, its pods run on; then it is made again.
    private func endNamespace() throws {
        let name = random.pick(ClusterChaosState.namespaces)
        let space = ClusterChaosState.Key(kind: "Namespace", namespace: "", name: name)
        let own = state.keys { $0.namespace == name && $0.mayDecide }
        let team = state[space]?.contains("team: a") == true ? "a" : "b"
        timeline.note("  namespace \(name) ends")
        // Its end waits for all its pods, those of other nodes too.
        let others = state
        for key in state.keys({ $0.namespace == name && !$0.mayDecide }) { state[key] = nil }
        try write(from: others)
        try server.apply(ClusterChaosState.namespace(name, team: team, isTerminating: true))
        usleep(100_000)
        for key in own.shuffled(using: &random) { try delete(key) }
        if random.once(in: 2) {
            // Nothing of what was in force is gone.
            usleep(300_000)
            try settle("the end of what was in \(name)")
        }
        try delete(space)
        usleep(300_000)
        try settle("the end of namespace \(name)")

        let whole = state
        if random.once(in: 2) { try restartWithout(own, of: name) }
        var without = whole
        for key in own where key.isOwnPolicy { without[key] = nil }
        for mixed in without.mixes(from: state) + whole.mixes(from: without) {
            try timeline.begin(allowed: mixed.allowed(pairs, pods))
        }
        state = whole
        timeline.note("  namespace \(name) is there again")
        for key in [space] + own.shuffled(using: &random) {
            if let text = state[key] { try server.apply(text) }
        }
    }

    /// The agent is killed while a namespace is gone and its pods are not: the next one cannot know what its policies were.
    private func restartWithout(_ own: [ClusterChaosState.Key], of namespace: String) throws {
        timeline.note("  kill -9 without namespace \(namespace)")
        agent.kill()
        for key in own where key.isOwnPolicy { state[key] = nil }
        state[ClusterChaosState.Key(kind: "NetworkPolicy", namespace: namespace, name: "gone")] = """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: gone, namespace: \(namespace)}
            spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
            """
        try timeline.begin(allowed: state.allowed(pairs, pods))
        usleep(200_000)
        try agent.launch()
        try settle("a restart without namespace \(namespace)")
    }

    /// The definition of a kind of policies is removed, with all of the kind, and made again.
    private func removeKinds() throws {
        let resource = random.pick(
            APIResource.policyCRDs.filter { ["cilium.io", "policy.networking.k8s.io"].contains($0.group) })
        let before = state
        for key in state.keys({ $0.kind == resource.kind }) { state[key] = nil }
        timeline.note("  \(resource.name) are no kind any more")
        for mixed in state.mixes(from: before) { try timeline.begin(allowed: mixed.allowed(pairs, pods)) }
        server.remove(resource)
        server.delete(Self.definitions, name: "\(resource.name).\(resource.group)")
        try settle("the removal of \(resource.name)")
        usleep(1_200_000)
        try settle("the end of \(resource.name)")
        server.install(resource)
        usleep(50_000)
        try announce(resource)
        let without = state
        state = before
        try write(from: without)
    }

    private func announce(_ resource: APIResource) throws {
        try server.apply(
            "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, "
                + "metadata: {name: \(resource.name).\(resource.group)}}")
    }

    /// What the agent has to say of itself.
    private func agentsView() -> String {
        ["status", "policies", "identities", "endpoints"].map { command in
            let run = try? BuiltNetpold.run([command, "--json", "--instance", agent.instance])
            return "\(command): \(run?.output ?? "")\(run?.errors ?? "")"
        }.joined(separator: "\n")
    }

    /// Waits until the kernel has what a compile from scratch gives; then nothing is in flight for a while.
    private func settle(_ what: String) throws {
        let settling = ChaosSettling(reader: reader, agent: agent, timeline: timeline, limit: .seconds(60))
        do {
            try settling.wait(for: state.objects(), after: what)
        } catch let error as PodNetworkError {
            throw PodNetworkError("\(error)\n\(agentsView())")
        }
        let begin = ContinuousClock.now
        usleep(400_000)
        timeline.wasQuiet(since: begin)
        quietPoints += 1
    }
}
