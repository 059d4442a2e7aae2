import KubeTestServer
import NetTypes

/// The cluster of the compile benchmark as an API server has it: Pods of 5.7 kB as a kube-apiserver writes them, NetworkPolicies of
/// three peers and two ports, and one ClusterNetworkPolicy that selects every pod.
struct ServedCluster {
    private let server: TestAPIServer
    private let template = PodTemplate()
    private let pods: APIResource
    private let policies: APIResource

    /// Fills a server.
    ///
    /// - Throws: when the server does not know a kind.
    init(_ server: TestAPIServer, podsPerNamespace: Int) throws {
        self.server = server
        pods = try server.resource("pods")
        policies = try server.resource("networkpolicies")
        let nodes = try server.resource("nodes")
        let namespaces = try server.resource("namespaces")
        for number in 1...31 {
            let name = "node-\(number)"
            server.add(nodes, namespace: "", name: name, labels: [:], nodeName: "") { version in
                Array(
                    #""metadata":{"name":"\#(name)","resourceVersion":"\#(version)"},"spec":{},"status":{"addresses":[{"type":"InternalIP","address":"10.244.0.\#(number)"}]}}"#
                        .utf8)
            }
        }
        for number in 0..<CompileWorkload.Size.usual.namespaces {
            let name = "team-\(number)"
            let labels = ["team": name, "stage": number % 2 == 0 ? "prod" : "test"]
            server.add(namespaces, namespace: "", name: name, labels: labels, nodeName: "") { version in
                Array(
                    #""metadata":{"name":"\#(name)","resourceVersion":"\#(version)","labels":{"team":"\#(name)","stage":"\#(labels["stage"] ?? "")"}},"spec":{},"status":{"phase":"Active"}}"#
                        .utf8)
            }
            for pod in 0..<podsPerNamespace {
                let isLocal = number % 2 == 0 && pod == number % 20
                let host = pod + 1
                add(
                    PodTemplate.Values(
                        namespace: name, name: "pod-\(pod)", app: "app-\(pod % 20)",
                        node: isLocal ? CompileWorkload.localNode : "node-\(2 + pod % 30)",
                        address: "10.\(host >> 8).\(number).\(host & 255)", uid: number * 1000 + pod))
            }
            for policy in 0..<CompileWorkload.policiesPerNamespace { edit(policy, in: number, port: 8000 + policy) }
        }
        try editEverywhere(port: 99)
    }

    private func add(_ pod: PodTemplate.Values) {
        server.add(
            pods, namespace: pod.namespace, name: pod.name, labels: ["app": pod.app], nodeName: pod.node
        ) { version in
            var bytes: [UInt8] = []
            template.write(pod, version: version, to: &bytes)
            return Array(bytes.dropFirst())
        }
    }

    /// A pod of another node comes, one of a deployment that there is or the first of one. Its address: 10.200.0.0 + number.
    func addPod(_ number: Int, isNew: Bool) {
        let namespace = number % CompileWorkload.Size.usual.namespaces
        add(
            PodTemplate.Values(
                namespace: "team-\(namespace)", name: "more-\(number)",
                app: isNew ? "more-\(number)" : "app-\(number % 20)", node: "node-9",
                address: "10.200.\(number >> 8 & 255).\(number & 255)", uid: 900_000 + number))
    }

    /// One of a namespace's policies gets another port. Each selects the local pod of its namespace.
    func edit(_ policy: Int, in namespace: Int, port: Int) {
        let (name, team) = ("policy-\(policy)", "team-\(namespace)")
        let other = "team-\((namespace + policy + 1) % CompileWorkload.Size.usual.namespaces)"
        let peers = #"""
            [{"podSelector":{"matchLabels":{"app":"app-\#((policy * 3 + 1) % 20)"}}},\#
            {"namespaceSelector":{"matchLabels":{"team":"\#(other)"}}},\#
            {"namespaceSelector":{"matchLabels":{"stage":"prod"}},\#
            "podSelector":{"matchLabels":{"app":"app-\#((policy * 7 + 2) % 20)"}}}]
            """#
        let ports =
            #"[{"protocol":"TCP","port":\#(port)},{"protocol":"TCP","port":\#(9000 + policy),"endPort":\#(9100 + policy)}]"#
        server.add(policies, namespace: team, name: name, labels: [:], nodeName: "") { version in
            Array(
                #"""
                "metadata":{"name":"\#(name)","namespace":"\#(team)","resourceVersion":"\#(version)"},\#
                "spec":{"podSelector":{},"ingress":[{"ports":\#(ports),"from":\#(peers)}],\#
                "egress":[{"ports":\#(ports),"to":\#(peers)}],"policyTypes":["Ingress","Egress"]}}
                """#.utf8)
        }
    }

    /// The policy that selects every pod gets another port: all local pods get other programs.
    func editEverywhere(port: Int) throws {
        try server.apply(
            #"""
            {"apiVersion":"policy.networking.k8s.io/v1alpha2","kind":"ClusterNetworkPolicy","metadata":{"name":"all"},\#
            "spec":{"tier":"Admin","priority":1,"subject":{"namespaces":{}},\#
            "ingress":[{"action":"Deny","from":[{"namespaces":{}}],\#
            "protocols":[{"tcp":{"destinationPort":{"number":\#(port)}}}]}]}}
            """#)
    }
}
