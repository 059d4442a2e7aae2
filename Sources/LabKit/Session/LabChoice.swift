/// What a lab is built from: enough to read it again.
public struct LabChoice: Codable, Hashable, Sendable {
    /// Files and folders of manifests.
    public var paths: [String]
    /// Folders with kustomizations.
    public var kustomizations: [String]
    /// Patterns that are passed over.
    public var excluded: [String]
    /// The namespace of objects that name none.
    public var namespace: String?
    /// Who translates Services: `translate`, `observe`, `off`.
    public var services: String
    /// Whether policies are enforced.
    public var isEnforced: Bool
    /// Whether the nodes have rules like kube-proxy's.
    public var isBesideKubeProxy: Bool

    /// A choice.
    public init(
        paths: [String], kustomizations: [String], excluded: [String], namespace: String?, services: String,
        isEnforced: Bool, isBesideKubeProxy: Bool
    ) {
        self.paths = paths
        self.kustomizations = kustomizations
        self.excluded = excluded
        self.namespace = namespace
        self.services = services
        self.isEnforced = isEnforced
        self.isBesideKubeProxy = isBesideKubeProxy
    }
}
