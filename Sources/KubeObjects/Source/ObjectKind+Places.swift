import Agent
import KubeClient

extension ObjectKind {
    /// Where an API server has the kind, the best first.
    var places: [ResourcePlace] {
        switch self {
        case .namespace: [place(version: "v1", plural: "namespaces")]
        case .pod: [place(version: "v1", plural: "pods")]
        case .node: [place(version: "v1", plural: "nodes")]
        case .service: [place(version: "v1", plural: "services")]
        case .endpointSlice: [place("discovery.k8s.io", version: "v1", plural: "endpointslices")]
        case .networkPolicy: [place("networking.k8s.io", version: "v1", plural: "networkpolicies")]
        case .cidrGroup: ["v2", "v2alpha1"].map { place("cilium.io", version: $0, plural: "ciliumcidrgroups") }
        case .ciliumNetworkPolicy: [place("cilium.io", version: "v2", plural: "ciliumnetworkpolicies")]
        case .ciliumClusterwideNetworkPolicy:
            [place("cilium.io", version: "v2", plural: "ciliumclusterwidenetworkpolicies")]
        case .clusterNetworkPolicy:
            [place("policy.networking.k8s.io", version: "v1alpha2", plural: "clusternetworkpolicies")]
        case .adminNetworkPolicy:
            [place("policy.networking.k8s.io", version: "v1alpha1", plural: "adminnetworkpolicies")]
        case .baselineAdminNetworkPolicy:
            [place("policy.networking.k8s.io", version: "v1alpha1", plural: "baselineadminnetworkpolicies")]
        }
    }

    private func place(_ group: String = "", version: String, plural: String) -> ResourcePlace {
        ResourcePlace(group: group, version: version, plural: plural, kind: rawValue)
    }

    /// Whether the kind is defined by a CustomResourceDefinition, and so may be missing.
    var isCustomResource: Bool {
        switch self {
        case .namespace, .pod, .node, .service, .endpointSlice, .networkPolicy: false
        case .cidrGroup, .ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy, .clusterNetworkPolicy,
            .adminNetworkPolicy, .baselineAdminNetworkPolicy:
            true
        }
    }
}
