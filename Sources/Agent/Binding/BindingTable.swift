public import BPFEmit
public import NetTypes
public import PolicyAPI

/// Which interface of the host is which pod, decided by what the host knows and never weakened: events in, values out, no I/O
/// and no clock. The desired state is made from its values alone.
///
/// Rules, each with a test by name:
///
/// 1. Evidence is ranked (`EvidenceRank`). What a namespace shows of itself binds at most once, where nothing better exists
///    and nobody else shows the same.
/// 2. A binding lasts until its interface is gone. Missing or worse knowledge changes nothing: the pod keeps the labels and
///    addresses it had last. Only better evidence for another pod rebinds.
/// 3. All veths of a namespace are its pod's.
/// 4. A pod sends from the addresses of its Pod object, or those that the runtime noted; never from those found inside.
/// 5. What is a pod's and has no Pod object gets the deny stub; it keeps that until its object comes or it is gone.
/// 6. Whatever cannot be enforced is a condition.
public struct BindingTable: Sendable {
    /// Where the Pod objects come from.
    public enum Source: Hashable, Sendable {
        /// A folder, which may leave out pods: system ones, those of other tools.
        case folder
        /// The API server, which knows every pod.
        case apiServer
    }

    /// What the user chose.
    public struct Settings: Hashable, Sendable {
        /// This node's name (`NodeName.resolve`).
        public var node: String
        /// Where the Pod objects come from.
        public var source: Source
        /// What becomes of namespaces without Pod object.
        public var unknown: UnknownNamespaces
        /// After how many looks at the host a running pod that was not found is a severe condition.
        public var patience: Int

        /// Settings. Without `unknown` it is the source's default: `isolate` with the API server, `open` with a folder.
        public init(node: String, source: Source, unknown: UnknownNamespaces? = nil, patience: Int = 8) {
            self.node = node
            self.source = source
            self.unknown = unknown ?? (source == .apiServer ? .isolate : .open)
            self.patience = patience
        }
    }

    /// The settings.
    public let settings: Settings
    /// The bindings as of the latest event.
    public private(set) var view = BindingView()
    /// What the next agent has to be told. Changes with `BindingChange.changesRecords`.
    public private(set) var records: BindingRecords?

    var directory = PodDirectory()
    var evidence: HostEvidence?
    var bindings: [UInt32: Binding] = [:]
    /// Addresses that programs pinned by an earlier agent let pass, by interface.
    var pinned: [UInt32: [IPAddress]]
    /// Contradictions of the latest resolution, by interface.
    var contradictions: [UInt32: String] = [:]
    /// For how many looks a local pod has not been found, by name.
    var absences: [String: Int] = [:]
    /// For how many looks an interface that is not bound has led into a namespace without an address, by number: such a one is being made.
    var bareLooks: [UInt32: Int] = [:]
    private(set) var nodes: Set<String> = []
    private var remembered: BindingRecords?
    private var isSynced = false
    /// Pods that are compiled as something else than their object, by the name they are compiled under.
    private var overlay: [String: Pod] = [:]
    /// What a change of a Pod object has to speak of to matter here.
    private var relevant = Relevance()

    /// A table that has seen nothing. `records` are what an earlier agent of this instance wrote down, used if it was of the
    /// same life of the host; `pinned` are the addresses that an earlier agent's programs let pass, by interface.
    public init(_ settings: Settings, records: BindingRecords? = nil, pinned: [UInt32: [IPAddress]] = [:]) {
        self.settings = settings
        self.remembered = records
        self.pinned = pinned
    }

    // MARK: events

    /// Pod objects came, changed or went, all at once. Costs nothing more where none of them matters to this node.
    public mutating func update(_ pods: [BindingChange.PodChange]) -> BindingChange {
        let wasNodeKnown = isNodeKnown
        var before: [String: Pod?] = [:]
        var matters = false
        for change in pods {
            let name = change.qualifiedName
            let old = directory[name]
            guard change.pod != old else { continue }
            if let pod = change.pod { directory.set(pod) } else { directory.remove(name) }
            if before[name] == nil { before[name] = .some(old) }
            matters = matters || [old, change.pod].compactMap(\.self).contains { isLocal($0) || relevant.concerns($0) }
        }
        if matters || wasNodeKnown != isNodeKnown { return resolved(before) }
        var change = BindingChange()
        change.pods = before.keys.sorted().compactMap { name in podChange(name, from: before[name] ?? nil) }
        return change
    }

