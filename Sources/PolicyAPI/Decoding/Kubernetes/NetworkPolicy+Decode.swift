import NetTypes

extension NetworkPolicy {
    static let table = FieldTable(
        "", rows: [.enforced("apiVersion", "kind", "metadata", "spec"), .metadata("status")])
    static let specTable = FieldTable(
        "spec", rows: [.enforced("podSelector", "policyTypes", "ingress", "egress")])

    /// Reads a networking.k8s.io/v1 NetworkPolicy with the API server's defaults (docs/spec/network-policy.md 1.2). The second
    /// value says what to isolate if there is an error.
    static func decode(_ object: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> (
        NetworkPolicy, [PolicyRefusal]
    ) {
        let metadata = ObjectHeader.metadata(object, .namespaced, isPolicy: true, &diagnostics)
        var policy = NetworkPolicy(
            metadata: metadata, podSelector: LabelSelector(), policyTypes: [.ingress], ingress: [], egress: [])
        var refused = PolicyRefusal(
            origin: RuleOrigin(
                kind: "NetworkPolicy", namespace: metadata.namespace, name: metadata.name, path: "",
                location: object.location),
            subject: nil, ingress: true, egress: true)
        // A missing spec is the empty spec: every pod of the namespace, isolated for ingress.
        let specErrors = diagnostics.errorCount
        guard let top = table.read(object, &diagnostics) else { return (policy, [refused]) }
        guard let specNode = top["spec"] else {
            refused.subject = .pods(.named(metadata.namespace), policy.podSelector)
            return (policy, [refused])
        }
        refused.subject = .pods(.named(metadata.namespace), LabelSelector())
        guard let spec = specTable.read(specNode, &diagnostics) else { return (policy, [refused]) }
        let hasUnknownField = diagnostics.errorCount > specErrors
        if let selector = spec["podSelector"] {
            // For a refused policy, the readable conditions: an unreadable one must not leave its pods open.
            policy.podSelector = LabelSelector.decodeReadable(selector, .plain, &diagnostics)
        }
        refused.subject = .pods(.named(metadata.namespace), policy.podSelector)
        let hasEgress = spec["egress"].map { $0.elements?.isEmpty != true } ?? false
        let typesErrors = diagnostics.errorCount
        policy.policyTypes = decodeTypes(spec["policyTypes"], hasEgress: hasEgress, &diagnostics)
        let knowsTypes = diagnostics.errorCount == typesErrors
        if !hasUnknownField, knowsTypes, !object.isFaulty {
            refused.ingress = policy.policyTypes.contains(.ingress)
            refused.egress = policy.policyTypes.contains(.egress)
        }
        policy.ingress = rules(spec["ingress"], peers: "from", &diagnostics)
        policy.egress = rules(spec["egress"], peers: "to", &diagnostics)
        // Of types that cannot be read it is not known what they leave out.
        if knowsTypes {
            warnOfUnused(spec["ingress"], .ingress, policy, &diagnostics)
            warnOfUnused(spec["egress"], .egress, policy, &diagnostics)
        }
        return (policy, [refused])
    }

    private static func decodeTypes(
        _ node: DocumentNode?, hasEgress: Bool, _ diagnostics: inout DiagnosticCollector
    ) -> Set<Direction> {
        let elements = diagnostics.list(node) ?? []
        // Missing or empty: Ingress always, Egress if there is an egress rule.
        guard let node, !elements.isEmpty else { return hasEgress ? [.ingress, .egress] : [.ingress] }
        if elements.count > 2 {
            diagnostics.error(.tooMany, node, "may not specify more than two policyTypes", "write [Ingress, Egress]")
        }
        var types: Set<Direction> = []
        for element in elements {
            guard let text = diagnostics.string(element) else { continue }
            switch text {
            case "Ingress": types.insert(.ingress)
            case "Egress": types.insert(.egress)
            default:
                let near = Spelling.nearest(to: text, among: ["Ingress", "Egress"])
                diagnostics.error(
                    .invalidValue, element,
                    "Unsupported value: \"\(DocumentNode.shortened(text))\": supported values: \"Ingress\", \"Egress\"",
                    near.map { "write \($0)" } ?? "choose one of these")
            }
        }
        return types
    }

    private static func rules(
        _ node: DocumentNode?, peers: String, _ diagnostics: inout DiagnosticCollector
    ) -> [NetworkPolicyRule] {
        (diagnostics.list(node) ?? []).compactMap { NetworkPolicyRule.decode($0, peers: peers, &diagnostics) }
    }

    private static func warnOfUnused(
        _ node: DocumentNode?, _ direction: Direction, _ policy: NetworkPolicy, _ diagnostics: inout DiagnosticCollector
    ) {
        guard let node, node.elements?.isEmpty == false, !policy.policyTypes.contains(direction) else { return }
        let name = direction == .ingress ? "Ingress" : "Egress"
        diagnostics.warn(
            .noEffect, node, "these rules have no effect because policyTypes does not list \(name)",
            "add \(name) to policyTypes, or remove the rules")
    }
}

extension NetworkPolicyRule {
    static let ingressTable = FieldTable("spec.ingress[]", rows: [.enforced("from", "ports")])
    static let egressTable = FieldTable("spec.egress[]", rows: [.enforced("to", "ports")])

    /// Reads an element of `ingress` (`peers` is `from`) or `egress` (`to`).
    static func decode(_ node: DocumentNode, peers: String, _ diagnostics: inout DiagnosticCollector)
        -> NetworkPolicyRule?
    {
        guard let fields = (peers == "from" ? ingressTable : egressTable).read(node, &diagnostics) else { return nil }
        var rule = NetworkPolicyRule(peers: [], ports: [], path: node.path.description, location: node.location)
        for element in diagnostics.list(fields[peers]) ?? [] {
            if let peer = NetworkPolicyPeer.decode(element, &diagnostics) { rule.peers.append(peer) }
        }
        for element in diagnostics.list(fields["ports"]) ?? [] {
            if let port = NetworkPolicyPort.decode(element, &diagnostics) { rule.ports.append(port) }
        }
        return rule
    }
}
