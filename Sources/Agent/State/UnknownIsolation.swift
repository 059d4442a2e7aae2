import BPFEmit
import PolicyAPI

/// Pods that stand for network namespaces which no pod claims, and a policy that isolates them (`--isolate-unknown`).
///
/// They are in a namespace of their own that no manifest can name (the colon is not allowed in names), selected by one
/// policy that allows nothing in either direction.
struct UnknownIsolation: Sendable {
    static let namespace = "netpold:unknown"

    /// The pods and the policy, by key.
    private(set) var objects: [ObjectKey: ClusterObject] = [:]
    /// The host side of each pod's veth.
    private(set) var interfaces: [EndpointKey: UInt32] = [:]

    /// Nothing isolated.
    init() {}

    /// Isolates the interfaces of `unknown`. `pods` are the pods in force: an address that one of them has must keep its
    /// identity for everybody else.
    init(_ unknown: [EndpointMatch.Unknown], pods: [Pod]) {
        guard !unknown.isEmpty else { return }
        let policy = ClusterObject.networkPolicy(
            NetworkPolicy(
                metadata: ObjectMeta(name: "isolate-unknown", namespace: Self.namespace), podSelector: LabelSelector(),
                policyTypes: [.ingress, .egress], ingress: [], egress: []))
        objects[policy.key] = policy
        var owned = Set(pods.lazy.filter { !$0.isFinished }.flatMap(\.addresses))
        for stranger in unknown {
            let name = "\(stranger.netns):\(stranger.interface.ifindex)"
            let families = Dictionary(grouping: stranger.interface.addresses.sorted(), by: \.isIPv4)
            let first = [families[true]?.first, families[false]?.first].compactMap(\.self)
            let pod = ClusterObject.pod(
                Pod(
                    metadata: ObjectMeta(name: name, namespace: Self.namespace),
                    addresses: first.filter { owned.insert($0).inserted }))
            objects[pod.key] = pod
            interfaces[EndpointKey(namespace: Self.namespace, name: name)] = stranger.interface.ifindex
        }
    }

    /// What turns the objects of another value into these.
    func changes(from old: UnknownIsolation) -> [ObjectChange] {
        Set(objects.keys).union(old.objects.keys).sorted().compactMap { key in
            guard objects[key] != old.objects[key] else { return nil }
            return objects[key].map(ObjectChange.upsert) ?? .delete(key)
        }
    }
}
