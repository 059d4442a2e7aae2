import PolicyAPI

/// CIDR groups by name and labels: what `cidrGroupRef` and `cidrGroupSelector` are resolved with.
struct CIDRGroupDirectory: Sendable {
    /// In the order of the input.
    private(set) var groups: [CIDRGroup]
    private var places: [String: Int]

    init(_ groups: [CIDRGroup]) {
        self.groups = groups
        places = CIDRGroupDirectory.places(of: groups)
    }

    /// The group of a name.
    func group(named name: String) -> CIDRGroup? { places[name].map { groups[$0] } }

    /// Sets the group of a name, `nil`: there is none; a new one before the first of a greater name. Returns the one before.
    /// O(groups).
    mutating func set(_ name: String, _ group: CIDRGroup?) -> CIDRGroup? {
        var before: CIDRGroup?
        if let place = places[name] { before = groups.remove(at: place) }
        if let group { groups.insert(group, at: groups.firstIndex { $0.metadata.name > name } ?? groups.count) }
        places = CIDRGroupDirectory.places(of: groups)
        return before
    }

    /// The groups whose labels a selector matches.
    ///
    /// Cilium asks this of each prefix with the labels of all groups that hold it, so that `NotIn` and `DoesNotExist` match
    /// pods and the whole world as well (docs/spec/cilium-network-policy.md 13.4); here a selector selects groups.
    func groups(matching selector: LabelSelector) -> [CIDRGroup] {
        groups.filter { CIDRGroupDirectory.matches(selector, $0) }
    }

    /// Whether a selector matches a group's labels, or may match them: those of a refused group need not be known.
    static func matches(_ selector: LabelSelector, _ group: CIDRGroup) -> Bool {
        if group.isUnknown, group.metadata.labels.isEmpty { return true }
        return selector.requirements.allSatisfy { $0.accepts(value(of: $0, in: group)) }
    }

    private static func places(of groups: [CIDRGroup]) -> [String: Int] {
        Dictionary(groups.enumerated().map { ($1.metadata.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private static func value(of requirement: LabelRequirement, in group: CIDRGroup) -> String? {
        // "keys default to source cidrgroup"; these labels have no other source.
        guard requirement.source == "cidrgroup" || requirement.source == "any" else { return nil }
        // "labelled io.cilium.policy.cidrgroupname/<name>, and each of the object's labels except Cilium-owned ones".
        if requirement.key == "io.cilium.policy.cidrgroupname/\(group.metadata.name)" { return "" }
        return requirement.key.hasPrefix("io.cilium.") ? nil : group.metadata.labels[requirement.key]
    }
}
