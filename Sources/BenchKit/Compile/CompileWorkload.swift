import NetTypes
import PolicyAPI

/// The cluster of the compile benchmark: namespaces with pods and 10 policies each; one pod of every second namespace is local.
struct CompileWorkload {
    /// How the pods of a namespace are labelled.
    enum Labels {
        /// 20 deployments of 5 replicas in a namespace, each in two tiers: 4,000 classes of 10,000 pods.
        case deployments
        /// Every pod has a label of its own: 10,000 classes of 10,000 pods.
        case unique
    }

    /// How many namespaces there are, and pods in each.
    struct Size {
        var namespaces: Int
        var pods: Int

        /// 10,000 pods, 50 of them local, 1,000 policies.
        static let usual = Size(namespaces: 100, pods: 100)
        /// 10,000 pods, 500 of them local, 10,000 policies.
        static let manyPolicies = Size(namespaces: 1000, pods: 10)
    }

    /// The objects.
    var objects = ClusterObjects()

    static let policiesPerNamespace = 10
    static let localNode = "node-1"

    init(_ labels: Labels, _ size: Size = .usual) {
        for number in 0..<size.namespaces {
            let name = "team-\(number)"
            objects.namespaces.append(
                Namespace(
                    metadata: ObjectMeta(
                        name: name, labels: ["team": name, "stage": number % 2 == 0 ? "prod" : "test"])))
            for pod in 0..<size.pods { objects.pods.append(Self.pod(pod, in: number, labels, size)) }
            for policy in 0..<Self.policiesPerNamespace {
                objects.networkPolicies.append(Self.policy(policy, in: number, of: size.namespaces))
            }
        }
    }

    /// A pod. One pod of every second namespace is local.
    static func pod(_ pod: Int, in namespace: Int, _ labels: Labels, _ size: Size = .usual) -> Pod {
        var meta = ObjectMeta(
            name: "pod-\(pod)", namespace: "team-\(namespace)",
            labels: [
                "app": "app-\(pod % 20)", "tier": "tier-\(pod % 3 == 0 ? "web" : "data")",
                "version": "v\(pod % 20 / 10)",
            ])
        if labels == .unique { meta.labels["statefulset.kubernetes.io/pod-name"] = "pod-\(pod)" }
        let isLocal = namespace % 2 == 0 && pod == namespace % min(20, size.pods)
        return Pod(
            metadata: meta, nodeName: isLocal ? localNode : "node-\(2 + pod % 30)",
            ports: [ContainerPort(name: "http", protocol: .tcp, port: 8080)],
            addresses: [IPAddress(ipv4: 0x0a00_0000 + UInt32(namespace * 256 + pod + 1))])
    }

    /// A NetworkPolicy of three peers and two ports. Two of a namespace select each of its pods' apps.
    private static func policy(_ policy: Int, in namespace: Int, of namespaces: Int) -> NetworkPolicy {
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

    /// 5,000 pods of as many classes, and one rule that names them all with 20 ports; local pods of one subject.
    static func wideRule(localPods: Int) -> ClusterObjects {
        var objects = ClusterObjects()
        for number in 0..<5000 {
            objects.pods.append(
                Pod(
                    metadata: ObjectMeta(
                        name: "client-\(number)", namespace: "clients", labels: ["app": "client", "id": "\(number)"]),
                    nodeName: "node-2", addresses: [IPAddress(ipv4: 0x0a01_0000 + UInt32(number))]))
        }
        for number in 0..<localPods {
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
