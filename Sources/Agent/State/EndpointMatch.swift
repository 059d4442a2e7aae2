public import BPFEmit
import NetTypes
public import PolicyAPI

/// Which pods of the manifests are behind which interfaces of this node.
public struct EndpointMatch: Hashable, Sendable {
    /// A pod and its interface.
    public struct Attached: Hashable, Sendable {
        /// The pod.
        public var pod: Pod
        /// Its network namespace.
        public var netns: String
        /// Its interface.
        public var interface: MountedNamespace.Interface

        /// The pod as the datapath names it.
        public var key: EndpointKey {
            EndpointKey(namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid)
        }
    }

    /// A network namespace no pod claims.
    public struct Unknown: Hashable, Sendable {
        /// Its name.
        public var netns: String
        /// The interface.
        public var interface: MountedNamespace.Interface
    }

    /// Pods with their interfaces, sorted by namespace and name.
    public var attached: [Attached] = []
    /// Local pods whose namespace is not there yet, sorted.
    public var waiting: [Pod] = []
    /// Namespaces without a pod, sorted.
    public var unknown: [Unknown] = []
    /// Trouble, sorted.
    public var conditions: [Condition] = []

    /// Matches the pods of this node to the interfaces found, by address.
    ///
    /// Finished pods own no address; hostNetwork pods are the node. Pods without a node name are local. An address
    /// that two live pods claim belongs to neither: its interface stays unknown. Of several interfaces with a pod's
    /// addresses the newest is the pod's: the others are left over from a predecessor, or a way around the first.
    public init(pods: [Pod], namespaces: [MountedNamespace], node: String) {
        let local = pods.filter { pod in
            !pod.isFinished && !pod.hostNetwork
                && (pod.nodeName.isEmpty || pod.nodeName == node)
        }
        var owners: [IPAddress: [Pod]] = [:]
        for pod in local { for address in Set(pod.addresses) { owners[address, default: []].append(pod) } }
        for (address, claims) in owners where claims.count > 1 {
            let names = claims.map(\.qualifiedName).sorted().joined(separator: ", ")
            conditions.append(
                Condition(
                    kind: .addressConflict, subject: "\(address)",
                    message: "the live pods \(names) claim this address, so it belongs to none of them; "
                        + "delete or restart those that do not own it"))
        }
        var seen: Set<String> = []
        let order = namespaces.flatMap { namespace in namespace.interfaces.map { (namespace, $0) } }
            .sorted { $0.1.ifindex > $1.1.ifindex }
        for (namespace, interface) in order {
            let claims = interface.addresses.compactMap { owners[$0] }
            let single = claims.filter { $0.count == 1 }.compactMap(\.first)
            guard claims.allSatisfy({ $0.count == 1 }), Set(single).count == 1, let pod = single.first,
                seen.insert(pod.qualifiedName).inserted
            else {
                unknown.append(Unknown(netns: namespace.name, interface: interface))
                continue
            }
            attached.append(Attached(pod: pod, netns: namespace.name, interface: interface))
        }
        attached.sort { ($0.key, $0.interface.ifindex) < ($1.key, $1.interface.ifindex) }
        unknown.sort { ($0.netns, $0.interface.ifindex) < ($1.netns, $1.interface.ifindex) }
        waiting = local.filter { !seen.contains($0.qualifiedName) }.sorted { $0.qualifiedName < $1.qualifiedName }
        conditions.sort()
    }
}
