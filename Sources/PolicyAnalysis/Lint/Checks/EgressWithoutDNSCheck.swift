import PolicyAPI
import PolicyIR

/// Pods that may reach others, but may not query DNS for their addresses.
enum EgressWithoutDNSCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .egressWithoutDNS, .warning,
        title: "Pods that are isolated for egress and may reach others, but may not query DNS",
        reason: """
            Once a policy isolates pods for egress, DNS is denied like everything else. Programs find services by name, so nothing \
            that the policy allows can be reached: every look-up times out. All policies of the same pods are combined. Policies that \
            allow no egress at all, or only addresses, are not reported. Where UDP is allowed and TCP is not, this is a note: answers \
            that are too big for a datagram are requested again over TCP.
            """,
        fix: """
            Allow port 53 over UDP and TCP to the cluster's DNS, once for all pods of the namespace.
            """,
        bad: """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: web}}
              policyTypes: [Egress]
              egress:
                - to:
                    - podSelector: {matchLabels: {app: db}}
                  ports: [{port: 5432}]
            """,
        good: """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: web}}
              policyTypes: [Egress]
              egress:
                - to:
                    - podSelector: {matchLabels: {app: db}}
                  ports: [{port: 5432}]
                - to:
                    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
                      podSelector: {matchLabels: {k8s-app: kube-dns}}
                  ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
            """)

    /// The DNS access of pods.
    private struct Access {
        var udp = false
        var tcp = false

        mutating func add(_ rules: DirectionRules?) {
            for rule in rules?.rules ?? [] {
                udp = udp || DNSPort.isAllowed(.udp, by: rule)
                tcp = tcp || DNSPort.isAllowed(.tcp, by: rule)
            }
        }
    }

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        // The policies that allow egress without DNS; one that covers another is reported for both.
        var found: [Int: (access: Access, example: Pod?)] = [:]
        for number in cluster.policies.indices {
            guard let egress = cluster.policies[number].egress, egress.isolates,
                egress.rules.contains(where: needsNames)
            else { continue }
            if let worst = worstAccess(number, cluster), !(worst.access.udp && worst.access.tcp) {
                found[number] = worst
            }
        }
        for number in found.keys.sorted() {
            let isReported = cluster.policies(covering: number).contains { other in
                guard other != number, let reported = found[other], let own = found[number],
                    reported.access.udp == own.access.udp
                else { return false }
                return !(cluster.policies(covering: other).contains(number)) || other < number
            }
            if !isReported, let worst = found[number] { warn(worst, cluster.policies[number], &report) }
        }
    }

    /// The least access of any pods of a policy. Without known pods: what the policies for all of them allow.
    private static func worstAccess(_ number: Int, _ cluster: LintCluster) -> (access: Access, example: Pod?)? {
        var common = Access()
        for other in cluster.policies(covering: number) { common.add(cluster.policies[other].egress) }
        if cluster.subjects[number].isEmpty {
            for others in cluster.complements(within: number) {
                var either = Access(udp: true, tcp: true)
                for other in others {
                    var own = Access()
                    own.add(cluster.policies[other].egress)
                    either = Access(udp: either.udp && own.udp, tcp: either.tcp && own.tcp)
                }
                common = Access(udp: common.udp || either.udp, tcp: common.tcp || either.tcp)
            }
            return (common, nil)
        }
        if common.udp && common.tcp { return (common, nil) }
        var worst: (access: Access, example: Pod?)?
        for podClass in cluster.subjects[number] {
            var access = Access()
            for other in cluster.applying[podClass] ?? [] { access.add(cluster.policies[other].egress) }
            let pod = cluster.pods[podClass]?.first
            if !access.udp { return (access, pod) }
            if !access.tcp { worst = worst ?? (access, pod) }
        }
        return worst
    }

    /// Whether a rule allows destinations that programs reach by name.
    private static func needsNames(_ rule: PolicyRule) -> Bool {
        guard rule.action == .allow else { return false }
        // ICMP is not a service.
        if case .anyOf(let clauses) = rule.traffic,
            !clauses.contains(where: {
                if case .ports(let proto, _) = $0 { proto.hasPorts } else { true }
            })
        {
            return false
        }
        guard case .anyOf(let peers) = rule.peers else { return true }
        return peers.contains { peer in
            switch peer {
            case .pods, .endpoints: true
            case .entity(let entity): [.all, .world, .worldIPv4, .worldIPv6, .cluster].contains(entity)
            case .addresses(let prefix, _, _): prefix.length == 0
            case .nodes, .names: false
            }
        }
    }

    private static func warn(
        _ worst: (access: Access, example: Pod?), _ policy: LoweredPolicy, _ report: inout LintReport
    ) {
        let spec = policy.origin.path.isEmpty ? "spec" : policy.origin.path
        let example = worst.example.map { ", for example \($0.qualifiedName)," } ?? ""
        if worst.access.udp {
            report.note(
                .egressWithoutDNS, "\(spec).egress", of: policy.origin,
                "the selected pods\(example) may query DNS over UDP only; large answers need TCP",
                "also allow TCP port 53")
        } else {
            report.warn(
                .egressWithoutDNS, "\(spec).egress", of: policy.origin,
                "the selected pods\(example) may reach others, but no policy allows them to query DNS"
                    + (worst.access.tcp ? " over UDP" : ""),
                worst.access.tcp
                    ? "add port 53 with protocol: UDP; ports without protocol are TCP"
                    : "allow port 53 over UDP and TCP to the DNS pods (k8s-app=kube-dns in kube-system)")
        }
    }
}
