import NetTypes

extension NetworkPolicy {
    static let table = FieldTable(
        "", rows: [.enforced("apiVersion", "kind", "metadata", "spec"), .metadata("status")])
    static let specTable = FieldTable(
        "spec", rows: [.enforced("podSelector", "policyTypes", "ingress", "egress")])

    /// Reads a networking.k8s.io/v1 NetworkPolicy with the API server's defaults (docs/spec/network-policy.md 1.2). The second
    /// value says what to isolate if there is an error.
    static func decode(_ object: DocumentNode, _ findings: inout Findings) -> (NetworkPolicy, [PolicyRefusal]) {
        let metadata = ObjectHeader.metadata(object, .namespaced, isPolicy: true, &findings)
        var policy = NetworkPolicy(
            metadata: metadata, podSelector: LabelSelector(), policyTypes: [.ingress], ingress: [], egress: [])
        var refused = PolicyRefusal(
            origin: RuleOrigin(
                kind: "NetworkPolicy", namespace: metadata.namespace, name: metadata.name, path: "",
                location: object.location),
            subject: nil, ingress: true, egress: true)
        // No spec is the empty spec: every pod of the namespace, isolated for ingress.
        let specErrors = findings.errors
        guard let top = table.read(object, &findings) else { return (policy, [refused]) }
        guard let specNode = top["spec"] else {
            refused.subject = .pods(.named(metadata.namespace), policy.podSelector)
            return (policy, [refused])
        }
        refused.subject = .pods(.named(metadata.namespace), LabelSelector())
        guard let spec = specTable.read(specNode, &findings) else { return (policy, [refused]) }
        let hasUnknownField = findings.errors > specErrors
        if let selector = spec["podSelector"] {
            // Of a refused policy, what can be read: a condition that cannot must not leave its pods open.
            policy.podSelector = LabelSelector.decodeReadable(selector, .plain, &findings)
        }
        refused.subject = .pods(.named(metadata.namespace), policy.podSelector)
        let hasEgress = spec["egress"].map { $0.elements?.isEmpty != true } ?? false
        let typesErrors = findings.errors
        policy.policyTypes = decodeTypes(spec["policyTypes"], hasEgress: hasEgress, &findings)
        if !hasUnknownField, findings.errors == typesErrors, !object.isFaulty {
            refused.ingress = policy.policyTypes.contains(.ingress)
            refused.egress = policy.policyTypes.contains(.egress)
        }
        policy.ingress = rules(spec["ingress"], peers: "from", &findings)
        policy.egress = rules(spec["egress"], peers: "to", &findings)
        warnOfUnused(spec["ingress"], .ingress, policy, &findings)
        warnOfUnused(spec["egress"], .egress, policy, &findings)
        return (policy, [refused])
    }

    private static func decodeTypes(
        _ node: DocumentNode?, hasEgress: Bool, _ findings: inout Findings
    ) -> Set<Direction> {
        let elements = findings.list(node) ?? []
        // Missing or empty: Ingress always, Egress if there is an egress rule.
        guard let node, !elements.isEmpty else { return hasEgress ? [.ingress, .egress] : [.ingress] }
        if elements.count > 2 {
            findings.error(.tooMany, node, "may not specify more than two policyTypes", "write [Ingress, Egress]")
        }
        var types: Set<Direction> = []
        for element in elements {
            guard let text = findings.string(element) else { continue }
            switch text {
            case "Ingress": types.insert(.ingress)
            case "Egress": types.insert(.egress)
            default:
                let near = Spelling.nearest(to: text, among: ["Ingress", "Egress"])
                findings.error(
                    .invalidValue, element,
                    "Unsupported value: \"\(DocumentNode.shortened(text))\": supported values: \"Ingress\", \"Egress\"",
                    near.map { "write \($0)" } ?? "choose one of these")
            }
        }
        return types
    }

    private static func rules(
        _ node: DocumentNode?, peers: String, _ findings: inout Findings
    ) -> [NetworkPolicyRule] {
        (findings.list(node) ?? []).compactMap { NetworkPolicyRule.decode($0, peers: peers, &findings) }
    }

    private static func warnOfUnused(
        _ node: DocumentNode?, _ direction: Direction, _ policy: NetworkPolicy, _ findings: inout Findings
    ) {
        guard let node, node.elements?.isEmpty == false, !policy.policyTypes.contains(direction) else { return }
        let name = direction == .ingress ? "Ingress" : "Egress"
        findings.warn(
            .noEffect, node, "these rules have no effect, because policyTypes does not list \(name)",
            "add \(name) to policyTypes, or remove the rules")
    }
}

extension NetworkPolicyRule {
    static let ingressTable = FieldTable("spec.ingress[]", rows: [.enforced("from", "ports")])
    static let egressTable = FieldTable("spec.egress[]", rows: [.enforced("to", "ports")])

    /// Reads an element of `ingress` (`peers` is `from`) or `egress` (`to`).
    static func decode(_ node: DocumentNode, peers: String, _ findings: inout Findings) -> NetworkPolicyRule? {
        guard let fields = (peers == "from" ? ingressTable : egressTable).read(node, &findings) else { return nil }
        var rule = NetworkPolicyRule(peers: [], ports: [], path: node.path.description, location: node.location)
        for element in findings.list(fields[peers]) ?? [] {
            if let peer = NetworkPolicyPeer.decode(element, &findings) { rule.peers.append(peer) }
        }
        for element in findings.list(fields["ports"]) ?? [] {
            if let port = NetworkPolicyPort.decode(element, &findings) { rule.ports.append(port) }
        }
        return rule
    }
}
