public import PolicyAPI

/// The policies in force, lowered for the kernel one by one, and kept in step with what they refer to.
///
/// A policy object is lowered when it is set, and again when a service or CIDR group that it refers to changes. In the
/// place of an object that was refused stand policies that are lowered already. Objects that together name more prefixes than there
/// is room for are closed until there is (`PrefixBudget`). `takeChanges` says what is other than before.
public struct PolicyBook: Sendable {
    /// What became of the policies of one object.
    public struct Change: Sendable {
        /// The object.
        public var key: ClusterObject.Key
        /// What was in force.
        public var before: [LoweredPolicy]
        /// What is in force.
        public var after: [LoweredPolicy]
    }

    private struct Entry: Sendable {
        /// `nil`: policies that came lowered.
        var object: ClusterObject?
        var lowered: LoweredPolicies
    }

    private var entries: [ClusterObject.Key: Entry] = [:]
    /// What lowering found, of those objects in which it found something: whoever asks after each change does not look at all others.
    private var found: [ClusterObject.Key: [Diagnostic]] = [:]
    private var directory: CiliumDirectory
    private var slices: [ClusterObject.Key: EndpointSlice] = [:]
    /// Of those Cilium policies that refer to something.
    private var references: [ClusterObject.Key: CiliumReferences] = [:]
    /// Policies to be lowered again.
    private var stale: Set<ClusterObject.Key> = []
    /// What was in force when `takeChanges` was called last, of the objects that were touched since.
    private var before: [ClusterObject.Key: [LoweredPolicy]] = [:]
    private var budget: PrefixBudget
    /// In the place of objects that name too many prefixes: what is in force, and why.
    private var closed: [ClusterObject.Key: LoweredPolicies] = [:]

    /// The policies among the objects. `PolicyLowering.lower` says the same of the same objects in the order of their keys.
    ///
    /// - Parameters:
    ///   - objects: the cluster.
    ///   - prefixLimit: how many prefixes they may name together; `nil`: `PrefixBudget.standard`.
    public init(_ objects: ClusterObjects, prefixLimit: Int? = nil) {
        self.init(objects, policies: [], prefixLimit: prefixLimit)
        for policy in objects.networkPolicies { set(.networkPolicy(policy)) }
        for policy in objects.clusterPolicies { set(.clusterPolicy(policy)) }
        for policy in objects.ciliumPolicies { set(.ciliumPolicy(policy)) }
        lowerStale()
        closeExcess()
        before = [:]
    }

    /// Policies that are lowered already, each under the key of its origin; those among the objects do not count. They stay however
    /// many prefixes they name.
    public init(_ objects: ClusterObjects, policies: [LoweredPolicy], prefixLimit: Int? = nil) {
        var objects = objects
        budget = PrefixBudget(limit: prefixLimit ?? PrefixBudget.standard)
        objects.cidrGroups.sort { $0.metadata.name < $1.metadata.name }
        directory = CiliumDirectory(objects)
        for slice in objects.endpointSlices { slices[ClusterObject.endpointSlice(slice).key] = slice }
        for policy in policies {
            entries[ClusterObject.Key(policy.origin), default: Entry(lowered: LoweredPolicies())].lowered.policies
                .append(policy)
        }
        for (key, entry) in entries { budget.set(key, (nil, entry.lowered.policies)) }
    }

    /// The policies in force, by object.
    public var policies: [ClusterObject.Key: [LoweredPolicy]] {
        var all = entries.mapValues(\.lowered.policies)
        for (key, lowered) in closed { all[key] = lowered.policies }
        return all
    }

    /// The policies in force of one object.
    public func policies(of key: ClusterObject.Key) -> [LoweredPolicy] {
        (closed[key] ?? entries[key]?.lowered)?.policies ?? []
    }

    /// The objects that are closed because there is no room for their prefixes, and what is in force in their places.
    public var withoutRoom: [ClusterObject.Key: LoweredPolicies] { closed }

    /// What lowering found, in no order.
    public var diagnostics: [Diagnostic] {
        found.flatMap { closed[$0.key] == nil ? $0.value : [] } + closed.values.flatMap(\.diagnostics)
    }

    /// What lowering found in one object.
    public func diagnostics(of key: ClusterObject.Key) -> [Diagnostic] {
        closed[key]?.diagnostics ?? found[key] ?? []
    }

    /// The errors that lowering found, by policy: those pods that such a policy selects are isolated.
    public var errors: [ClusterObject.Key: [Diagnostic]] {
        found.merging(closed.mapValues(\.diagnostics)) { _, closed in closed }.compactMapValues { diagnostics in
            let errors = diagnostics.filter { $0.severity == .error }
            return errors.isEmpty ? nil : errors
        }
    }

