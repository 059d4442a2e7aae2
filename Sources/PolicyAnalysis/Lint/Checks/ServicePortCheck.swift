import PolicyAPI

/// Ports of a Service instead of its pods.
enum ServicePortCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .servicePort, .warning,
        title: "A rule with the port of a Service instead of the port of its pods",
        reason: """
            A packet to a Service is translated to a backend pod before policies see it: they see the pod's port, `targetPort`. A \
            rule with the Service's own port never matches. This is reported where a Service of the selected pods maps the rule's \
            port to another one and no selected pod declares the rule's port.
            """,
        fix: "Use the targetPort, or the name of the container port.",
        bad: """
            apiVersion: v1
            kind: Service
            metadata: {name: web, namespace: shop}
            spec:
              selector: {app: web}
              ports: [{port: 80, targetPort: 8080}]
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: web}}
              ingress: [{ports: [{port: 80}]}]
            """,
        good: """
            apiVersion: v1
            kind: Service
            metadata: {name: web, namespace: shop}
            spec:
              selector: {app: web}
              ports: [{port: 80, targetPort: 8080}]
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: web}}
              ingress: [{ports: [{port: 8080}]}]
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        let services = ServicePods(cluster)
        guard !services.isEmpty else { return }
        let mayBeMeant = { (port: DestinationPorts.Port) in
            if case .number(let number, _) = port { services.ports.contains(number) } else { false }
        }
        DestinationPorts.forEach(in: cluster, where: mayBeMeant) { rule in
            guard case .number(let port, let protocols) = rule.port else { return }
            let found = services.services(of: rule.destination)
            guard !found.isEmpty else { return }
            for proto in protocols {
                let leads = found.flatMap { service in
                    service.ports.filter { $0.protocol == proto }.map { (service, $0) }
                }
                guard let (service, lead) = leads.first(where: { $0.1.port == port }),
                    // Some Service maps to this port, or a pod declares it.
                    !leads.contains(where: { services.mayLead($0.1, to: port, rule.destination) }),
                    !rule.destination.ports.contains(where: { $0.protocol == proto && $0.port == port })
                else { continue }
                let name = "\(service.metadata.namespace)/\(service.metadata.name)"
                let target: String
                switch lead.target {
                case .number(let number): target = "\(number)"
                case .named(let name): target = name
                }
                report.warn(
                    .servicePort, rule.path, of: rule.origin,
                    "\(port) is the port of Service \(name); policies see the port of its pods, \(target)",
                    "write port: \(target)")
            }
        }
    }
}
