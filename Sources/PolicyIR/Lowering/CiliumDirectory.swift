import PolicyAPI

/// The objects that Cilium policies refer to by name or label.
struct CiliumDirectory {
    /// For `toServices`.
    let services: ServiceDirectory
    /// For `cidrGroupRef` and `cidrGroupSelector`.
    let groups: CIDRGroupDirectory

    init(_ objects: ClusterObjects) {
        services = ServiceDirectory(objects)
        groups = CIDRGroupDirectory(objects)
    }
}
