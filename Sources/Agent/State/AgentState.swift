public import BPFEmit
import NetTypes
import PolicyAPI
import PolicyAnalysis

/// The agent's core: inputs in, work to do out. No I/O and no clock.
///
/// A reducer: objects are held by key as last reported, the node as last observed, and what is in force otherwise than before
/// is handed out with each reconciliation. So the order in which inputs come does not matter.
/// Nothing is asked for before every source has named all its objects and the node was observed: an agent that starts must not
/// take away what its predecessor left in the kernel.
public struct AgentState: Sendable {
    /// What the user chose.
    public struct Settings: Sendable {
        /// This node's name, or empty: the node of pods that name none, else the first name that the objects have.
        public var node: String
        /// What becomes of a refused new policy.
        public var onRefused: RefusedPolicy
        /// Whether namespaces without a pod are isolated.
        public var isolateUnknown: Bool
        /// How long inputs must be quiet before they are compiled, milliseconds.
        public var debounce: Int

        /// Settings.
        public init(
            node: String = "", onRefused: RefusedPolicy = .isolate, isolateUnknown: Bool = false, debounce: Int = 50
        ) {
            self.node = node
            self.onRefused = onRefused
            self.isolateUnknown = isolateUnknown
            self.debounce = debounce
        }
    }

    /// The settings.
    public let settings: Settings
    /// The sources without which nothing is asked for.
    private let sources: Set<ObjectSourceID>
    /// The objects in force.
    public private(set) var store: ObjectStore
    /// Counts changes of the inputs.
    public private(set) var generation: UInt64 = 0
    /// The generation the kernel holds, 0 before the first apply.
    public private(set) var appliedGeneration: UInt64 = 0
    /// How many times the kernel was brought to a new state.
    public private(set) var applyCount: UInt64 = 0
    /// The latest report of the datapath.
    public private(set) var report: ApplyReport?
    /// Which pods are where, as of the latest inputs.
    public private(set) var endpoints = EndpointMatch(pods: [], namespaces: [], node: "")

    /// This node's name.
    public private(set) var node: String

    private var snapshot: NodeSnapshot?
    private var unknownIsolation = UnknownIsolation()
    /// What was handed out last, of what no source names.
    private var handedOut = (isolation: UnknownIsolation(), addresses: [IPAddress]?.none)
    private var failure: Condition?
    private var raised: Set<Condition> = []
    /// The delay asked for last, `nil` when none is running.
    private var pendingDelay: Int?
    private var isApplying = false
    private var compileConditions: [Condition] = []
    private var isIncomplete = false
    private var failures = 0

    /// An agent that has seen nothing yet. Nothing is applied before all of `sources` have reported.
    public init(settings: Settings, sources: Set<ObjectSourceID>) {
        self.settings = settings
        self.sources = sources
        self.node = settings.node
        self.store = ObjectStore(onRefused: settings.onRefused)
    }

    /// Whether everything seen is in force.
    public var isInForce: Bool {
        generation > 0 && appliedGeneration == generation && !isApplying && !isIncomplete
    }

    /// What the operator should know, sorted.
    public var conditions: [Condition] { raised.sorted() }

    /// Takes one event; the actions are to be done in order.
    public mutating func on(_ event: AgentEvent) -> [AgentAction] {
        var actions: [AgentAction] = []
        switch event {
        case .objects(let batch):
            let effect = store.take(batch)
            if effect.hasSynced || !effect.keys.isEmpty {
                actions += changed(pods: effect.keys.contains { $0.objectKind == .pod || $0.objectKind == .node })
            }
        case .node(let seen):
            if seen != snapshot {
                snapshot = seen
                actions += changed(pods: true)
            }
        case .reconcileDue:
            pendingDelay = nil
            if appliedGeneration != generation || isIncomplete { actions += reconcile() }
        case .resync:
            if isInForce { actions += reconcile() }
        case .applied(let generation, let report, let diagnostics):
            isApplying = false
            failure = nil
            if generation != appliedGeneration || report.changedAnything { applyCount += 1 }
            appliedGeneration = generation
            self.report = report
            compileConditions = diagnostics.map(AgentState.condition)
            isIncomplete = report.endpoints.contains { $0.failure != nil }
            failures = isIncomplete ? failures + 1 : 0
            if generation != self.generation {
                actions += reconcile(after: settings.debounce)
            } else if isIncomplete {
                actions += reconcile(after: AgentState.backoff(failures))
            }
        case .applyFailed(_, let message):
            isApplying = false
            failures += 1
            failure = Condition(
                kind: .applyFailed, subject: "datapath",
                message: "\(message); the previous state stays in force, retrying")
            actions += reconcile(after: AgentState.backoff(failures))
        }
        return actions + conditionChanges()
    }

