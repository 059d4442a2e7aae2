import PolicyAPI
import PolicyIR

/// `fromEndpoints: []` and other empty lists of peers.
enum EmptyPeerListCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .emptyPeerList, .warning,
        title: "An empty list of peers, so the element selects nothing",
        reason: """
            In a Cilium policy a missing list of peers selects every peer, and an empty list `[]` selects none; the other fields of \
            the element do not change that. (In a NetworkPolicy `from: []` selects every peer.) Cilium treats `toFQDNs: []` and \
            `toServices: []` like missing lists; netpold fails closed and selects none.
            """,
        fix: "List the peers; remove the field to select every peer; remove the element to select none.",
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
                "an empty list selects no peer, whatever else the element contains",
                "list the peers, or remove the field to select every peer")
        }
    }
}
