extension ClusterObjects {
    /// All objects, kind by kind.
    package var each: [ClusterObject] {
        namespaces.map(ClusterObject.namespace) + pods.map(ClusterObject.pod) + nodes.map(ClusterObject.node)
            + services.map(ClusterObject.service) + endpointSlices.map(ClusterObject.endpointSlice)
            + cidrGroups.map(ClusterObject.cidrGroup) + networkPolicies.map(ClusterObject.networkPolicy)
            + clusterPolicies.map(ClusterObject.clusterPolicy) + ciliumPolicies.map(ClusterObject.ciliumPolicy)
    }

    /// Adds one object.
    package mutating func append(_ object: ClusterObject) {
        switch object {
        case .namespace(let object): namespaces.append(object)
        case .pod(let object): pods.append(object)
        case .node(let object): nodes.append(object)
        case .service(let object): services.append(object)
        case .endpointSlice(let object): endpointSlices.append(object)
        case .cidrGroup(let object): cidrGroups.append(object)
        case .networkPolicy(let object): networkPolicies.append(object)
        case .clusterPolicy(let object): clusterPolicies.append(object)
        case .ciliumPolicy(let object): ciliumPolicies.append(object)
        }
    }
}
