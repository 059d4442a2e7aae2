import PolicyAPI
import PolicyIR

/// Server names where UDP seems to be allowed too.
enum ServerNamesNotQUICCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .serverNamesNotQUIC, .warning,
        title: "serverNames on a port whose protocol is not TCP alone: QUIC is not allowed by them",
        reason: """
            Server names are read from the TLS handshake of a TCP connection. QUIC (HTTP/3) encrypts its handshake inside UDP, so \
            serverNames admit no UDP packet, whatever the protocol of the port says: without another rule clients fall back to TCP, \
            and those that cannot do so do not get through.
            """,
        fix: """
            Write `protocol: TCP`. If QUIC is to be allowed too, to any server name, add an element with `protocol: UDP` and without \
            serverNames.
            """,
        bad: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - toPorts:
                    - ports: [{port: "443"}]
                      serverNames: [api.example.com]
            """,
        good: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - toPorts:
                    - ports: [{port: "443", protocol: TCP}]
                      serverNames: [api.example.com]
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for policy in cluster.objects.ciliumPolicies {
            for rule in policy.rules {
                let origin = PolicyLowering.origin(of: rule, in: policy)
                for element in rule.ingress + rule.egress {
                    for entry in element.toPorts.value ?? [] where !entry.serverNames.isEmpty {
                        for (index, port) in entry.ports.enumerated() where port.protocols != [.tcp] {
                            report.warn(
                                .serverNamesNotQUIC, "\(entry.path).ports[\(index)]", of: origin,
                                "serverNames allow no QUIC: only TCP connections are let through here",
                                "write protocol: TCP, and an element of its own for UDP if QUIC is to be allowed")
                        }
                    }
                }
            }
        }
    }
}
