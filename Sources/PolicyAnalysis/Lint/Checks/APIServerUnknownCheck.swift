import PolicyAPI
import PolicyIR

/// The entity kube-apiserver without known addresses.
enum APIServerUnknownCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .apiServerUnknown, .warning,
        title: "The entity kube-apiserver without known addresses",
        reason: """
            The addresses of the API server are those of the EndpointSlice of the Service default/kubernetes. Without it the entity \
            selects nothing: an allow allows nothing (a note), a deny denies nothing (a warning). In a cluster the slice exists.
            """,
        fix: "Add the slice to the manifests: `kubectl get endpointslice -n default kubernetes -o yaml`.",
        bad: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              enableDefaultDeny: {egress: false}
              egressDeny:
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
              enableDefaultDeny: {egress: false}
              egressDeny:
                - toEntities: [kube-apiserver]
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        let isKnown = cluster.objects.endpointSlices.contains {
            $0.metadata.namespace == "default" && $0.serviceName == "kubernetes" && !$0.addresses.isEmpty
        }
        guard !isKnown else { return }
        for policy in cluster.objects.ciliumPolicies {
            for rule in policy.rules {
                let origin = PolicyLowering.origin(of: rule, in: policy)
                for (elements, field, isDeny) in [
                    (rule.ingress, "fromEntities", false), (rule.ingressDeny, "fromEntities", true),
                    (rule.egress, "toEntities", false), (rule.egressDeny, "toEntities", true),
                ] {
                    for element in elements {
                        guard let index = element.entities.value?.firstIndex(of: .kubeAPIServer) else { continue }
                        let path = "\(element.path).\(field)[\(index)]"
                        let hint = "add the EndpointSlice of the Service default/kubernetes to the manifests"
                        if isDeny {
                            report.warn(
                                .apiServerUnknown, path, of: origin,
                                "the API server's addresses are unknown, so nothing is denied", hint)
                        } else {
                            report.note(
                                .apiServerUnknown, path, of: origin,
                                "the API server's addresses are unknown, so nothing is allowed", hint)
                        }
                    }
                }
            }
        }
    }
}
