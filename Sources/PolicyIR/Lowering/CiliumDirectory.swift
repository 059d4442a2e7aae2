import PolicyAPI

/// The objects that Cilium policies refer to by name or label.
struct CiliumDirectory: Sendable {
    /// For `toServices`.
    var services: ServiceDirectory
    /// For `cidrGroupRef` and `cidrGroupSelector`.
    var groups: CIDRGroupDirectory

    init(_ objects: ClusterObjects) {
        services = ServiceDirectory(objects)
        groups = CIDRGroupDirectory(objects.cidrGroups)
    }
}
