extension DiagnosticCatalogue {
    /// What can be wrong with fields and values.
    static let fields: [DiagnosticEntry] = [
        DiagnosticEntry(
            .unknownField, .error, title: "A field that the kind does not have",
            reason: """
                An API server drops unknown fields in silence, and what is left of the policy may select every pod or allow every \
                peer. Each field is known or the object is refused.
                """,
            fix: "Write the nearest known name, which the message proposes; check the indentation.",
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
            .unsupportedField, .error, title: "A field that exists, but that netpold does not enforce",
            reason: "To ignore what a field asks for would open what it closes, so the object is refused.",
            fix: "Do what the message proposes in its place.",
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
            .missingField, .error, title: "A field that must be written is not",
            reason: "What is left out has no safe default here.",
            fix: "Write the field that is named.",
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
                YAML reads `8080` as a number, `"8080"` as text and `yes` as text or a boolean. A NetworkPolicy takes port numbers \
                without quotes, a Cilium policy with quotes; labels are always text.
                """,
            fix: "Put quotes around text that looks like a number or boolean; remove them from numbers.",
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
            reason: "No label, port, prefix or name can be like this, so the rule could only mean something else.",
            fix: "Write a value of the form that the message names.",
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
            .conflict, .error, title: "Two things that exclude each other are both written",
            reason: "Whichever of the two was taken, the other would be ignored.",
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
            .tooMany, .error, title: "More of something than is allowed",
            reason: "Cut off, a list would mean less than it says: deny rules would be missing.",
            fix: "Split the list or the policy, or write ranges.",
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
            .endPortBelowPort, .error, title: "The last port of a range is below the first",
            reason: """
                The range is empty. The API server refuses such a NetworkPolicy, and so does netpold; Cilium takes the first port \
                alone, which netpold does too, with a warning.
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
            .noEffect, .warning, title: "Something valid that has no effect, or not the one it seems to have",
            reason: """
                For example rules of a direction that policyTypes does not list, or address bits behind the prefix length. The \
                policy is enforced as the API defines it, which is hardly what its author means.
                """,
            fix: "Remove it, or write what is meant.",
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
            .hostPolicy, .error, title: "A policy about nodes",
            reason: """
                A rule with nodeSelector protects nodes, not pods. `netpold test` and `explain` decide flows by it, but it cannot \
                be enforced yet. So that nobody relies on it, the object is refused where it would be loaded, and the pods that \
                its other rules select are isolated.
                """,
            fix: "Protect the nodes by other means, and keep the policy out of the folder that is loaded.",
            bad: """
                apiVersion: cilium.io/v2
                kind: CiliumClusterwideNetworkPolicy
                metadata: {name: nodes}
                spec:
                  nodeSelector: {matchLabels: {node-role.kubernetes.io/worker: ""}}
                  ingress: [{fromEntities: [cluster]}]
                """,
            good: """
                apiVersion: cilium.io/v2
                kind: CiliumClusterwideNetworkPolicy
                metadata: {name: pods}
                spec:
                  endpointSelector: {}
                  ingress: [{fromEntities: [cluster]}]
                """),
        DiagnosticEntry(
            .unresolved, .error, title: "A reference to a service or CIDR group that is not there",
            reason: """
                Where the rule allows, the reference selects nothing, and this is a warning. Where it denies, nobody knows what to \
                deny, so the policy is refused.
                """,
            fix: "Add the object to the manifests, or write the prefixes or labels themselves.",
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
            .contestedAddress, .warning, title: "An address that several pods, or a pod and a node, claim",
            reason: """
                Nobody knows whose packets come from it. It belongs to none of them: no rule that names pods or addresses allows \
                it, every deny rule does apply, and neither pod may send from it.
                """,
            fix: """
                Remove the pod that is gone. A finished pod needs its phase (Succeeded, Failed), one on the node's network \
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
