import PolicyAPI

/// Port names that no selected pod has.
enum UnknownPortNameCheck: LintCheck {
    static let entry = DiagnosticEntry(
        .unknownPortName, .warning,
        title: "A port name that no selected pod has",
        reason: """
            A named port is resolved with the container ports of each destination pod and the rule's protocol: the policy's own pods \
            for ingress, the peers for egress. A name that none of them has matches nothing. The names of Service ports do not \
            count.
            """,
        fix: "Use the name of a container port, or its number.",
        bad: """
            apiVersion: v1
            kind: Pod
            metadata: {name: web, namespace: shop, labels: {app: web}}
            spec: {containers: [{name: web, ports: [{name: http, containerPort: 8080}]}]}
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: web}}
              ingress: [{ports: [{port: htpp}]}]
            """,
        good: """
            apiVersion: v1
            kind: Pod
            metadata: {name: web, namespace: shop, labels: {app: web}}
            spec: {containers: [{name: web, ports: [{name: http, containerPort: 8080}]}]}
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: web}}
              ingress: [{ports: [{port: http}]}]
            """)

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        guard !cluster.pods.isEmpty else { return }
        let isName = { (port: DestinationPorts.Port) in if case .named = port { true } else { false } }
        DestinationPorts.forEach(in: cluster, where: isName) { rule in
            guard case .named(let name, let protocols) = rule.port, !rule.destination.classes.isEmpty else { return }
            let ports = rule.destination.ports
            // Cilium's names are lower case.
            guard
                !ports.contains(where: {
                    protocols.contains($0.protocol) && ($0.name == name || $0.name.lowercased() == name)
                })
            else { return }
            let names = Set(ports.map(\.name)).subtracting([""]).sorted()
            let other = ports.first { $0.name == name }
            let words = protocols.map(\.description).joined(separator: ", ")
            report.warn(
                .unknownPortName, rule.path, of: rule.origin,
                "no selected pod has a \(words) port named \(name)",
                other.map { "\(name) is a \($0.protocol) port of these pods" }
                    ?? Spelling.nearest(to: name, among: names).map { "did you mean \($0)?" }
                    ?? (names.isEmpty
                        ? "name the container ports, or use the port number"
                        : "their ports are \(names.prefix(8).joined(separator: ", "))"))
        }
    }
}
