/// What the decoders of the many kinds read.
extension WireMask {
    /// The members that the decoder of a kind looks at; `nil` for kinds that are read whole: policies are few.
    static func of(_ kind: KnownKind) -> WireMask? {
        switch kind {
        case .pod: pod
        case .namespace: namespace
        case .node: node
        case .service: service
        case .endpointSlice: endpointSlice
        case .deployment, .statefulSet, .daemonSet, .replicaSet, .replicationController, .job, .cronJob,
            .networkPolicy, .clusterNetworkPolicy, .adminNetworkPolicy, .baselineAdminNetworkPolicy,
            .ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy, .ciliumCIDRGroup:
            nil
        }
    }

    /// The annotations that somebody reads: the hash under which the runtime knows a static pod (`Agent/Binding`). The others are
    /// not kept, which no policy can see.
    private static let metadata = members([
        "name": .unique, "namespace": .all, "uid": .unique, "labels": .all, "resourceVersion": .unique,
        "annotations": .texts("kubernetes.io/config.hash", "kubernetes.io/config.mirror", "k8s.io/initial-events-end"),
        "ownerReferences": members(["kind": .all, "name": .all]), "deletionTimestamp": .unique,
    ])

    private static let containers = members(["ports": .all, "restartPolicy": .all])

    private static let pod = members([
        "kind": .all, "apiVersion": .all, "metadata": metadata,
        "spec": members([
            "nodeName": .all, "serviceAccountName": .all, "serviceAccount": .all, "hostNetwork": .all,
            "containers": containers, "initContainers": containers,
        ]),
        "status": members([
            "phase": .all, "podIP": .unique, "podIPs": .unique, "conditions": members(["type": .all, "status": .all]),
        ]),
    ])

    private static let namespace = members(["kind": .all, "apiVersion": .all, "metadata": metadata])

    private static let node = members([
        "kind": .all, "apiVersion": .all, "metadata": metadata, "status": members(["addresses": .unique]),
    ])

    private static let service = members([
        "kind": .all, "apiVersion": .all, "metadata": metadata, "spec": .all, "status": members(["loadBalancer": .all]),
    ])

    private static let endpointSlice = members([
        "kind": .all, "apiVersion": .all, "metadata": metadata, "addressType": .all, "ports": .all,
        "endpoints": members([
            "addresses": .unique, "conditions": .all, "nodeName": .all, "zone": .all, "hints": .all,
        ]),
    ])
}
