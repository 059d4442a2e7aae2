import PolicyAPI
import PolicyIR

/// An allow by the entity kube-apiserver without known addresses. A deny is refused (`CiliumPeers`).
enum APIServerUnknownCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .apiServerUnknown, .note,
        title: "The entity kube-apiserver without known addresses",
        reason: """
            The addresses of the API server are those of the EndpointSlice of the Service default/kubernetes. Without it the entity \
            selects nothing, so an allow allows nothing; a deny is refused (unresolved-reference). In a cluster the slice exists.
            """,
        fix: "Add the slice to the manifests: `kubectl get endpointslice -n default kubernetes -o yaml`.",
        bad: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              egress:
                - toEntities: [kube-apiserver]
            """,
        good: """
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}
            addressType: IPv4
            endpoints: [{addresses: [192.0.2.10]}]
            ---
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              egress:
                - toEntities: [kube-apiserver]
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        guard cluster.objects.endpointSlices.allSatisfy(\.apiServerAddresses.isEmpty) else { return }
        for policy in cluster.objects.ciliumPolicies {
            for rule in policy.rules {
                let origin = PolicyLowering.origin(of: rule, in: policy)
                for (elements, field) in [(rule.ingress, "fromEntities"), (rule.egress, "toEntities")] {
                    for element in elements {
                        guard let index = element.entities.value?.firstIndex(of: .kubeAPIServer) else { continue }
                        report.note(
                            .apiServerUnknown, "\(element.path).\(field)[\(index)]", of: origin,
                            "the API server's addresses are unknown, so nothing is allowed",
                            "add the EndpointSlice of the Service default/kubernetes to the manifests")
                    }
                }
            }
        }
    }
}
