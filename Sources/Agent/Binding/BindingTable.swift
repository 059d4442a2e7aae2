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

        /// Settings.
        ///
        /// - Parameter unknown: `nil` for the source's default: `isolate` with the API server, `open` with a folder.
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
    private var nodes: Set<String> = []
    private var remembered: BindingRecords?
    private var isSynced = false
    /// Pods that are compiled as something else than their object, by the name they are compiled under.
    private var overlay: [String: Pod] = [:]
    /// What a change of a Pod object has to speak of to matter here.
    private var relevant = Relevance()

    /// A table that has seen nothing.
    ///
    /// - Parameters:
    ///   - records: what an earlier agent of this instance wrote down; used if it was of the same life of the host.
    ///   - pinned: by interface, the addresses that an earlier agent's programs let pass.
    public init(_ settings: Settings, records: BindingRecords? = nil, pinned: [UInt32: [IPAddress]] = [:]) {
        self.settings = settings
        self.remembered = records
        self.pinned = pinned
    }

    // MARK: events

    /// A Pod object came or changed.
    public mutating func upsert(_ pod: Pod) -> BindingChange {
        let old = directory[pod.qualifiedName]
        guard old != pod else { return BindingChange() }
        let wasNodeKnown = isNodeKnown
        directory.set(pod)
        return change(of: pod.qualifiedName, from: old, wasNodeKnown)
    }

    /// A Pod object is gone.
    public mutating func remove(namespace: String, name: String) -> BindingChange {
        let name = "\(namespace)/\(name)"
        let wasNodeKnown = isNodeKnown
        guard let old = directory.remove(name) else { return BindingChange() }
        return change(of: name, from: old, wasNodeKnown)
    }

    /// The Pod objects are these, all of them.
    public mutating func replace(pods: [Pod]) -> BindingChange {
        let before = directory.pods
        let names = Set(pods.map(\.qualifiedName))
        for name in before.keys where !names.contains(name) { directory.remove(name) }
        for pod in pods where before[pod.qualifiedName] != pod { directory.set(pod) }
        return changes(of: names.union(before.keys), before: before)
    }

    /// The Node objects have these names.
    public mutating func set(nodes: Set<String>) -> BindingChange {
        guard nodes != self.nodes else { return BindingChange() }
        self.nodes = nodes
        return changes(of: [], before: [:])
    }

    /// The source has told all objects that there are: from now on one that is not known does not exist. Nothing is bound
    /// before.
    public mutating func sync() -> BindingChange {
        guard !isSynced else { return BindingChange() }
        isSynced = true
        return changes(of: [], before: [:])
    }

    /// The host was looked at.
    public mutating func observe(_ evidence: HostEvidence) -> BindingChange {
        self.evidence = evidence
        return changes(of: [], before: [:], isLook: true)
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

    private mutating func change(of name: String, from old: Pod?, _ wasNodeKnown: Bool) -> BindingChange {
        let matters = [old, directory[name]].compactMap(\.self).contains { isLocal($0) || relevant.concerns($0) }
        if matters || wasNodeKnown != isNodeKnown {
            return changes(of: [name], before: old.map { [name: $0] } ?? [:])
        }
        var change = BindingChange()
        if let pod = directory[name] {
            change.pods = [.upsert(pod)]
        } else if let old {
            change.pods = [.remove(namespace: old.metadata.namespace, name: old.metadata.name)]
        }
        return change
    }

    /// Resolves anew.
    ///
    /// - Parameters:
    ///   - names: the objects that may have changed.
    ///   - before: what those were.
    ///   - isLook: whether the host was looked at.
    private mutating func changes(
        of names: Set<String>, before: [String: Pod], isLook: Bool = false
    ) -> BindingChange {
        let oldOverlay = overlay
        var change = BindingChange()
        if let evidence, isSynced {
            let old = (view, records)
            restore(evidence)
            resolve(evidence)
            if isLook { countAbsences() }
            publish(evidence)
            change.changesView = old.0 != view
            change.changesRecords = old.1 != records
        }
        for name in names.union(oldOverlay.keys).union(overlay.keys).sorted() {
            let was = oldOverlay[name] ?? (names.contains(name) ? before[name] : directory[name])
            let now = effectivePod(name)
            guard was != now else { continue }
            if let now {
                change.pods.append(.upsert(now))
            } else if let was {
                change.pods.append(.remove(namespace: was.metadata.namespace, name: was.metadata.name))
            }
        }
        return change
    }

    /// Takes over what an earlier agent had bound, once.
    private mutating func restore(_ evidence: HostEvidence) {
        guard let remembered else { return }
        self.remembered = nil
        guard remembered.version == BindingRecords.currentVersion, remembered.host == evidence.host else { return }
        let links = Dictionary(evidence.links.map { ($0.ifindex, $0) }) { first, _ in first }
        for entry in remembered.bindings {
            bindings[entry.ifindex] = links[entry.ifindex].flatMap(entry.binding)
        }
    }

    /// Counts looks at the host in which a local pod was not found.
    private mutating func countAbsences() {
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
