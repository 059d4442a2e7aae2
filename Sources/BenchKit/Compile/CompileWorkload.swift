import NetTypes
import PolicyAPI

/// The cluster of the compile benchmark: 100 namespaces of 100 pods and 10 policies each, 50 pods of them local.
struct CompileWorkload {
    /// How the pods of a namespace are labelled.
    enum Labels {
        /// 20 deployments of 5 replicas: 2,000 classes of pods in all.
        case deployments
        /// Every pod has a label of its own: 10,000 classes.
        case unique
    }

    /// The objects.
    var objects = ClusterObjects()
    /// How many classes of pods there are.
    let classes: Int

    static let namespaces = 100
    static let podsPerNamespace = 100
    static let policiesPerNamespace = 10
    static let localNode = "node-1"

    init(_ labels: Labels) {
        classes = Self.namespaces * (labels == .unique ? Self.podsPerNamespace : 20)
        for number in 0..<Self.namespaces {
            let name = "team-\(number)"
            objects.namespaces.append(
                Namespace(
                    metadata: ObjectMeta(
                        name: name, labels: ["team": name, "stage": number % 2 == 0 ? "prod" : "test"])))
            for pod in 0..<Self.podsPerNamespace { objects.pods.append(Self.pod(pod, in: number, labels)) }
            for policy in 0..<Self.policiesPerNamespace {
                objects.networkPolicies.append(Self.policy(policy, in: number))
            }
        }
    }

    /// A pod. One pod of every second namespace is local.
    static func pod(_ pod: Int, in namespace: Int, _ labels: Labels) -> Pod {
        var meta = ObjectMeta(
            name: "pod-\(pod)", namespace: "team-\(namespace)",
            labels: [
                "app": "app-\(pod % 20)", "tier": "tier-\(pod % 3 == 0 ? "web" : "data")",
                "version": "v\(pod % 20 / 10)",
            ])
        if labels == .unique { meta.labels["statefulset.kubernetes.io/pod-name"] = "pod-\(pod)" }
        let isLocal = namespace % 2 == 0 && pod == namespace % 20
        return Pod(
            metadata: meta, nodeName: isLocal ? localNode : "node-\(2 + pod % 30)",
            ports: [ContainerPort(name: "http", protocol: .tcp, port: 8080)],
            addresses: [IPAddress(ipv4: 0x0a00_0000 + UInt32(namespace * 256 + pod + 1))])
    }

    /// A NetworkPolicy of three peers and two ports. Two of a namespace select each of its pods' apps.
    private static func policy(_ policy: Int, in namespace: Int) -> NetworkPolicy {
        func label(_ key: String, _ value: String) -> LabelSelector {
            LabelSelector([LabelRequirement(key: key, operator: .isIn, values: [value])])
        }
        let name = "team-\(namespace)"
        let rule = NetworkPolicyRule(
            peers: [
                .pods(namespaces: nil, pods: label("app", "app-\((policy * 3 + 1) % 20)")),
                .pods(namespaces: label("team", "team-\((namespace + policy + 1) % namespaces)"), pods: nil),
                .pods(namespaces: label("stage", "prod"), pods: label("app", "app-\((policy * 7 + 2) % 20)")),
            ],
            ports: [
                NetworkPolicyPort(protocol: .tcp, port: .range(PortRange(UInt16(8000 + policy)))),
                NetworkPolicyPort(
                    protocol: .tcp, port: .range(PortRange(UInt16(9000 + policy), UInt16(9100 + policy)))),
            ], path: "spec.ingress[0]")
        var out = rule
        out.path = "spec.egress[0]"
        return NetworkPolicy(
            metadata: ObjectMeta(name: "policy-\(policy)", namespace: name),
            // Every policy selects every local pod of its namespace: the most expensive case.
            podSelector: LabelSelector(), policyTypes: [.ingress, .egress], ingress: [rule], egress: [out])
    }

    /// 5,000 pods of as many classes, and one rule that names them all with 20 ports; two local pods of one subject.
    static func wideRule() -> ClusterObjects {
        var objects = ClusterObjects()
        for number in 0..<5000 {
            objects.pods.append(
                Pod(
                    metadata: ObjectMeta(
                        name: "client-\(number)", namespace: "clients", labels: ["app": "client", "id": "\(number)"]),
                    nodeName: "node-2", addresses: [IPAddress(ipv4: 0x0a01_0000 + UInt32(number))]))
        }
        for number in 0..<2 {
            objects.pods.append(
                Pod(
                    metadata: ObjectMeta(name: "server-\(number)", namespace: "servers", labels: ["app": "server"]),
                    nodeName: localNode, addresses: [IPAddress(ipv4: 0x0a02_0000 + UInt32(number))]))
        }
        let clients = LabelSelector([LabelRequirement(key: "app", operator: .isIn, values: ["client"])])
        objects.networkPolicies = [
            NetworkPolicy(
                metadata: ObjectMeta(name: "wide", namespace: "servers"), podSelector: LabelSelector(),
                policyTypes: [.ingress],
                ingress: [
                    NetworkPolicyRule(
                        peers: [.pods(namespaces: LabelSelector(), pods: clients)],
                        ports: (0..<20).map {
                            NetworkPolicyPort(protocol: .tcp, port: .range(PortRange(8000 + 10 * $0)))
                        },
                        path: "spec.ingress[0]")
                ], egress: [])
        ]
        return objects
    }
}
