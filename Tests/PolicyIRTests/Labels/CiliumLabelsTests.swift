import PolicyAPI
import PolicyIR
import Testing

struct CiliumLabelsTests {
    private let pod = Pod(
        metadata: ObjectMeta(
            name: "web", namespace: "shop",
            labels: [
                "app": "web", "pod-template-hash": "abc", "app.kubernetes.io/name": "web",
                "kubernetes.io/os": "linux", "node.beta.kubernetes.io/x": "y", "k8s.io/x": "y",
                "io.cilium.k8s.policy.cluster": "forged", "io.cilium.k8s.namespace.labels.team": "forged",
                "statefulset.kubernetes.io/pod-name": "web-0", "topology.kubernetes.io/zone": "a",
            ]), serviceAccount: "cashier")

    @Test("a pod's identity holds its own labels, its namespace's and what the agent adds")
    func identity() {
        let labels = CiliumLabels(pod: pod, namespaceLabels: ["team": "red"])
        #expect(
            labels.kubernetes == [
                "app": "web", "app.kubernetes.io/name": "web", "io.kubernetes.pod.namespace": "shop",
                "io.cilium.k8s.namespace.labels.team": "red", "io.cilium.k8s.policy.cluster": "default",
                "io.cilium.k8s.policy.serviceaccount": "cashier",
            ])
        #expect(labels.reserved.isEmpty)
    }

    @Test(
        "a condition with a source applies to labels of its source, `any` to all",
        arguments: [
            ("any", "app", true), ("k8s", "app", true), ("reserved", "app", false), ("cni", "app", false),
            ("any", "pod-template-hash", false),
        ])
    func sources(source: String, key: String, matches: Bool) {
        let selector = LabelSelector([LabelRequirement(source: source, key: key, operator: .exists)])
        #expect(selector.matches(CiliumLabels(pod: pod, namespaceLabels: [:])) == matches)
    }

    @Test("reserved labels have the empty value")
    func reserved() {
        let host = CiliumLabels(reserved: ["host"])
        let selector = LabelSelector([LabelRequirement(source: "reserved", key: "host", operator: .isIn, values: [""])])
        #expect(selector.matches(host))
        #expect(!selector.matches(CiliumLabels(reserved: ["world"])))
        #expect(!selector.matches(CiliumLabels(pod: pod, namespaceLabels: [:])))
    }

    @Test(
        "entities are sets of reserved labels and of the local cluster's pods",
        arguments: [
            (Entity.all, "none", true), (.cluster, "world", false), (.cluster, "unmanaged", true),
            (.cluster, "health", true), (.cluster, "init", true), (.host, "health", false), (.host, "host", true),
            (.world, "world-ipv4", true), (.worldIPv6, "world-ipv4", false), (.none, "none", false),
            (.remoteNode, "remote-node", true), (.kubeAPIServer, "kube-apiserver", true),
        ])
    func entities(entity: Entity, label: String, contains: Bool) {
        #expect(entity.contains(CiliumLabels(reserved: [label])) == contains)
    }

    @Test("the entity cluster holds this cluster's pods and world does not")
    func clusterEntity() {
        let labels = CiliumLabels(pod: pod, namespaceLabels: [:])
        #expect(Entity.cluster.contains(labels))
        #expect(!Entity.world.contains(labels))
    }
}
