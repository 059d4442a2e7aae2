import BPFEmit
import PolicyAPI
import PolicyAnalysis
import PolicyIR

/// What becomes of a refused policy that has no last good version.
public enum RefusedPolicy: String, Hashable, Codable, Sendable, CaseIterable {
    /// The pods its selector names are isolated in its directions.
    case isolate = "isolate"
    /// It is only reported.
    case ignore = "ignore"
}

/// The objects in force, by key: as their sources say, and for what is refused its last good version.
///
/// Knows nothing of files. `takeChanges` says what is in force otherwise than before, for an incremental compiler.
public struct ObjectStore: Sendable {
    /// What a source says of an object.
    private struct Entry: Hashable, Sendable {
        var source: ObjectSourceID
        var good: ClusterObject?
        var origin: ObjectOrigin
        private var refusal = Refusal.none

        init(source: ObjectSourceID, good: ClusterObject? = nil, origin: ObjectOrigin) {
            self.source = source
            self.good = good
            self.origin = origin
        }

        var refused: RefusedObject? {
            get { if case .some(let refused) = refusal { refused } else { nil } }
            set { refusal = newValue.map(Refusal.some) ?? .none }
        }
    }

    /// Hardly any object is refused, so the entries of the others have no room for why.
    private indirect enum Refusal: Hashable, Sendable {
        case none
        case some(RefusedObject)
    }

    /// What stands in the kernel for an object.
    private enum InForce: Hashable, Sendable {
        case object(ClusterObject)
        case isolating([LoweredPolicy])
        /// Of which only so much is known that policies that deny by it are refused.
        case unknown(ClusterObject)

        var object: ClusterObject? {
            switch self {
            case .object(let object), .unknown(let object): object
            case .isolating: nil
            }
        }
    }

    private let onRefused: RefusedPolicy
    /// By key: the entry of the source that sorts first.
    private var entries: [ObjectKey: Entry] = [:]
    /// The other sources' entries, sorted by source, of keys that several have.
    private var others: [ObjectKey: [Entry]] = [:]
    private var refusedKeys: Set<ObjectKey> = []
    private var sourceConditions: [ObjectSourceID: [Condition]] = [:]
    private var settling: Set<ObjectSourceID> = []
    private var synced: [ObjectSourceID: Set<ObjectKind>] = [:]
    /// What was in force when `takeChanges` was called last, of the keys touched since.
    private var before: [ObjectKey: InForce?] = [:]
    /// How many policies are in force as written (the last good versions included).
    public private(set) var policiesInForce = 0

    /// An empty store.
    public init(onRefused: RefusedPolicy) {
        self.onRefused = onRefused
    }

    /// What a batch changed.
    struct Effect {
        /// The keys under which something else is in force than before, most likely.
        var keys: Set<ObjectKey> = []
        /// The policies of which a source says something else.
        var policies: Set<ObjectKey> = []
        /// Whether a source has named all its objects of a kind for the first time.
        var hasSynced = false
    }

    /// Takes what a source reports.
    mutating func take(_ batch: ObjectBatch) -> Effect {
        var effect = Effect()
        for event in batch.events {
            switch event {
            case .upsert(let object, let origin):
                change(object.key, of: batch.source, &effect) { _ in
                    Entry(source: batch.source, good: object, origin: origin)
                }
            case .delete(let key):
                change(key, of: batch.source, &effect) { _ in nil }
            case .refused(let refused):
                change(refused.key, of: batch.source, &effect) { old in
                    var entry = old ?? Entry(source: batch.source, origin: refused.origin)
                    entry.refused = refused
                    return entry
                }
            case .synced(let kind):
                if synced[batch.source, default: []].insert(kind).inserted { effect.hasSynced = true }
            }
        }
        sourceConditions[batch.source] = batch.conditions
        if batch.isSettling { settling.insert(batch.source) } else { settling.remove(batch.source) }
        return effect
    }

    /// Whether a source is about to report that something is gone although nothing else happens.
    var isSettling: Bool { !settling.isEmpty }

