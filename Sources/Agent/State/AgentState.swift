public import BPFEmit
import PolicyAPI
import PolicyAnalysis

/// The agent's core: inputs in, work to do out. No I/O and no clock.
///
/// Inputs are held as last seen, and the desired state is made from all of them at once, so their order does not matter.
/// Nothing is asked for before the manifests and the node have been seen: an agent that starts must not take
/// away what its predecessor left in the kernel.
public struct AgentState: Sendable {
    /// What the user chose.
    public struct Settings: Sendable {
        /// This node's name, or empty: the node of pods that name none, else the first name that the manifests have.
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

    private var lastSnapshot: ManifestSnapshot?
    private var snapshot: NodeSnapshot?
    private var unavailable: Condition?
    private var failure: Condition?
    private var raised: Set<Condition> = []
    /// The delay asked for last, `nil` when none is running.
    private var pendingDelay: Int?
    private var isApplying = false
    private var compileConditions: [Condition] = []
    private var isIncomplete = false
    private var failures = 0

    /// An agent that has seen nothing yet.
    public init(settings: Settings) {
        self.settings = settings
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
        case .remembered(let snapshot):
            if lastSnapshot == nil { store.absorb(snapshot) }
            return []
        case .manifests(let snapshot):
            unavailable = nil
            if snapshot != lastSnapshot {
                lastSnapshot = snapshot
                store.absorb(snapshot)
                actions += changed()
            }
        case .manifestsUnavailable(let reason):
            unavailable = Condition(
                kind: .manifestsUnavailable, subject: "manifests",
                message: "\(reason); everything last read stays in force")
        case .node(let seen):
            if seen != snapshot {
                snapshot = seen
                actions += changed()
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
                message: "\(message); the state before it stays in force, trying again")
            actions += reconcile(after: AgentState.backoff(failures))
        }
        return actions + conditionChanges()
    }

    /// The inputs of the desired state; `nil` until manifests and node have both been seen.
    public func desired() -> DesiredInputs? {
        guard lastSnapshot != nil, let snapshot else { return nil }
        var inputs = DesiredInputs(
            generation: generation, objects: store.objects, isolating: store.isolating, endpoints: endpoints,
            interfaces: Dictionary(
                endpoints.attached.map { ($0.key, $0.interface.ifindex) }, uniquingKeysWith: { first, _ in first }),
            nodeAddresses: snapshot.addresses, node: node)
        if settings.isolateUnknown { UnknownIsolation.add(endpoints.unknown, to: &inputs) }
        return inputs
    }

    /// This node's name.
    public var node: String {
        settings.node.isEmpty ? NodeCompiler.defaultNode(of: store.objects) : settings.node
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

    private mutating func changed() -> [AgentAction] {
        generation += 1
        endpoints = EndpointMatch(
            pods: store.objects.pods, namespaces: snapshot?.namespaces ?? [], node: node)
        guard lastSnapshot != nil, snapshot != nil else { return [] }
        return reconcile(after: settings.debounce)
    }

    /// 0.5 s, 1 s, 2 s ... 32 s, in milliseconds.
    private static func backoff(_ failures: Int) -> Int { 500 << min(max(failures - 1, 0), 6) }

    private mutating func reconcile() -> [AgentAction] {
        guard !isApplying, let inputs = desired() else { return [] }
        isApplying = true
        return [.reconcile(inputs)]
    }

    private mutating func reconcile(after milliseconds: Int) -> [AgentAction] {
        // A change must not wait for the end of a long delay between retries. The second `.reconcileDue` does no harm.
        if let pendingDelay, pendingDelay <= milliseconds { return [] }
        pendingDelay = milliseconds
        return [.reconcileLater(milliseconds: milliseconds)]
    }

    private mutating func conditionChanges() -> [AgentAction] {
        var current = Set(store.conditions + endpoints.conditions + compileConditions)
        if let unavailable { current.insert(unavailable) }
        if let failure { current.insert(failure) }
        if lastSnapshot != nil, !settings.isolateUnknown {
            for stranger in endpoints.unknown {
                let addresses = stranger.interface.addresses.sorted().map(\.description).joined(separator: ", ")
                current.insert(
                    Condition(
                        kind: .unenforcedNamespace, subject: stranger.netns,
                        message: "interface \(stranger.interface.name) (\(addresses)) belongs to no pod of the "
                            + "manifests: nothing is enforced on it; add the pod, or run with --isolate-unknown"))
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
