import Agent
import KubeClient

extension ObjectKind {
    /// Where an API server has the kind, the best first.
    var places: [ResourcePlace] {
        switch self {
        case .namespace: [ResourcePlace(version: "v1", plural: "namespaces")]
        case .pod: [ResourcePlace(version: "v1", plural: "pods")]
        case .node: [ResourcePlace(version: "v1", plural: "nodes")]
        case .service: [ResourcePlace(version: "v1", plural: "services")]
        case .endpointSlice: [ResourcePlace(group: "discovery.k8s.io", version: "v1", plural: "endpointslices")]
        case .networkPolicy: [ResourcePlace(group: "networking.k8s.io", version: "v1", plural: "networkpolicies")]
        case .cidrGroup:
            ["v2", "v2alpha1"].map { ResourcePlace(group: "cilium.io", version: $0, plural: "ciliumcidrgroups") }
        case .ciliumNetworkPolicy:
            [ResourcePlace(group: "cilium.io", version: "v2", plural: "ciliumnetworkpolicies")]
        case .ciliumClusterwideNetworkPolicy:
            [ResourcePlace(group: "cilium.io", version: "v2", plural: "ciliumclusterwidenetworkpolicies")]
        case .clusterNetworkPolicy:
            [ResourcePlace(group: "policy.networking.k8s.io", version: "v1alpha2", plural: "clusternetworkpolicies")]
        case .adminNetworkPolicy:
            [ResourcePlace(group: "policy.networking.k8s.io", version: "v1alpha1", plural: "adminnetworkpolicies")]
        case .baselineAdminNetworkPolicy:
            [
                ResourcePlace(
                    group: "policy.networking.k8s.io", version: "v1alpha1", plural: "baselineadminnetworkpolicies")
            ]
        }
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