    private static func condition(_ diagnostic: Diagnostic) -> Condition {
        Condition(
            kind: kind(diagnostic), subject: diagnostic.location.map { $0.file } ?? "policies",
            message: DiagnosticRenderer().render(diagnostic))
    }

    private static func kind(_ diagnostic: Diagnostic) -> Condition.Kind {
        // Nobody is isolated in place of a host policy: nodes are not protected as it says.
        if diagnostic.id == .hostPolicy { return .refusedIgnored }
        switch diagnostic.severity {
        case .error: return .compiledClosed
        case .warning, .note: return .policyWarning
        }
    }

    /// Notes that the inputs are others; `pods`: those that decide which pod is where.
    private mutating func changed(pods: Bool) -> [AgentAction] {
        generation += 1
        if pods { placePods() }
        return isReady ? reconcile(after: settings.debounce) : []
    }

    private mutating func placePods() {
        let pods = store.pods
        if settings.node.isEmpty {
            var objects = ClusterObjects()
            objects.pods = pods
            objects.nodes = store.nodes
            node = NodeCompiler.defaultNode(of: objects)
        }
        endpoints = EndpointMatch(pods: pods, namespaces: snapshot?.namespaces ?? [], node: node)
        if settings.isolateUnknown { unknownIsolation = UnknownIsolation(endpoints.unknown, pods: pods) }
    }

    private var isReady: Bool { snapshot != nil && sources.allSatisfy(store.hasSynced) }

    /// 0.5 s, 1 s, 2 s ... 32 s, in milliseconds.
    private static func backoff(_ failures: Int) -> Int { 500 << min(max(failures - 1, 0), 6) }

    private mutating func reconcile() -> [AgentAction] {
        guard !isApplying, isReady else { return [] }
        isApplying = true
        var interfaces = unknownIsolation.interfaces
        for attached in endpoints.attached { interfaces[attached.key] = attached.interface.ifindex }
        return [
            .reconcile(
                DesiredChanges(generation: generation, node: node, changes: takeChanges(), interfaces: interfaces))
        ]
    }

    /// What is in force otherwise than at the last call: objects, isolated namespaces, the node's own addresses.
    private mutating func takeChanges() -> [ObjectChange] {
        var changes = store.takeChanges() + unknownIsolation.changes(from: handedOut.isolation)
        let addresses = (snapshot?.addresses ?? []).filter(\.canNameNode)
        if addresses != handedOut.addresses { changes.append(.ownAddresses(addresses)) }
        handedOut = (unknownIsolation, addresses)
        return changes
    }

    private mutating func reconcile(after milliseconds: Int) -> [AgentAction] {
        // A change must not wait for the end of a long delay between retries. The second `.reconcileDue` does no harm.
        if let pendingDelay, pendingDelay <= milliseconds { return [] }
        pendingDelay = milliseconds
        return [.reconcileLater(milliseconds: milliseconds)]
    }

    private mutating func conditionChanges() -> [AgentAction] {
        var current = Set(store.conditions + endpoints.conditions + compileConditions)
        if let failure { current.insert(failure) }
        if sources.allSatisfy(store.hasSynced), !settings.isolateUnknown {
            for stranger in endpoints.unknown {
                let addresses = stranger.interface.addresses.sorted().map(\.description).joined(separator: ", ")
                current.insert(
                    Condition(
                        kind: .unenforcedNamespace, subject: stranger.netns,
                        message: "interface \(stranger.interface.name) (\(addresses)) belongs to no pod: "
                            + "nothing is enforced on it; add the pod, or run with --isolate-unknown"))
            }
        }
        for endpoint in report?.endpoints ?? [] {
            guard let reason = endpoint.failure else { continue }
            current.insert(Condition(kind: .endpointFailed, subject: "\(endpoint.key)", message: reason))
        }
        let actions =
            current.subtracting(raised).sorted().map(AgentAction.raise)
            + raised.subtracting(current).sorted().map(AgentAction.clear)
        raised = current
        return actions
    }
}

extension IPAddress {
    /// Whether the address may name the node to a pod: neither loopback nor unspecified. Link-local ones may: a pod
    /// reaches its node by them.
    var canNameNode: Bool {
        if let ipv4 { return ipv4 != 0 && ipv4 >> 24 != 127 }
        return high != 0 || low > 1
    }
}
