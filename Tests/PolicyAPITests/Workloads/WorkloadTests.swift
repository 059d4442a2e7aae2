import Foundation
import NetpoldTestSupport
import Testing

@testable import PolicyAPI

/// Synthetic pods of workloads in a folder without pods.
@Suite("Pods of workloads")
struct WorkloadTests {
    private func load(_ text: String) -> DecodedManifests {
        var decoder = ManifestDecoder(readsWorkloads: true)
        decoder.add(Array(text.utf8), file: "p.yaml")
        var decoded = decoder.finish()
        decoded.addSyntheticPods()
        return decoded
    }

    private func workload(
        _ kind: String, _ spec: String = "", name: String = "web", labels: String = "{app: web}",
        pod: String = "{}", extra: String = ""
    ) -> String {
        let version =
            ["Job", "CronJob"].contains(kind) ? "batch/v1" : kind == "ReplicationController" ? "v1" : "apps/v1"
        let template = "template: {metadata: {labels: \(labels)}, spec: \(pod)}"
        let inner = spec.isEmpty ? template : "\(spec), \(template)"
        return "apiVersion: \(version)\nkind: \(kind)\nmetadata: {name: \(name), namespace: shop\(extra)}\nspec: "
            + (kind == "CronJob" ? "{jobTemplate: {spec: {\(inner)}}}" : "{\(inner)}") + "\n---\n"
    }

    private func pods(_ text: String) -> [String] { load(text).objects.pods.map(\.qualifiedName) }

    @Test(
        "a workload becomes one pod per replica, numbered from one",
        arguments: [
            ("Deployment", "", ["shop/web-1"]),
            ("Deployment", "replicas: 3", ["shop/web-1", "shop/web-2", "shop/web-3"]),
            ("Deployment", "replicas: 0", []), ("ReplicaSet", "replicas: 2", ["shop/web-1", "shop/web-2"]),
            ("ReplicationController", "selector: {app: web}", ["shop/web-1"]),
            ("StatefulSet", "replicas: 2", ["shop/web-0", "shop/web-1"]),
            ("StatefulSet", "ordinals: {start: 5}", ["shop/web-5"]), ("DaemonSet", "", ["shop/web-1"]),
            ("Job", "", ["shop/web-1"]), ("Job", "parallelism: 2, completions: 5", ["shop/web-1", "shop/web-2"]),
            ("Job", "parallelism: 5, completions: 1", ["shop/web-1"]), ("CronJob", "", ["shop/web-1"]),
        ])
    func names(kind: String, spec: String, expected: [String]) {
        let decoded = load(workload(kind, spec))
        #expect(decoded.diagnostics.isEmpty)
        #expect(decoded.objects.pods.map(\.qualifiedName) == expected)
        #expect(decoded.objects.pods.allSatisfy { $0.isSynthetic && $0.metadata.labels["app"] == "web" })
    }

    @Test("a DaemonSet becomes one pod on each node")
    func daemonSet() {
        let nodes = ["b", "a"].map { "apiVersion: v1\nkind: Node\nmetadata: {name: \($0)}\n---\n" }.joined()
        let pods = load(nodes + workload("DaemonSet")).objects.pods
        #expect(pods.map { "\($0.metadata.name) \($0.nodeName)" } == ["web-1 a", "web-2 b"])
    }

    @Test("a pod has what its template says: labels, named ports, service account, host network, and its line")
    func template() throws {
        let spec = """
            {serviceAccountName: ci, containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
            """
        let decoded = load(
            workload("Deployment", pod: spec) + workload("DaemonSet", name: "agent", pod: "{hostNetwork: true}"))
        let web = try #require(decoded.objects.pods.first { $0.metadata.name == "web-1" })
        #expect(web.serviceAccount == "ci")
        #expect(web.ports == [ContainerPort(name: "http", protocol: .tcp, port: 8080)])
        #expect(web.metadata.location?.line == 1)
        #expect(web.addresses.count == 2)
        let agent = try #require(decoded.objects.pods.first { $0.metadata.name == "agent-1" })
        #expect(agent.hostNetwork && agent.addresses.isEmpty)
    }

    @Test("labels that controllers give each pod are there: the number of a StatefulSet's pod, the name of a Job")
    func controllerLabels() {
        let set = load(workload("StatefulSet")).objects.pods.first?.metadata.labels
        #expect(set?["statefulset.kubernetes.io/pod-name"] == "web-0")
        #expect(set?["apps.kubernetes.io/pod-index"] == "0")
        #expect(load(workload("Job", labels: "{}")).objects.pods.first?.metadata.labels["job-name"] == "web")
    }