    /// A Node object came.
    public mutating func add(node: String) -> BindingChange {
        let wasNodeKnown = isNodeKnown
        nodes.insert(node)
        return wasNodeKnown == isNodeKnown ? BindingChange() : resolved()
    }

    /// A Node object is gone.
    public mutating func remove(node: String) -> BindingChange {
        let wasNodeKnown = isNodeKnown
        nodes.remove(node)
        return wasNodeKnown == isNodeKnown ? BindingChange() : resolved()
    }

    /// The source has told all objects that there are: from now on one that is not known does not exist. Nothing is bound
    /// before.
    public mutating func sync() -> BindingChange {
        guard !isSynced else { return BindingChange() }
        isSynced = true
        return resolved()
    }

    /// The host was looked at.
    public mutating func observe(_ evidence: HostEvidence) -> BindingChange {
        self.evidence = evidence
        return resolved(isLook: true)
    }

    /// The pod that is to be compiled under a `namespace/name`; `nil` when none is.
    public func effectivePod(_ name: String) -> Pod? { overlay[name] ?? directory[name] }

    // MARK: resolution

    /// Whether a Pod object says that the pod runs here.
    func isLocal(_ pod: Pod) -> Bool {
        pod.nodeName == settings.node || (pod.nodeName.isEmpty && settings.source == .folder)
    }

    /// Whether an object names this node, or none names any.
    var isNodeKnown: Bool {
        nodes.contains(settings.node) || directory.namesNode(settings.node)
            || (nodes.isEmpty && !directory.namesNodes)
    }

    /// Resolves anew. `before` holds the objects that changed, as they were; `isLook` says that the host was looked at.
    mutating func resolved(_ before: [String: Pod?] = [:], isLook: Bool = false) -> BindingChange {
        let oldOverlay = overlay
        var change = BindingChange()
        if let evidence, isSynced {
            let old = (view: view, records: records)
            restore(evidence)
            resolve(evidence)
            if isLook { countAbsences(evidence) }
            publish(evidence)
            change.changesView = old.view != view
            change.changesEndpoints = old.view.links != view.links || old.view.stubs != view.stubs
            change.changesRecords = old.records != records
        }
        for name in Set(before.keys).union(oldOverlay.keys).union(overlay.keys).sorted() {
            let object = before[name] ?? directory[name]
            if let told = podChange(name, from: oldOverlay[name] ?? object) { change.pods.append(told) }
        }
        return change
    }

    /// How the pod compiled under a name differs from what it was.
    private func podChange(_ name: String, from old: Pod?) -> BindingChange.PodChange? {
        let now = effectivePod(name)
        guard old != now else { return nil }
        if let now { return .upsert(now) }
        return old.map { .remove(namespace: $0.metadata.namespace, name: $0.metadata.name) }
    }

    /// Takes over what an earlier agent had bound, once.
    private mutating func restore(_ evidence: HostEvidence) {
        guard let remembered else { return }
        self.remembered = nil
        guard remembered.version == BindingRecords.currentVersion, remembered.host == evidence.host else { return }
        let links = Dictionary(evidence.links.map { ($0.ifindex, $0) }) { first, _ in first }
        for entry in remembered.bindings {
            guard let binding = links[entry.ifindex].flatMap(entry.binding) else { continue }
            bindings[entry.ifindex] = binding
            // What it was programmed for follows from this: it must not count for more.
            pinned[entry.ifindex] = nil
        }
    }

    /// Counts looks at the host in which a local pod was not found, or a namespace had no address.
    private mutating func countAbsences(_ evidence: HostEvidence) {
        let bare = LinkGroup.all(of: evidence).filter(\.isBare).flatMap(\.links).map(\.ifindex)
            .filter { bindings[$0] == nil }
        bareLooks = Dictionary(bare.map { ($0, bareLooks[$0, default: 0] + 1) }) { first, _ in first }
        let names = waiting.map(\.qualifiedName)
        absences = Dictionary(names.map { ($0, absences[$0, default: 0] + 1) }) { first, _ in first }
    }

    private mutating func publish(_ evidence: HostEvidence) {
        let publication = Publication(of: self, evidence)
        view = publication.view
        overlay = publication.overlay
        relevant = Relevance(self, evidence)
        let entries = bindings.sorted { $0.key < $1.key }.map { BindingRecords.Entry($0.value) }
        records = BindingRecords(host: evidence.host, bindings: entries)
    }
}
