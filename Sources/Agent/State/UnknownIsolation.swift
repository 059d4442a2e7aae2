import BPFEmit
import PolicyAPI

/// Stand-ins that isolate namespaces no pod claims (`--isolate-unknown`).
///
/// Each becomes a pod of a namespace of its own that no manifest can name (the colon is not allowed in names), selected by
/// one policy that allows nothing in either direction.
enum UnknownIsolation {
    static let namespace = "netpold:unknown"

    static func add(_ unknown: [EndpointMatch.Unknown], to inputs: inout DesiredInputs) {
        guard !unknown.isEmpty else { return }
        inputs.objects.networkPolicies.append(
            NetworkPolicy(
                metadata: ObjectMeta(name: "isolate-unknown", namespace: namespace), podSelector: LabelSelector(),
                policyTypes: [.ingress, .egress], ingress: [], egress: []))
        for stranger in unknown {
            let name = "\(stranger.netns):\(stranger.interface.ifindex)"
            let families = Dictionary(grouping: stranger.interface.addresses.sorted(), by: \.isIPv4)
            let pod = Pod(
                metadata: ObjectMeta(name: name, namespace: namespace),
                addresses: [families[true]?.first, families[false]?.first].compactMap(\.self))
            // An address another pod claims must keep that pod's identity for everybody else.
            let owned = Set(inputs.objects.pods.filter { !$0.isFinished }.flatMap(\.addresses))
            var claimed = pod
            claimed.addresses.removeAll(where: owned.contains)
            inputs.objects.pods.append(claimed)
            inputs.interfaces[EndpointKey(namespace: namespace, name: name)] = stranger.interface.ifindex
        }
    }
}
