import PolicyAPI

/// CIDR groups by name and labels: what `cidrGroupRef` and `cidrGroupSelector` are resolved with.
struct CIDRGroupDirectory {
    private let groups: [CIDRGroup]
    private let byName: [String: CIDRGroup]

    init(_ objects: ClusterObjects) {
        groups = objects.cidrGroups
        byName = Dictionary(
            objects.cidrGroups.map { ($0.metadata.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The group of a name.
    func group(named name: String) -> CIDRGroup? { byName[name] }

    /// The groups whose labels a selector matches.
    ///
    /// Cilium asks this of each prefix with the labels of all groups that hold it, so that `NotIn` and `DoesNotExist` match
    /// pods and the whole world as well (docs/spec/cilium-network-policy.md 13.4); here a selector selects groups.
    func groups(matching selector: LabelSelector) -> [CIDRGroup] {
        groups.filter { group in
            selector.requirements.allSatisfy { $0.accepts(CIDRGroupDirectory.value(of: $0, in: group)) }
        }
    }

    private static func value(of requirement: LabelRequirement, in group: CIDRGroup) -> String? {
        // "keys default to source cidrgroup"; these labels have no other source.
        guard requirement.source == "cidrgroup" || requirement.source == "any" else { return nil }
        // "labelled io.cilium.policy.cidrgroupname/<name>, and each of the object's labels except Cilium-owned ones".
        if requirement.key == "io.cilium.policy.cidrgroupname/\(group.metadata.name)" { return "" }
        return requirement.key.hasPrefix("io.cilium.") ? nil : group.metadata.labels[requirement.key]
    }
}