    /// Whether a source has named all its objects.
    func hasSynced(_ source: ObjectSourceID) -> Bool { synced[source]?.count == ObjectKind.allCases.count }

    /// What is in force otherwise than at the last call, by key.
    mutating func takeChanges() -> [ObjectChange] {
        defer { before = [:] }
        return before.sorted { $0.key < $1.key }.compactMap { key, before in
            let now = inForce(key)
            guard now != before else { return nil }
            switch now {
            case .isolating(let policies): return .standIns(policies, for: key)
            case .object, .unknown, nil: return now?.object.map { .upsert($0) } ?? .delete(key)
            }
        }
    }

    /// The object in force under a key; `nil` when none is.
    func object(_ key: ObjectKey) -> ClusterObject? { inForce(key)?.object }

    /// What stands for a refused object without a good version; `nil` where nothing does.
    func standIns(for key: ObjectKey) -> [LoweredPolicy]? {
        if case .isolating(let policies)? = inForce(key) { policies } else { nil }
    }

    /// Whether a source has an object of this key, refused or not.
    func has(_ key: ObjectKey) -> Bool { entries[key] != nil }

    /// The objects in force, in key order.
    var objects: ClusterObjects {
        var objects = ClusterObjects()
        for key in entries.keys.sorted() { if let object = inForce(key)?.object { objects.append(object) } }
        return objects
    }

    /// Isolating policies, in force in place of refused ones, and of refused Namespaces, Pods and Nodes, that have no last good version, by
    /// key.
    var isolating: [ObjectKey: [LoweredPolicy]] {
        var isolating: [ObjectKey: [LoweredPolicy]] = [:]
        for key in refusedKeys {
            if case .isolating(let policies) = inForce(key) { isolating[key] = policies }
        }
        return isolating
    }

    /// How many policies of the sources are refused.
    public var policiesRefused: Int { refusedKeys.count { $0.isPolicy } }

    /// How it stands with a policy; `nil` when no source has it.
    func standing(_ key: ObjectKey, since generation: UInt64) -> PolicyStanding? {
        guard let entry = entries[key] else { return nil }
        guard entry.refused != nil || isContradicted(key) else {
            return PolicyStanding(origin: entry.origin, state: .asWritten, generation: generation)
        }
        let state: PolicyStanding.State =
            switch inForce(key) {
            case .object: .lastGood
            case .isolating: .isolated
            case .unknown, nil: .ignored
            }
        return PolicyStanding(
            origin: entry.refused?.origin ?? entry.origin, state: state, reason: refusal(key, entry)?.message,
            generation: generation)
    }

    /// What the operator should know about it, sorted.
    public var conditions: [Condition] {
        let refusals = refusedKeys.flatMap { key in entries(of: key).compactMap { refusal(key, $0) } }
        let repeated = others.flatMap { key, repeated in
            isContradicted(key) ? [] : repeated.map { duplicate(key, $0) }
        }
        return Array(Set(sourceConditions.values.joined() + refusals + repeated)).sorted()
    }

    // MARK: entries

    private func entries(of key: ObjectKey) -> [Entry] {
        (entries[key].map { [$0] } ?? []) + (others[key] ?? [])
    }

    /// The object of the first source that has a good one; `entry` is that of the first source.
    private func good(_ key: ObjectKey, _ entry: Entry) -> ClusterObject? {
        entry.good ?? others[key]?.lazy.compactMap(\.good).first
    }

    private func inForce(_ key: ObjectKey) -> InForce? {
        guard let entry = entries[key] else { return nil }
        if !isContradicted(key), let object = good(key, entry) { return .object(object) }
        guard onRefused == .isolate else { return nil }
        let all = entries(of: key)
        if let object = ClusterObject.unknown(all.compactMap { $0.refused == nil ? $0.good : $0.refused?.unknown }) {
            return .unknown(object)
        }
        guard key.isPolicy || [.namespace, .pod, .node].contains(key.objectKind) else { return nil }
        var isolating: [LoweredPolicy] = []
        for entry in all {
            let closing =
                entry.refused?.isolating ?? entry.good.map { PolicyLowering.lowerRefused(PolicyRefusal.closing($0)) }
                ?? []
            isolating += closing.filter { !isolating.contains($0) }
        }
        return isolating.isEmpty ? nil : .isolating(isolating)
    }

