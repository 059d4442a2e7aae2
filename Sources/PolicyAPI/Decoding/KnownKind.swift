/// The kinds that are read, and what is reported about kinds that look like policies but are not read.
enum KnownKind: String, CaseIterable {
    case namespace = "Namespace"
    case pod = "Pod"
    case node = "Node"
    case service = "Service"
    case endpointSlice = "EndpointSlice"
    case deployment = "Deployment"
    case statefulSet = "StatefulSet"
    case daemonSet = "DaemonSet"
    case replicaSet = "ReplicaSet"
    case replicationController = "ReplicationController"
    case job = "Job"
    case cronJob = "CronJob"
    case networkPolicy = "NetworkPolicy"
    case clusterNetworkPolicy = "ClusterNetworkPolicy"
    case adminNetworkPolicy = "AdminNetworkPolicy"
    case baselineAdminNetworkPolicy = "BaselineAdminNetworkPolicy"
    case ciliumNetworkPolicy = "CiliumNetworkPolicy"
    case ciliumClusterwideNetworkPolicy = "CiliumClusterwideNetworkPolicy"
    case ciliumCIDRGroup = "CiliumCIDRGroup"

    /// The apiVersions that are read, the preferred one first.
    var apiVersions: [String] {
        switch self {
        case .namespace, .pod, .node, .service, .replicationController: ["v1"]
        case .deployment, .statefulSet, .daemonSet, .replicaSet: ["apps/v1"]
        case .job, .cronJob: ["batch/v1"]
        case .endpointSlice: ["discovery.k8s.io/v1"]
        case .networkPolicy: ["networking.k8s.io/v1"]
        case .clusterNetworkPolicy: ["policy.networking.k8s.io/v1alpha2"]
        case .adminNetworkPolicy, .baselineAdminNetworkPolicy: ["policy.networking.k8s.io/v1alpha1"]
        case .ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy: ["cilium.io/v2"]
        case .ciliumCIDRGroup: ["cilium.io/v2", "cilium.io/v2alpha1"]
        }
    }

    /// Whether objects of the kind are policies.
    var isPolicy: Bool {
        switch self {
        case .namespace, .pod, .node, .service, .endpointSlice, .ciliumCIDRGroup: false
        case .deployment, .statefulSet, .daemonSet, .replicaSet, .replicationController, .job, .cronJob: false
        case .networkPolicy, .clusterNetworkPolicy, .adminNetworkPolicy, .baselineAdminNetworkPolicy,
            .ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy:
            true
        }
    }

    /// The key of metadata that names the namespace: of a Namespace its name; `nil` for kinds without one.
    var namespaceKey: String? {
        switch self {
        case .namespace: "name"
        case .pod, .service, .endpointSlice, .networkPolicy, .ciliumNetworkPolicy: "namespace"
        case .deployment, .statefulSet, .daemonSet, .replicaSet, .replicationController, .job, .cronJob: "namespace"
        case .node, .clusterNetworkPolicy, .adminNetworkPolicy, .baselineAdminNetworkPolicy,
            .ciliumClusterwideNetworkPolicy, .ciliumCIDRGroup:
            nil
        }
    }

    /// Whether policies say something else, or select others, without an object of the kind: of policies, and of what they refer to by
    /// other things than the names of pods and Services.
    var bearsOnPolicies: Bool { hasFieldTables || self == .namespace }

    /// Whether an unknown field is an error: in policies, and in the CIDR groups they refer to.
    var hasFieldTables: Bool { isPolicy || self == .ciliumCIDRGroup }

    /// Whether it matters that all definitions of an object say the same, or that one of them is refused (`DefinedObject`).
    var isDefinedOnce: Bool { bearsOnPolicies || isReferredTo }

    /// Whether policies refer to objects of the kind by what they say of addresses and pods.
    var isReferredTo: Bool { self == .service || self == .endpointSlice || self == .ciliumCIDRGroup }

    /// The kind of workload, `nil` for other kinds.
    var workload: Workload.Kind? { Workload.Kind(rawValue: rawValue) }

    /// The kinds of whose objects the apiVersion and kind are to be right.
    private static var closing: [String] { allCases.filter(\.hasFieldTables).map(\.rawValue) }

    /// The kind that an object is meant to be of which the apiVersion or the kind is not as it should be; `nil` where nothing closes for
    /// it, or where its API group says that it is something else.
    static func meant(apiVersion: String?, kind: String) -> KnownKind? {
        guard
            let known = KnownKind(rawValue: kind) ?? Spelling.nearest(to: kind, among: closing).flatMap(KnownKind.init),
            known.hasFieldTables
        else { return nil }
        guard let apiVersion, let slash = apiVersion.firstIndex(of: "/") else { return known }
        return known.isMeant(byGroup: apiVersion[..<slash].lowercased()) ? known : nil
    }

    /// Whether an object of this kind and an API group is meant to be one of netpold's.
    private func isMeant(byGroup written: String) -> Bool {
        switch self {
        // Other projects have kinds of these names, with other fields, in groups of their own.
        case .networkPolicy, .clusterNetworkPolicy:
            // NetworkPolicy had its fields in the group that it was in before as well.
            written == "extensions" || KnownKind.allCases.contains { $0.group == written }
                || Spelling.nearest(to: written, among: [group]) != nil
        default: true
        }
    }

    /// The API group; empty for the core group.
    private var group: String {
        let parts = apiVersions[0].split(separator: "/")
        return parts.count == 2 ? String(parts[0]) : ""
    }

    /// Cilium kinds that affect traffic but are not network policies, which netpold does not enforce.
    private static let unenforced: [String: String] = [
        "CiliumLocalRedirectPolicy": "cilium.io/",
        "CiliumEgressGatewayPolicy": "cilium.io/",
    ]

    /// What to report about an object that is not read; `nil` when it may be skipped in silence.
    static func diagnostic(apiVersion: String, kind: String) -> (
        isError: Bool, message: String, hint: String
    )? {
        if let known = KnownKind(rawValue: kind) {
            let wanted = known.apiVersions[0]
            let isSameGroup = apiVersion.hasPrefix(known.group + "/") || !apiVersion.contains("/")
            guard known.isPolicy || isSameGroup else { return nil }
            let isMeant = meant(apiVersion: apiVersion, kind: kind) != nil
            return (
                known.hasFieldTables,
                "\(kind) of apiVersion \"\(DocumentNode.shortened(apiVersion))\" is not read",
                isSameGroup || isMeant
                    ? "write apiVersion: \(wanted)"
                    : "the fields of other API groups differ: rewrite it as apiVersion: \(wanted), or leave the object out"
            )
        }
        if let group = unenforced[kind], apiVersion.hasPrefix(group) {
            return (
                false, "\(kind) is not enforced by this version of netpold",
                "rules that refer to it are refused or select nothing"
            )
        }
        let near = Spelling.nearest(to: kind, among: closing)
        guard near != nil || kind.lowercased().contains("networkpolic") else { return nil }
        return (
            true, "unknown kind \"\(DocumentNode.shortened(kind))\"",
            near.map { "did you mean \($0)?" }
                ?? "the supported policy kinds are \(allCases.filter(\.isPolicy).map(\.rawValue).joined(separator: ", "))"
        )
    }
}
