import NetTypes
import PolicyAPI

extension CompileWorkload {
    /// The objects as `kubectl get -o yaml` might write them, one document each; only what the workload has.
    var manifests: String {
        var documents = objects.namespaces.map { namespace in
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: \(namespace.metadata.name)\n"
                + Self.map("labels", namespace.metadata.labels, indent: 2)
        }
        documents += objects.pods.map(Self.manifest)
        documents += objects.networkPolicies.map(Self.manifest)
        return documents.joined(separator: "---\n")
    }

    private static func manifest(_ pod: Pod) -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata:
          name: \(pod.metadata.name)
          namespace: \(pod.metadata.namespace)
        \(map("labels", pod.metadata.labels, indent: 2))spec:
          nodeName: \(pod.nodeName)
          serviceAccountName: default
          containers:
            - name: main
              image: registry.example.com/team/app:1.0
              ports:
        \(pod.ports.map { "        - name: \($0.name)\n          containerPort: \($0.port)\n          protocol: TCP\n" }.joined())\
        status:
          phase: Running
          podIP: \(pod.addresses.map { "\($0)" }.joined(separator: ","))

        """
    }

    private static func manifest(_ policy: NetworkPolicy) -> String {
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata:
          name: \(policy.metadata.name)
          namespace: \(policy.metadata.namespace)
        spec:
          podSelector: {}
          policyTypes:
            - Ingress
            - Egress
          ingress:
        \(policy.ingress.map { rule($0, "from") }.joined())\
          egress:
        \(policy.egress.map { rule($0, "to") }.joined())
        """
    }

    private static func rule(_ rule: NetworkPolicyRule, _ list: String) -> String {
        var text = "    - \(list):\n"
        for case .pods(let namespaces, let pods) in rule.peers {
            let selectors = [("namespaceSelector", namespaces), ("podSelector", pods)].compactMap { name, selector in
                selector.map { "\(name):\n" + labels($0, indent: 12) }
            }
            text += "        - " + selectors.joined(separator: "          ")
        }
        text += "      ports:\n"
        for port in rule.ports {
            guard case .range(let range) = port.port else { continue }
            text += "        - protocol: TCP\n          port: \(range.first)\n"
            if range.first != range.last { text += "          endPort: \(range.last)\n" }
        }
        return text
    }

    private static func labels(_ selector: LabelSelector, indent: Int) -> String {
        map(
            "matchLabels", Dictionary(selector.requirements.map { ($0.key, $0.values[0]) }) { first, _ in first },
            indent: indent)
    }

    private static func map(_ name: String, _ map: [String: String], indent: Int) -> String {
        let space = String(repeating: " ", count: indent)
        return "\(space)\(name):\n"
            + map.sorted { $0.key < $1.key }.map { "\(space)  \($0.key): \($0.value)\n" }.joined()
    }
}
