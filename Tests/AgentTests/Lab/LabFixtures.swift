import NetTypes
import PolicyAPI
import PolicyIR

/// Small clusters for the lab's tests.
enum LabFixtures {
    static func pod(
        _ name: String, _ addresses: [String] = [], labels: [String: String] = [:], ports: [ContainerPort] = []
    ) -> Pod {
        Pod(
            metadata: ObjectMeta(name: name, namespace: "shop", labels: labels.merging(["app": name]) { $1 }),
            ports: ports, addresses: addresses.compactMap { IPAddress(parsing: $0) })
    }

    static func cluster(_ pods: [Pod]) -> ClusterObjects {
        var objects = ClusterObjects()
        objects.pods = pods
        return objects
    }

    /// A policy that isolates the pods of one app for ingress and lets the given peers and traffic in.
    static func policy(
        app: String, direction: Direction = .ingress, peers: PeerMatch, traffic: TrafficMatch
    ) -> LoweredPolicy {
        let origin = RuleOrigin(kind: "NetworkPolicy", namespace: "shop", name: "p", path: "spec.ingress[0]")
        let rules = DirectionRules(
            isolates: true,
            rules: [PolicyRule(action: .allow, peers: peers, traffic: traffic, origin: origin)])
        return LoweredPolicy(
            subject: .pods(
                .named("shop"), LabelSelector([LabelRequirement(key: "app", operator: .isIn, values: [app])])),
            ingress: direction == .ingress ? rules : nil, egress: direction == .egress ? rules : nil, origin: origin)
    }

    static func prefix(_ text: String) -> IPPrefix { IPPrefix(parsing: text) ?? IPPrefix(host: IPAddress(ipv4: 0)) }
}