    /// Adds the policies that are objects, and the objects that policies refer to, each kind in the order of its keys.
    public func add(to objects: inout ClusterObjects) {
        for (_, entry) in entries.sorted(by: { $0.key < $1.key }) {
            switch entry.object {
            case .networkPolicy(let policy): objects.networkPolicies.append(policy)
            case .clusterPolicy(let policy): objects.clusterPolicies.append(policy)
            case .ciliumPolicy(let policy): objects.ciliumPolicies.append(policy)
            case .namespace, .pod, .node, .service, .endpointSlice, .cidrGroup, nil: break
            }
        }
        let (services, slices) = directory.services.all
        objects.services += services.sorted { PolicyBook.precedes($0.metadata, $1.metadata) }
        objects.endpointSlices += slices.sorted { PolicyBook.precedes($0.metadata, $1.metadata) }
        objects.cidrGroups += directory.groups.groups
    }

    /// Sets a policy; objects of other kinds are no policies. It takes the place of policies that came lowered.
    public mutating func set(_ policy: ClusterObject) {
        let key = policy.key
        switch policy {
        case .networkPolicy(let object):
            replace(key, Entry(object: policy, lowered: LoweredPolicies(policies: [PolicyLowering.lower(object)])))
        case .clusterPolicy(let object):
            replace(key, Entry(object: policy, lowered: LoweredPolicies(policies: [PolicyLowering.lower(object)])))
        case .ciliumPolicy(let object):
            replace(key, Entry(object: policy, lowered: LoweredPolicies()))
            let found = CiliumReferences(object)
            references[key] = found.isEmpty ? nil : found
            stale.insert(key)
        case .namespace, .pod, .node, .service, .endpointSlice, .cidrGroup:
            break
        }
    }

    /// Sets policies that are lowered already in the place of an object that was refused; empty: there is no such object.
    public mutating func set(_ policies: [LoweredPolicy], for key: ClusterObject.Key) {
        guard !policies.isEmpty || entries[key] != nil else { return }
        replace(key, policies.isEmpty ? nil : Entry(lowered: LoweredPolicies(policies: policies)))
    }

    /// Sets the service of a name; `nil`: there is none. O(policies with references).
    public mutating func set(service name: String, in namespace: String, _ service: Service?) {
        let old = directory.services.set(name, in: namespace, service)
        guard old != service else { return }
        let changed = [old, service].compactMap(\.self)
        for (key, found) in references where changed.contains(where: found.mean) { stale.insert(key) }
    }

    /// Sets an endpoint slice; `nil`: there is none of this key. Returns the one before. O(policies with references).
    public mutating func set(slice key: ClusterObject.Key, _ slice: EndpointSlice?) -> EndpointSlice? {
        let old = slices[key]
        guard old != slice else { return old }
        slices[key] = slice
        directory.services.replace(old, by: slice)
        for changed in [old, slice].compactMap(\.self) {
            let services = directory.services.services(of: changed)
            for (key, found) in references where found.mean(changed, of: services) { stale.insert(key) }
        }
        return old
    }

    /// Sets the CIDR group of a name; `nil`: there is none. O(policies with references).
    public mutating func set(group name: String, _ group: CIDRGroup?) {
        let old = directory.groups.set(name, group)
        guard old != group else { return }
        for (key, found) in references where [old, group].contains(where: { $0.map(found.mean) ?? false }) {
            stale.insert(key)
        }
    }

    /// What is other than at the last call, sorted by key. Lowers what was set or refers to what was set.
    public mutating func takeChanges() -> [Change] {
        lowerStale()
        closeExcess()
        defer { before = [:] }
        return before.sorted { $0.key < $1.key }.compactMap { key, before in
            let after = policies(of: key)
            return before == after ? nil : Change(key: key, before: before, after: after)
        }
    }

    private mutating func lowerStale() {
        for key in stale {
            guard case .ciliumPolicy(let policy) = entries[key]?.object else { continue }
            put(
                key,
                Entry(
                    object: .ciliumPolicy(policy), lowered: CiliumLowering.lower(policy, directory, for: .enforcement)))
        }
        stale = []
    }

    /// Closes objects for whose prefixes there is no room, and takes back those for which there is again.
    private mutating func closeExcess() {
        for key in before.keys { budget.set(key, entries[key].map { ($0.object, $0.lowered.policies) }) }
        let entries = entries
        let flipped = budget.close { key in entries[key].map { ($0.object, $0.lowered.policies) } }
        for key in flipped { note(key) }
        // Those that flipped, and what closed ones say of themselves may be other than before.
        for key in before.keys {
            guard budget.closed.contains(key), let entry = entries[key], let object = entry.object else {
                closed[key] = nil
                continue
            }
            closed[key] = LoweredPolicies(
                policies: PolicyLowering.lowerRefused(PolicyRefusal.closing(object)),
                diagnostics: entry.lowered.diagnostics + [budget.diagnostic(of: object)])
        }
    }

    private mutating func replace(_ key: ClusterObject.Key, _ entry: Entry?) {
        put(key, entry)
        references[key] = nil
        stale.remove(key)
    }

    private mutating func put(_ key: ClusterObject.Key, _ entry: Entry?) {
        note(key)
        let diagnostics = entry?.lowered.diagnostics ?? []
        found[key] = diagnostics.isEmpty ? nil : diagnostics
        entries[key] = entry
    }

    private mutating func note(_ key: ClusterObject.Key) {
        if before[key] == nil { before[key] = policies(of: key) }
    }

    private static func precedes(_ left: ObjectMeta, _ right: ObjectMeta) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}
