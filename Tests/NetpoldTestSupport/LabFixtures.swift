public import NetTypes
public import PolicyAPI
public import PolicyIR

/// Small clusters for the tests of the lab.
public enum LabFixtures {
    /// Two pods with addresses of both families, `a` isolated for ingress.
    public static var isolatedPair: (objects: ClusterObjects, policies: [LoweredPolicy]) {
        (
            cluster([pod("a", ["10.0.0.1", "fd00::1"]), pod("b", ["10.0.0.2", "fd00::2"])]),
            [policy(app: "a", peers: .anyOf([]), traffic: .everything)]
        )
    }

    /// A pod of the namespace `shop`, labelled with its name.
    public static func pod(
        _ name: String, _ addresses: [String] = [], labels: [String: String] = [:], ports: [ContainerPort] = []
    ) -> Pod {
        Pod(
            metadata: ObjectMeta(name: name, namespace: "shop", labels: labels.merging(["app": name]) { $1 }),
            ports: ports, addresses: addresses.compactMap { IPAddress(parsing: $0) })
    }

    /// Objects that are these pods alone.
    public static func cluster(_ pods: [Pod]) -> ClusterObjects {
        var objects = ClusterObjects()
        objects.pods = pods
        return objects
    }

    /// A policy that isolates the pods of one app for ingress and lets the given peers and traffic in.
    public static func policy(
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

    /// A prefix; 0.0.0.0/32 for what is none.
    public static func prefix(_ text: String) -> IPPrefix {
        IPPrefix(parsing: text) ?? IPPrefix(host: IPAddress(ipv4: 0))
    }
}
