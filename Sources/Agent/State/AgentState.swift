public import BPFEmit
public import NetTypes
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
        /// This node, and what becomes of namespaces without Pod object.
        public var binding: BindingTable.Settings
        /// What becomes of a refused new policy.
        public var onRefused: RefusedPolicy
        /// How long after an apply inputs are gathered before the next one, milliseconds. What comes later is compiled at once.
        public var debounce: Int
        /// What the operator should know from the start, for as long as the agent runs.
        public var standing: [Condition]

        /// Settings.
        public init(
            binding: BindingTable.Settings, onRefused: RefusedPolicy = .isolate, debounce: Int = 5,
            standing: [Condition] = []
        ) {
            self.standing = standing
            self.binding = binding
            self.onRefused = onRefused
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
    /// Which interface is which pod.
    public private(set) var binding: BindingTable

    /// How it stands with each policy of the sources.
    private(set) var policies: [ObjectKey: PolicyStanding] = [:]
    /// The policies that no source has any more and that are in force, with why, in words.
    var policiesKept: [ObjectKey: String] { keeper.policiesKept.filter { policies[$0.key] == nil } }
    /// How many policies are in force as written, as last accepted, or although they were deleted.
    var policiesInForce: Int { store.policiesInForce + policiesKept.count }

    /// Whether the host was looked at.
    private var hasEvidence = false
    /// The node's own addresses as last seen, and as last handed out.
    private var ownAddresses: [IPAddress] = []
    private var handedOutAddresses: [IPAddress]?
    /// The networks of those, as last seen and as last handed out.
    private var ownNetworks: [IPPrefix] = []
    private var handedOutNetworks: [IPPrefix] = []
    /// Whom the interfaces are enslaved to, as last seen.
    private var masters: [UInt32: [UInt32]] = [:]
    /// Pods that are to be compiled otherwise than as last handed out.
    private var podChanges: [ObjectKey: ObjectChange] = [:]
    /// What namespaces that go leave for the pods that stay.
    private(set) var keeper: NamespaceKeeper
    /// Those with pods here, as of what was handed out last.
    private var occupied = NamespaceKeeper.Occupied()
    /// What stays of this node's object.
    private var nodeKeeper: NodeKeeper
    private var recordedLabels: [String: String]?
    /// What was written down of namespaces last.
    private var recordedNamespaces: [String: BindingRecords.NamespaceRecord] = [:]
    private var hookConditions: [Condition] = []
    private var failure: Condition?
    private var raised: Set<Condition> = []
    /// The delay asked for last, `nil` when none is running.
    private var pendingDelay: Int?
    private var isApplying = false
    /// Whether something was handed out in this life.
    private var hasHandedOut = false
    private var compileConditions: [Condition] = []
    private var isIncomplete = false
    private var failures = 0

    /// An agent that has seen nothing yet. Nothing is applied before all of `sources` have reported. `records` are the
    /// bindings of an earlier agent of the instance, `pinned` the addresses that its programs let pass, by interface.
    public init(
        settings: Settings, sources: Set<ObjectSourceID>, records: BindingRecords? = nil,
        pinned: [UInt32: [IPAddress]] = [:]
    ) {
        self.settings = settings
        self.sources = sources
        self.binding = BindingTable(settings.binding, records: records, pinned: pinned)
        let asksServer = settings.binding.source == .apiServer
        self.keeper = NamespaceKeeper(remembered: records?.namespaces ?? [:], asksServer: asksServer)
        self.nodeKeeper = NodeKeeper(
            node: settings.binding.node, isKeeping: asksServer, remembered: records?.nodeLabels)
        self.store = ObjectStore(onRefused: settings.onRefused)
    }

    /// This node's name: the same for as long as the agent lives.
    public var node: String { settings.binding.node }

    /// Whether everything seen is in force.
    public var isInForce: Bool {
        generation > 0 && appliedGeneration == generation && !isApplying && !isIncomplete && failure == nil
            && !store.isSettling && !keeper.isAsking
    }

    /// What the operator should know, sorted.
    public var conditions: [Condition] { raised.sorted() }

    /// Takes one event; the actions are to be done in order.
    public mutating func on(_ event: AgentEvent) -> [AgentAction] {
        var actions: [AgentAction] = []
        switch event {
        case .objects(let batch):
            let effect = store.take(batch)
            let change = bind(effect.keys)
            if effect.hasSynced || !effect.keys.isEmpty { actions += changed() }
            for key in effect.policies {
                let since = effect.keys.contains(key) ? generation : policies[key]?.generation ?? generation
                policies[key] = store.standing(key, since: since)
            }
            actions += record(
                change, others: effect.keys.contains { $0.objectKind == .namespace || $0.objectKind == .node })
        case .node(let seen):
            let change = binding.observe(seen)
            let isNews = !hasEvidence || change.changesEndpoints || !change.pods.isEmpty
            hasEvidence = true
            let own = seen.addresses.filter(\.canNameNode)
            let networks = seen.networks.filter { $0.address.canNameNode }
            if isNews || own != ownAddresses || networks != ownNetworks || seen.masters != masters {
                ownAddresses = own
                ownNetworks = networks
                masters = seen.masters
                take(change.pods)
                actions += changed()
            }
            actions += record(change.changesRecords)
        case .reconcileDue:
            pendingDelay = nil
            // A failed audit is a failure too, although nothing new was to be put in force.
            if appliedGeneration != generation || isIncomplete || failure != nil || waitsForConfirmation {
                actions += reconcile()
            }
        case .resync:
            if isInForce { actions += reconcile() }
        case .applied(let generation, let report, let diagnostics, let hooks):
            isApplying = false
            hookConditions = hooks.map(AgentState.condition)
            failure = nil
            if generation != appliedGeneration || report.changedAnything { applyCount += 1 }
            appliedGeneration = generation
            self.report = report
            compileConditions = diagnostics.map(AgentState.condition)
            isIncomplete = report.endpoints.contains { $0.failure != nil } || report.serversNotAsked != nil
            failures = isIncomplete ? failures + 1 : 0
            let isRetry = isIncomplete && generation == self.generation
            let isLook = !isRetry && waitsForConfirmation && generation == self.generation
            actions += reconcile(
                after: isRetry
                    ? AgentState.backoff(failures)
                    : isLook ? AgentState.confirmationInterval : settings.debounce)
        case .applyFailed(_, let message):
            isApplying = false
            failures += 1
            failure = Condition(
                kind: .applyFailed, subject: "datapath",
                message: "\(message); the previous state stays in force, retrying")
            actions += reconcile(after: AgentState.backoff(failures))
        case .namespaceSeen(let question, let isEnding):
            if keeper.answer(question, isEnding: isEnding) { actions += changed() }
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
        if diagnostic.id == .servicesLeftOut { return .servicesLeftOut }
        switch diagnostic.severity {
        case .error: return .compiledClosed
        case .warning, .note: return .policyWarning
        }
    }

    /// The condition of a finding.
    static func condition(_ finding: HookFinding) -> Condition {
        Condition(
            kind: finding.isOpen ? .hookBypassed : .hookWithoutPod,
            subject: finding.key.map { "\($0)" } ?? "interface \(finding.ifindex)", message: "\(finding)")
    }

    /// Notes that the inputs are others. The first change after a while is not kept waiting; many in a row are taken together, with
    /// a rest after each apply, so that they do not keep the node busy. So are those of the start.
    private mutating func changed() -> [AgentAction] {
        generation += 1
        guard isReady else { return [] }
        let isRested = hasHandedOut && pendingDelay == nil && !isApplying
        return isRested ? reconcile() : reconcile(after: settings.debounce)
    }

    /// Gives the binding what changed; answers whether its records did.
    private mutating func bind(_ keys: Set<ObjectKey>) -> Bool {
        var pods: [BindingChange.PodChange] = []
        var changes: [BindingChange] = []
        for key in keys.sorted() {
            let object = store.object(key)
            if key.objectKind == .pod {
                if case .pod(let pod)? = object {
                    pods.append(.upsert(pod))
                } else {
                    pods.append(.remove(namespace: key.namespace, name: key.name))
                }
            } else if key.objectKind == .node {
                changes.append(object == nil ? binding.remove(node: key.name) : binding.add(node: key.name))
            }
        }
        if !pods.isEmpty { changes.append(binding.update(pods)) }
        if sources.allSatisfy(store.hasSynced) { changes.append(binding.sync()) }
        for change in changes { take(change.pods) }
        return changes.contains(where: \.changesRecords)
    }

    private mutating func take(_ pods: [BindingChange.PodChange]) {
        for change in pods {
            switch change {
            case .upsert(let pod):
                let object = ClusterObject.pod(pod)
                podChanges[object.key] = .upsert(object)
            case .remove(let namespace, let name):
                let key = ObjectKey(kind: ObjectKind.pod.rawValue, namespace: namespace, name: name)
                podChanges[key] = .delete(key)
            }
        }
    }

    /// Writes the bindings down where they are others, or, where those may be, their namespaces or the node's labels.
    private mutating func record(_ isNew: Bool, others mayDiffer: Bool = false) -> [AgentAction] {
        guard isNew || mayDiffer, var records = binding.records else { return [] }
        let namespaces = keeper.records(of: NamespaceKeeper.Occupied(binding.view), in: store)
        let labels = nodeKeeper.labels(in: store)
        guard isNew || namespaces != recordedNamespaces || labels != recordedLabels else { return [] }
        (recordedNamespaces, recordedLabels) = (namespaces, labels)
        records.namespaces = namespaces
        records.nodeLabels = labels
        return [.record(records)]
    }

    private var isReady: Bool { hasEvidence && sources.allSatisfy(store.hasSynced) }

    /// How often it is looked, milliseconds, whether somebody has confirmed host policies, or their time is over: the kernel knows.
    private static let confirmationInterval = 2000

    /// Whether a change of host policies waits for somebody.
    private var waitsForConfirmation: Bool {
        if case .pending? = report?.host?.confirmation { true } else { false }
    }

    /// 0.5 s, 1 s, 2 s ... 32 s, in milliseconds.
    private static func backoff(_ failures: Int) -> Int { 500 << min(max(failures - 1, 0), 6) }

    private mutating func reconcile() -> [AgentAction] {
        guard !isApplying, isReady else { return [] }
        isApplying = true
        hasHandedOut = true
        // What it ends with says how long to wait. A `.reconcileDue` of before it does no harm.
        pendingDelay = nil
        let view = binding.view
        let wasKept = keeper.kept
        let wasOccupied = occupied
        let desired = DesiredChanges(
            generation: generation, node: node, changes: takeChanges(), links: view.links, masters: masters,
            stubs: view.stubs.map { DenyStub(key: $0.key, addresses: $0.addresses) })
        let mayDiffer = keeper.takeNews() || keeper.kept != wasKept || occupied != wasOccupied
        return record(false, others: mayDiffer) + [.reconcile(desired)]
            + keeper.takeQuestions().map(AgentAction.look)
    }

    /// What is in force otherwise than at the last call: objects, pods as they are bound, the node's own addresses.
    private mutating func takeChanges() -> [ObjectChange] {
        // Pods are compiled as the binding has them: their objects may no longer say what they are.
        occupied = NamespaceKeeper.Occupied(binding.view)
        let all = store.takeChanges()
        let others = nodeKeeper.filter(all.filter { $0.podKey == nil }, in: store)
        var changes = keeper.filter(others, occupied: occupied, in: store)
        changes += takePods(all)
        if ownAddresses != handedOutAddresses { changes.append(.ownAddresses(ownAddresses)) }
        handedOutAddresses = ownAddresses
        if ownNetworks != handedOutNetworks { changes.append(.ownNetworks(ownNetworks)) }
        handedOutNetworks = ownNetworks
        return changes
    }

    /// Pods as the binding has them; in the place of those that it has not, what stands for them while their objects are refused.
    private mutating func takePods(_ changes: [ObjectChange]) -> [ObjectChange] {
        for change in changes {
            guard let key = change.podKey, binding.effectivePod("\(key.namespace)/\(key.name)") == nil else { continue }
            podChanges[key] = podChanges[key] ?? change
        }
        defer { podChanges = [:] }
        return podChanges.sorted { $0.key < $1.key }.map { key, change in
            guard case .delete = change, let policies = store.standIns(for: key) else { return change }
            return .standIns(policies, for: key)
        }
    }

    private mutating func reconcile(after milliseconds: Int) -> [AgentAction] {
        // A change must not wait for the end of a long delay between retries. The second `.reconcileDue` does no harm.
        if let pendingDelay, pendingDelay <= milliseconds { return [] }
        pendingDelay = milliseconds
        return [.reconcileLater(milliseconds: milliseconds)]
    }

    private mutating func conditionChanges() -> [AgentAction] {
        var current = Set(settings.standing + store.conditions + keeper.conditions + nodeKeeper.conditions)
        current.formUnion(binding.view.conditions)
        current.formUnion(compileConditions + hookConditions)
        if let failure { current.insert(failure) }
        for endpoint in report?.endpoints ?? [] {
            guard let reason = endpoint.failure else { continue }
            current.insert(Condition(kind: .endpointFailed, subject: "\(endpoint.key)", message: reason))
        }
        if let host = report?.host { current.formUnion(Condition.host(host)) }
        if let leftOut = report.flatMap({ Condition.servicesLeftOut($0.servicesLeftOut) }) { current.insert(leftOut) }
        if let report,
            let names = Condition.namesLeftOut(
                report.patternsLeftOut, denied: report.patternsDenied, entries: report.namesLeftOut)
        {
            current.insert(names)
        }
        if let reason = report?.serversNotAsked {
            current.insert(
                Condition(
                    kind: .serversNotAsked, subject: "proxy",
                    message:
                        "\(reason): policies have changed, and of connections that the L7 proxy carries some are denied until that "
                        + "is tried again"))
        }
        let actions =
            current.subtracting(raised).sorted().map(AgentAction.raise)
            + raised.subtracting(current).sorted().map(AgentAction.clear)
        raised = current
        return actions
    }
}

extension ObjectChange {
    /// The key of the Pod object that it is of; `nil`: it is of something else.
    fileprivate var podKey: ObjectKey? {
        switch self {
        case .upsert(let object): object.key.objectKind == .pod ? object.key : nil
        case .delete(let key), .standIns(_, let key): key.objectKind == .pod ? key : nil
        case .name, .ownAddresses, .ownNetworks: nil
        }
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
