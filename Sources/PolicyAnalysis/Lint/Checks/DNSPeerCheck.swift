import PolicyAPI
import PolicyIR

/// The cluster's DNS pods, looked for in the policy's own namespace.
enum DNSPeerCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .dnsPeerWithoutNamespace, .warning,
        title: "A peer with the labels of DNS pods and no namespace, in a namespace where they are not",
        reason: """
            A peer without a namespace means pods of the policy's own namespace. The DNS pods of a cluster are in kube-system, so such a \
            rule allows nothing: look-ups are denied, and `toFQDNs` never learns an address. It is not reported where another peer or rule \
            for the same pods allows look-ups.
            """,
        fix: """
            Name the namespace: `k8s:io.kubernetes.pod.namespace: kube-system` beside the label in a Cilium selector, a \
            namespaceSelector in the same element of a NetworkPolicy.
            """,
        bad: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {}
              egress:
                - toEndpoints:
                    - matchLabels: {k8s-app: kube-dns}
                  toPorts:
                    - ports: [{port: "53", protocol: ANY}]
            """,
        good: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {}
              egress:
                - toEndpoints:
                    - matchLabels: {k8s:io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns}
                  toPorts:
                    - ports: [{port: "53", protocol: ANY}]
            """)

    /// The usual labels of DNS pods.
    private static let keys: Set<String> = ["k8s-app", "app", "app.kubernetes.io/name", "name"]
    private static let values: Set<String> = ["kube-dns", "coredns", "core-dns", "node-local-dns", "rke2-coredns"]

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        var access = Access(cluster)
        for policy in cluster.objects.networkPolicies {
            let origin = PolicyLowering.origin(of: policy)
            for rule in policy.egress {
                for (index, peer) in rule.peers.enumerated() {
                    guard case .pods(nil, let pods?) = peer, isMistaken(pods, in: policy.metadata.namespace, cluster),
                        !access.isGiven(byPoliciesBeside: origin)
                    else { continue }
                    warn(
                        pods, "\(rule.path).to[\(index)].podSelector", origin,
                        "add namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}} to the element",
                        &report)
                }
            }
        }
        for policy in cluster.objects.ciliumPolicies {
            for rule in policy.rules {
                let scope = CiliumScope(policy, rule)
                let origin = PolicyLowering.origin(of: rule, in: policy)
                for element in rule.egress {
                    for (index, selector) in (element.endpoints.value ?? []).enumerated() {
                        guard isMistaken(scope.peer(selector), in: scope.namespace, cluster),
                            !access.isGiven(byPoliciesBeside: origin)
                        else { continue }
                        warn(
                            selector, "\(element.path).toEndpoints[\(index)]", origin,
                            "add k8s:io.kubernetes.pod.namespace: kube-system to its labels", &report)
                    }
                }
            }
        }
    }

    /// Which policies allow look-ups by other peers than mistaken ones.
    private struct Access {
        private let cluster: LintCluster
        /// By policy, once it was asked for.
        private var known: [Int: Bool] = [:]

        init(_ cluster: LintCluster) { self.cluster = cluster }

        /// Whether a policy, or another one of all of its pods, allows look-ups.
        mutating func isGiven(byPoliciesBeside origin: RuleOrigin) -> Bool {
            guard let number = cluster.numbers[origin] else { return false }
            for other in cluster.policies(covering: number) where isGiven(by: other) { return true }
            return false
        }

        private mutating func isGiven(by number: Int) -> Bool {
            if let known = known[number] { return known }
            let policy = cluster.policies[number]
            let isGiven = (policy.egress?.rules ?? []).contains { rule in
                DNSPort.isAllowed(.udp, by: DNSPeerCheck.withoutMistakes(rule, cluster))
            }
            known[number] = isGiven
            return isGiven
        }
    }

    /// A rule without the peers that do not reach the cluster's DNS: those that select none of its pods by mistake, names, and what is outside
    /// of the cluster, unless it is allowed on certain ports, which is meant for a server there.
    private static func withoutMistakes(_ rule: PolicyRule, _ cluster: LintCluster) -> PolicyRule {
        guard case .anyOf(let peers) = rule.peers else { return rule }
        let namespace = rule.origin.namespace.isEmpty ? nil : rule.origin.namespace
        var rest = rule
        rest.peers = .anyOf(
            peers.filter { peer in
                switch peer {
                case .pods(.named, let selector), .endpoints(let selector):
                    !isMistaken(selector, in: namespace, cluster)
                        && !NamespaceLabelKeyCheck.isMistaken(selector, cluster)
                case .entity(.world), .entity(.worldIPv4), .entity(.worldIPv6), .addresses(_, _, .outsideCluster):
                    rule.traffic != .everything
                case .names: false
                case .pods(.matching, _), .nodes, .entity, .addresses(_, _, .everywhere): true
                }
            })
        return rest
    }

    /// Whether a selector of pods of one namespace asks for DNS pods which are not there, as far as is known.
    static func isMistaken(_ selector: LabelSelector, in namespace: String?, _ cluster: LintCluster) -> Bool {
        guard let namespace, namespace != "kube-system", !namespace.contains("dns"),
            selector.requirements.contains(where: isOfDNS),
            // Whoever names a namespace, in whatever way, means it.
            selector.requirements.allSatisfy({ requirement in
                !requirement.key.hasPrefix(CiliumKey.namespaceLabelPrefix)
                    && (!requirement.isAbout(CiliumKey.namespace) || requirement.values == [namespace])
            }),
            // Reported as what it is.
            !NamespaceLabelKeyCheck.isMistaken(selector, cluster)
        else { return false }
        return cluster.pods(matching: .pods(.named(namespace), LintText.written(selector))).isEmpty
    }

    private static func isOfDNS(_ requirement: LabelRequirement) -> Bool {
        requirement.operator == .isIn && keys.contains(requirement.key)
            && requirement.values.contains(where: values.contains)
    }

    private static func warn(
        _ selector: LabelSelector, _ path: String, _ origin: RuleOrigin, _ hint: String, _ report: inout LintReport
    ) {
        report.warn(
            .dnsPeerWithoutNamespace, path, of: origin,
            "\(LintText.selector(selector)) means pods of \(origin.namespace), where no DNS pods are, so look-ups stay denied",
            hint)
    }
}
