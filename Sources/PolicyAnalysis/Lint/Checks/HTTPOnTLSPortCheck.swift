import PolicyAPI
import PolicyIR

/// HTTP rules on ports with encrypted traffic.
enum HTTPOnTLSPortCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .httpOnTLSPort, .warning,
        title: "HTTP rules on a port whose number or name indicates TLS",
        reason: """
            Method, path and headers of a request inside TLS cannot be read. Traffic on such a port is not plain HTTP, so no rule \
            ever matches and every connection is refused. Ports 443, 6443, 8443 and 9443 are assumed to carry TLS, as are those \
            whose name is https or tls or contains either as a word.
            """,
        fix: """
            Match the server name of the handshake with `serverNames`, or use the port that serves plain HTTP.
            """,
        bad: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - toPorts:
                    - ports: [{port: "443", protocol: TCP}]
                      rules:
                        http: [{method: GET}]
            """,
        good: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - toPorts:
                    - ports: [{port: "8080", protocol: TCP}]
                      rules:
                        http: [{method: GET}]
            """)

    private static let numbers: Set<UInt16> = [443, 6443, 8443, 9443]

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for policy in cluster.objects.ciliumPolicies {
            for rule in policy.rules {
                for element in rule.ingress + rule.egress {
                    for entry in element.toPorts.value ?? [] where !entry.http.isAbsent {
                        check(entry, PolicyLowering.origin(of: rule, in: policy), &report)
                    }
                }
            }
        }
    }

    private static func check(_ entry: PortRule, _ origin: RuleOrigin, _ report: inout LintReport) {
        for (index, port) in entry.ports.enumerated() {
            let name: String
            switch port.port {
            case .range(let range) where range.first == range.last && numbers.contains(range.first):
                name = "\(range.first)"
            case .named(let text) where text.split(separator: "-").contains(where: { $0 == "https" || $0 == "tls" }):
                name = text
            case .all, .range, .named: continue
            }
            report.warn(
                .httpOnTLSPort, "\(entry.path).ports[\(index)].port", of: origin,
                "port \(name) carries TLS, which http rules cannot inspect: no request would match",
                "use serverNames instead of rules.http, or the port that serves plain HTTP")
        }
    }
}