    @Test("replicas are limited to ten, and the summary says so")
    func manyReplicas() {
        let decoded = load(workload("Deployment", "replicas: 2000000000"))
        #expect(decoded.objects.pods.count == WorkloadPods.replicaLimit)
        #expect(
            decoded.syntheticPodsSummary?.hasSuffix(
                "Deployment shop/web has 2000000000 replicas, of which 10 are added")
                == true)
    }

    @Test(
        "a workload with real pods adds none",
        arguments: [
            ("Deployment", "labels: {app: web, pod-template-hash: '77'}"),
            ("Deployment", "ownerReferences: [{kind: ReplicaSet, name: web-5d4f}]"),
            ("StatefulSet", "ownerReferences: [{kind: StatefulSet, name: web}]"),
            ("CronJob", "ownerReferences: [{kind: Job, name: web-28391}]"),
        ])
    func realPods(kind: String, metadata: String) {
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: real, namespace: shop, \(metadata)}\n---\n"
        #expect(pods(pod + workload(kind, "selector: {matchLabels: {app: web}}")) == ["shop/real"])
        let other = pod.replacingOccurrences(of: "namespace: shop", with: "namespace: ops")
        #expect(pods(other + workload(kind, "selector: {matchLabels: {app: web}}")).count == 2)
    }

    @Test("other pods do not count as a workload's own, and a name that is taken is passed over")
    func otherPods() {
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web-1, namespace: shop, labels: {app: db}}\n---\n"
        #expect(pods(pod + workload("Deployment")) == ["shop/web-1", "shop/web-2"])
        #expect(
            pods(workload("Deployment") + workload("StatefulSet", "replicas: 2")).sorted() == [
                "shop/web-0", "shop/web-1", "shop/web-2",
            ])
    }

    @Test("what a Deployment or CronJob of the folder has made stands for nothing itself")
    func ownedWorkloads() {
        let owned = workload(
            "ReplicaSet", name: "web-5d4f", extra: ", ownerReferences: [{kind: Deployment, name: web}]")
        #expect(pods(owned + workload("Deployment")) == ["shop/web-1"])
        #expect(pods(owned) == ["shop/web-5d4f-1"])
    }

    @Test("patches without a template make no pods, a Job may leave its name to the API server")
    func partial() {
        #expect(pods("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n").isEmpty)
        let decoded = load(workload("Job").replacingOccurrences(of: "name: web,", with: "generateName: web-,"))
        #expect(decoded.diagnostics.isEmpty)
        #expect(decoded.objects.pods.map(\.metadata.name) == ["web-1"])
    }

    @Test("a workload that is defined twice is reported, and the last one is used")
    func twice() {
        let decoded = load(workload("Deployment") + workload("Deployment", "replicas: 2"))
        #expect(decoded.errors.isEmpty && decoded.warnings.count == 1)
        #expect(decoded.objects.pods.count == 2)
    }

    @Test("a decoder for a cluster reads no workloads")
    func agent() {
        let decoded = decode(workload("Deployment"))
        #expect(decoded.objects.pods.isEmpty && decoded.workloads.isEmpty)
        #expect(decoded.skipped == ["Deployment": 1])
    }
}

/// Addresses for pods that have none.
@Suite("Synthetic addresses")
struct SyntheticAddressTests {
    private func objects(_ pods: [Pod]) -> ClusterObjects {
        var objects = ClusterObjects()
        objects.pods = pods
        objects.addSyntheticAddresses()
        return objects
    }

    private func addresses(_ objects: ClusterObjects) -> [String: [String]] {
        Dictionary(uniqueKeysWithValues: objects.pods.map { ($0.metadata.name, $0.addresses.map(\.description)) })
    }

    @Test("running pods get one of each family, in the order of their names, whatever the order of the manifests")
    func deterministic() {
        let pods = [pod("shop/b"), pod("shop/a"), pod("ops/z")]
        let expected = [
            "z": ["10.244.0.1", "fd00:10:244::1"], "a": ["10.244.0.2", "fd00:10:244::2"],
            "b": ["10.244.0.3", "fd00:10:244::3"],
        ]
        #expect(addresses(objects(pods)) == expected)
        #expect(addresses(objects(pods.reversed())) == expected)
    }

    @Test("addresses in use are not assigned again, and pods with one keep it")
    func taken() {
        let found = addresses(
            objects([pod("shop/a", "", ["10.244.0.1"]), pod("shop/b"), pod("shop/c", "", ["fd00:10:244::1"])]))
        #expect(found["a"] == ["10.244.0.1"])
        #expect(found["b"] == ["10.244.0.2", "fd00:10:244::2"])
        #expect(found["c"] == ["fd00:10:244::1"])
    }

    @Test("finished and hostNetwork pods get none")
    func none() {
        let found = objects([pod("shop/a", hostNetwork: true), pod("shop/b", phase: "Succeeded")])
        #expect(found.pods.allSatisfy { $0.addresses.isEmpty && !$0.isSynthetic })
    }

    @Test("a range that is used up gives no more")
    func exhausted() {
        var addresses = SyntheticAddresses(ClusterObjects())
        let given = (0..<1100).compactMap { _ in addresses.node(isIPv4: true) }
        #expect(given.count == 1023)
        #expect(Set(given).count == 1023)
        #expect(addresses.node(isIPv4: false) != nil)
    }
}
