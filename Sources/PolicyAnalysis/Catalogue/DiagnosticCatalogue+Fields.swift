extension DiagnosticCatalogue {
    /// Diagnostics about fields and values.
    static let fields: [DiagnosticEntry] = [
        DiagnosticEntry(
            .unknownField, .error, title: "A field that the kind does not have",
            reason: """
                An API server may silently drop unknown fields, and what is left of the policy may select every pod or allow every \
                peer. netpold refuses an object with an unknown field.
                """,
            fix: "Use the nearest known name, which the message proposes; check the indentation.",
            bad: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec: {podSelctor: {matchLabels: {app: web}}}
                """,
            good: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec: {podSelector: {matchLabels: {app: web}}}
                """),
        DiagnosticEntry(
            .unsupportedField, .error, title: "A field that exists, but is not enforced by netpold",
            reason: "Ignoring the field could allow what it denies, so the object is refused.",
            fix: "Use what the message proposes instead.",
            bad: """
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  endpointSelector: {}
                  egress:
                    - toPorts:
                        - ports: [{port: "443", protocol: TCP}]
                          terminatingTLS: {secret: {name: web-tls}}
                """,
            good: """
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  endpointSelector: {}
                  ingress:
                    - toPorts:
                        - ports: [{port: "443", protocol: TCP}]
                          serverNames: [shop.example.com]
                """),
        DiagnosticEntry(
            .missingField, .error, title: "A required field is missing",
            reason: "The field has no safe default.",
            fix: "Add the field that the message names.",
            bad: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {namespace: shop}
                spec: {podSelector: {}}
                """,
            good: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: all, namespace: shop}
                spec: {podSelector: {}}
                """),
        DiagnosticEntry(
            .wrongType, .error, title: "A value has the wrong type",
            reason: """
                YAML reads `8080` as a number, `"8080"` as a string and `yes` as a boolean. A NetworkPolicy requires port numbers \
                without quotes, a Cilium policy with quotes; labels are always strings.
                """,
            fix: "Quote strings that look like a number or boolean; remove the quotes of numbers.",
            bad: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec: {podSelector: {matchLabels: {release: 3}}}
                """,
            good: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec: {podSelector: {matchLabels: {release: "3"}}}
                """),
        DiagnosticEntry(
            .invalidValue, .error, title: "A value has the right type but is not allowed",
            reason: "No label, port, prefix or name can have this value, so the rule cannot mean what it says.",
            fix: "Write a value that the message allows.",
            bad: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  podSelector: {}
                  ingress: [{from: [{ipBlock: {cidr: 10.0.0.256/8}}]}]
                """,
            good: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  podSelector: {}
                  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]
                """),
        DiagnosticEntry(
            .conflict, .error, title: "Two mutually exclusive fields are both set",
            reason: "If netpold chose one of them, the other would be ignored.",
            fix: "Keep one, or write two list elements.",
            bad: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  podSelector: {}
                  ingress:
                    - from:
                        - podSelector: {}
                          ipBlock: {cidr: 10.0.0.0/8}
                """,
            good: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  podSelector: {}
                  ingress:
                    - from:
                        - podSelector: {}
                        - ipBlock: {cidr: 10.0.0.0/8}
                """),
        DiagnosticEntry(
            .tooMany, .error, title: "A list or text exceeds its limit",
            reason: "A truncated list would mean less than it says: deny rules could be missing.",
            fix: "Split the list or the policy, or use ranges.",
            bad: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec: {podSelector: {}, policyTypes: [Ingress, Egress, Ingress]}
                """,
            good: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
                """),
        DiagnosticEntry(
            .tooManyPrefixes, .error, title: "All policies together name more prefixes than there is room for",
            reason: """
                Each node's kernel has one table for the prefixes of all policies, and nobody's policies may fill it for everybody. \
                Policies of a cluster may name 126,976 together, each counted once. Where they name more, the namespaces that name most \
                give way, each with the policies that name most: these are closed until there is room again.
                """,
            fix:
                "Use fewer and larger prefixes; delete what nobody needs. One CiliumCIDRGroup that many policies refer to counts once."
        ),
        DiagnosticEntry(
            .endPortBelowPort, .error, title: "The last port of a range is below the first",
            reason: """
                The range is empty. The API server refuses such a NetworkPolicy, and so does netpold. In a Cilium policy only the \
                first port matches, as in Cilium; netpold adds a warning.
                """,
            fix: "Swap the two numbers.",
            bad: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  podSelector: {}
                  ingress: [{ports: [{port: 9000, endPort: 8000}]}]
                """,
            good: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  podSelector: {}
                  ingress: [{ports: [{port: 8000, endPort: 9000}]}]
                """),
        DiagnosticEntry(
            .noEffect, .warning,
            title: "A valid field or rule without effect, or with another effect than it seems to have",
            reason: """
                For example rules of a direction that policyTypes does not list, or host bits in a prefix. The policy is enforced as \
                the API defines it, which is probably not what its author intends.
                """,
            fix: "Remove it, or write what is intended.",
            bad: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  podSelector: {}
                  policyTypes: [Ingress]
                  egress: [{to: [{ipBlock: {cidr: 10.1.2.0/24}}]}]
                """,
            good: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  podSelector: {}
                  policyTypes: [Ingress, Egress]
                  egress: [{to: [{ipBlock: {cidr: 10.1.2.0/24}}]}]
                """),
        DiagnosticEntry(
            .hostPolicy, .error, title: "A host policy that cannot be enforced",
            reason: """
                A rule with nodeSelector protects nodes, not pods. The agent enforces it with --host-policy, but nobody reads \
                what a node asks its resolver, so names in it (DNS rules, toFQDNs, serverNames) cannot be enforced: the object is \
                refused where it would be loaded, and the pods that its other rules select are isolated. While host policies are \
                off, the agent warns of every one that selects its node.
                """,
            fix: "Write addresses in place of the names.",
            bad: """
                apiVersion: cilium.io/v2
                kind: CiliumClusterwideNetworkPolicy
                metadata: {name: nodes}
                spec:
                  nodeSelector: {matchLabels: {node-role.kubernetes.io/worker: ""}}
                  egress: [{toFQDNs: [{matchName: mirror.example.com}]}]
                """,
            good: """
                apiVersion: cilium.io/v2
                kind: CiliumClusterwideNetworkPolicy
                metadata: {name: nodes}
                spec:
                  nodeSelector: {matchLabels: {node-role.kubernetes.io/worker: ""}}
                  egress: [{toCIDR: [203.0.113.0/24]}]
                """),
        DiagnosticEntry(
            .unresolved, .error, title: "A reference to a service or CIDR group that does not exist, or is refused",
            reason: """
                In an allow rule the reference selects nothing, which is a warning. In a deny rule it is unknown what to deny, so \
                the policy is refused. The same holds of a deny by the entity kube-apiserver while the EndpointSlice of the Service \
                default/kubernetes, which has its addresses, is not there.
                """,
            fix: "Add the object to the manifests, or write its prefixes or labels directly.",
            bad: """
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  endpointSelector: {matchLabels: {app: web}}
                  ingress:
                    - fromCIDRSet: [{cidrGroupRef: offices}]
                """,
            good: """
                apiVersion: cilium.io/v2
                kind: CiliumCIDRGroup
                metadata: {name: offices}
                spec: {externalCIDRs: [203.0.113.0/24]}
                ---
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  endpointSelector: {matchLabels: {app: web}}
                  ingress:
                    - fromCIDRSet: [{cidrGroupRef: offices}]
                """),
        DiagnosticEntry(
            .servicesLeftOut, .warning, title: "All Services together have more addresses than there is room for",
            reason: """
                Each node's kernel has one table for the addresses of all Services, and nobody's Services may fill it for everybody. \
                Services of a cluster may have 65,536 addresses together, and 131,072 of them with ports. Where they have more, the \
                namespaces with most give way, external IPs first. Nodes do not translate what is left out, so policies see the address.
                """,
            fix:
                "Remove external IPs and ports that nobody needs; let the API server refuse externalIPs (DenyServiceExternalIPs)."
        ),
        DiagnosticEntry(
            .contestedAddress, .warning, title: "An address of several pods, or of a pod and a node",
            reason: """
                It is unknown whose packets come from it, so it belongs to none of them: no rule that selects pods or addresses \
                allows it, every deny rule matches it, and none of the pods may send from it.
                """,
            fix: """
                Remove the stale pod. A finished pod needs its phase (Succeeded, Failed), a pod in the node's network needs \
                hostNetwork: true.
                """,
            bad: """
                apiVersion: v1
                kind: Pod
                metadata: {name: old, namespace: shop}
                status: {podIP: 10.0.0.7}
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: new, namespace: shop}
                status: {podIP: 10.0.0.7}
                """,
            good: """
                apiVersion: v1
                kind: Pod
                metadata: {name: old, namespace: shop}
                status: {podIP: 10.0.0.7, phase: Succeeded}
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: new, namespace: shop}
                status: {podIP: 10.0.0.7}
                """),
    ]
}
