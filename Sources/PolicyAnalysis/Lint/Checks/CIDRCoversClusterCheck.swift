import NetTypes
import PolicyAPI
import PolicyIR

/// Prefixes of Cilium policies that are probably meant to match pods.
enum CIDRCoversClusterCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .cidrCoversCluster, .warning,
        title: "A CIDR of a Cilium policy that covers addresses of pods, nodes or Services",
        reason: """
            In Cilium policies a CIDR matches addresses outside the cluster. Pods and nodes are identified by their labels and never \
            matched by a CIDR, and traffic to a Service is matched by the backend pod. (ipBlock of a NetworkPolicy does match \
            pods.) 0.0.0.0/0 and ::/0 are not reported: they usually mean the world.
            """,
        fix: """
            Select pods with fromEndpoints or toEndpoints, nodes with the entities host and remote-node, Services with toServices or \
            by their pods. If only the rest of the prefix is meant, exclude the cluster's addresses with `except`.
            """,
        bad: """
            apiVersion: v1
            kind: Pod
            metadata: {name: db, namespace: shop, labels: {app: db}}
            status: {podIP: 10.20.0.12}
            ---
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: db, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: db}}
              ingress:
                - fromCIDR: [10.20.0.0/16]
            """,
        good: """
            apiVersion: v1
            kind: Pod
            metadata: {name: db, namespace: shop, labels: {app: db}}
            status: {podIP: 10.20.0.12}
            ---
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: db, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: db}}
              ingress:
                - fromEndpoints: [{matchLabels: {app: db}}]
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        let owners = AddressOwners(cluster.objects)
        guard !owners.isEmpty else { return }
        for policy in cluster.objects.ciliumPolicies {
            for rule in policy.rules {
                let origin = PolicyLowering.origin(of: rule, in: policy)
                for element in rule.ingress + rule.ingressDeny { check(element, "from", origin, owners, &report) }
                for element in rule.egress + rule.egressDeny { check(element, "to", origin, owners, &report) }
            }
        }
    }

    private static func check(
        _ element: CiliumElement, _ prefix: String, _ origin: RuleOrigin, _ owners: AddressOwners,
        _ report: inout LintReport
    ) {
        for (index, cidr) in (element.cidrs.value ?? []).enumerated() {
            check(cidr, except: [], "\(element.path).\(prefix)CIDR[\(index)]", origin, owners, &report)
        }
        for (index, entry) in (element.cidrSet.value ?? []).enumerated() {
            guard case .prefix(let cidr) = entry.source else { continue }
            let path = "\(element.path).\(prefix)CIDRSet[\(index)].cidr"
            check(cidr, except: entry.except, path, origin, owners, &report)
        }
    }

    private static func check(
        _ cidr: IPPrefix, except: [IPPrefix], _ path: String, _ origin: RuleOrigin, _ owners: AddressOwners,
        _ report: inout LintReport
    ) {
        guard cidr.length > 0, let owner = owners.first(in: cidr, except: except) else { return }
        report.warn(
            .cidrCoversCluster, path, of: origin,
            "\(cidr) covers \(owner.address) of \(owner.name), but a CIDR of a Cilium policy never matches it",
            "select \(owner.remedy)")
    }
}