    /// Whether a source says that an object is defined several times, and not the same, or several sources do not say the same of it.
    private func isContradicted(_ key: ObjectKey) -> Bool {
        guard onRefused == .isolate, let entry = entries[key] else { return false }
        if entry.refused?.isContradiction == true { return true }
        guard let others = others[key] else { return false }
        var object = DefinedObject<ObjectSourceID>()
        for entry in [entry] + others where entry.refused?.closes != false {
            if entry.refused?.isContradiction == true { return true }
            object.add(entry.refused == nil ? entry.good : nil, at: entry.source)
        }
        return object.isContradicted
    }

    private mutating func change(
        _ key: ObjectKey, of source: ObjectSourceID, _ effect: inout Effect, _ body: (Entry?) -> Entry?
    ) {
        var all = entries(of: key)
        let index = all.firstIndex { $0.source == source }
        let old = index.map { all[$0] }
        let new = body(old)
        guard new != old else { return }
        if key.isPolicy { effect.policies.insert(key) }
        let was = inForce(key)
        if before[key] == nil { before[key] = .some(was) }
        if let index { all.remove(at: index) }
        if let new { all.append(new) }
        all.sort { $0.source < $1.source }
        entries[key] = all.first
        others[key] = all.count > 1 ? Array(all.dropFirst()) : nil
        let isRefused = all.contains { $0.refused != nil } || isContradicted(key)
        if isRefused { refusedKeys.insert(key) } else { refusedKeys.remove(key) }
        let now = inForce(key)
        guard now != was else { return }
        effect.keys.insert(key)
        guard key.isPolicy else { return }
        if case .object = was { policiesInForce -= 1 }
        if case .object = now { policiesInForce += 1 }
    }

    // MARK: conditions

    private func refusal(_ key: ObjectKey, _ entry: Entry) -> Condition? {
        guard let refused = entry.refused else { return isContradicted(key) ? contradiction(key, entry) : nil }
        let why = refused.diagnostics.map(DiagnosticRenderer().render).joined(separator: "\n")
        switch inForce(key) {
        case .object:
            return Condition(
                kind: .keptLastGood, subject: key.text,
                message: refused.isContradiction
                    ? "refused, the first by path stays in force: \(why)"
                    : "refused, the last good version stays in force: \(why)")
        case .isolating:
            return Condition(
                kind: .isolatedByRefused, subject: key.text,
                message:
                    "refused, \(ObjectStore.isolated(by: key)) until it is fixed: \(why)")
        case .unknown:
            return Condition(
                kind: .isolatedByRefused, subject: key.text,
                message: "refused, the pods of policies that deny by it are isolated until it is fixed: \(why)")
        case nil:
            return Condition(
                kind: .refusedIgnored, subject: key.text, message: "refused, it has no effect: \(why)")
        }
    }

    private static func isolated(by key: ObjectKey) -> String {
        switch key.objectKind {
        case .namespace: "the pods in it are isolated"
        case .pod, .node: "no pod reaches its addresses, or is reached from them,"
        default: "the pods it selects are isolated"
        }
    }

    /// Of a good object that another source contradicts.
    private func contradiction(_ key: ObjectKey, _ entry: Entry) -> Condition {
        let found = entries(of: key).filter { $0.source != entry.source }.map { "\($0.origin) (\($0.source))" }
        return Condition(
            kind: .isolatedByRefused, subject: key.text,
            message:
                "\(entry.origin) (\(entry.source)): \(found.joined(separator: ", ")) defines it too, and not the same; "
                + "whom either concerns is isolated until one of them goes")
    }

    private func duplicate(_ key: ObjectKey, _ other: Entry) -> Condition {
        let first = entries[key].map { "\($0.origin) (\($0.source))" } ?? "another source"
        return Condition(
            kind: .duplicateObject, subject: key.text,
            message:
                "\(other.origin) (\(other.source)): the same object is at \(first), which counts; remove one of them")
    }
}
