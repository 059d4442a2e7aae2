import PolicyAPI
import PolicyIR

/// `fromEndpoints: []` and its kind.
enum EmptyPeerListCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .emptyPeerList, .warning,
        title: "A list of peers that is written empty, so the element selects nobody",
        reason: """
            In a Cilium policy a list of peers that is not written means everyone, and one that is written as `[]` means nobody; the \
            other fields of the element do not change that. (In a NetworkPolicy `from: []` means everyone.) Cilium reads \
            `toFQDNs: []` and `toServices: []` as not written; netpold selects nobody, because an empty list opens no door here.
            """,
        fix: "List the peers; leave the field out to mean everyone; remove the element to mean nobody.",
        bad: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - fromEndpoints: []
                  toPorts:
                    - ports: [{port: "8080", protocol: TCP}]
            """,
        good: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - fromEndpoints:
                    - matchLabels: {app: front}
                  toPorts:
                    - ports: [{port: "8080", protocol: TCP}]
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for policy in cluster.objects.ciliumPolicies {
            for rule in policy.rules {
                for element in rule.ingress + rule.ingressDeny { check(element, "from", rule, policy, &report) }
                for element in rule.egress + rule.egressDeny { check(element, "to", rule, policy, &report) }
            }
        }
    }

    private static func check(
        _ element: CiliumElement, _ prefix: String, _ rule: CiliumRule, _ policy: CiliumPolicy,
        _ report: inout LintReport
    ) {
        let lists: [(String, Bool)] = [
            ("\(prefix)Endpoints", element.endpoints == .empty), ("\(prefix)Entities", element.entities == .empty),
            ("\(prefix)CIDR", element.cidrs == .empty), ("\(prefix)CIDRSet", element.cidrSet == .empty),
            ("toServices", element.services == .empty), ("\(prefix)Nodes", element.nodes == .empty),
            ("toFQDNs", element.fqdns == .empty),
        ]
        for (name, isEmpty) in lists where isEmpty {
            report.warn(
                .emptyPeerList, "\(element.path).\(name)", of: PolicyLowering.origin(of: rule, in: policy),
                "an empty list selects nobody, whatever else the element says",
                "list the peers, or leave the field out to mean everyone")
        }
    }
}
