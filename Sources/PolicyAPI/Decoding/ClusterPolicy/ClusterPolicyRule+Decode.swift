import NetTypes

extension ClusterPolicyRule {
    /// Characters of a rule's name.
    private static let longestName = 100

    static let tables: [ClusterPolicy.Kind: [Direction: FieldTable]] = Dictionary(
        uniqueKeysWithValues: ClusterPolicy.Kind.allCases.map { kind in
            (
                kind,
                [
                    .ingress: table(kind, "spec.ingress[]", peers: "from"),
                    .egress: table(kind, "spec.egress[]", peers: "to"),
                ]
            )
        })

    private static func table(_ kind: ClusterPolicy.Kind, _ path: String, peers: String) -> FieldTable {
        let other = kind.portsMember == "ports" ? "protocols" : "ports"
        return FieldTable(
            path,
            rows: [
                .enforced("action", peers, kind.portsMember),
                .metadata("name", note: "shown with the verdicts of the rule"),
                .refused(
                    other, why: "\(kind.rawValue) lists ports in `\(kind.portsMember)`",
                    instead: "write \(kind.portsMember):"),
            ])
    }

    /// Reads an element of `ingress` or `egress`; `nil` when it is not a map. An action that cannot be read counts as Deny.
    static func decode(
        _ node: DocumentNode, _ kind: ClusterPolicy.Kind, _ direction: Direction,
        _ diagnostics: inout DiagnosticCollector
    ) -> ClusterPolicyRule? {
        guard let fields = tables[kind]?[direction]?.read(node, &diagnostics) else { return nil }
        var rule = ClusterPolicyRule(
            action: decodeAction(fields, kind, &diagnostics) ?? .deny, peers: [], path: node.path.description,
            location: node.location)
        rule.name = decodeName(fields["name"], &diagnostics)
        let member = direction == .ingress ? "from" : "to"
        let peers = diagnostics.filledList(
            fields[member], upTo: kind.limit, ifEmpty: "list a peer; every pod is `- namespaces: {}`")
        if peers == nil, fields[member] == nil {
            diagnostics.error(
                .missingField, node, "`\(member)` is missing", "list a peer; every pod is `- namespaces: {}`")
        }
        for element in peers ?? [] {
            if let peer = ClusterPolicyPeer.decode(element, kind, direction, &diagnostics) { rule.peers.append(peer) }
        }
        let ports = diagnostics.filledList(
            fields[kind.portsMember], upTo: kind.limit, ifEmpty: "list a port, or remove the field to match every port")
        rule.ports = ports.map { elements in
            elements.flatMap { ClusterPolicyPort.decode($0, kind, &diagnostics) }
        }
        rule.checkNames(fields, kind, &diagnostics)
        return rule
    }

    private static func decodeAction(
        _ fields: Fields, _ kind: ClusterPolicy.Kind, _ diagnostics: inout DiagnosticCollector
    ) -> RuleAction? {
        let names = kind.actions.map(\.name)
        guard let node = fields["action"] else {
            diagnostics.error(
                .missingField, fields.node, "`action` is missing", "write \(names.joined(separator: ", "))")
            return nil
        }
        guard let text = diagnostics.string(node) else { return nil }
        if let known = kind.actions.first(where: { $0.name == text }) { return known.action }
        let quoted = names.map { "\"\($0)\"" }.joined(separator: ", ")
        // The two APIs use different names.
        let twin = ["Accept": "Allow", "Allow": "Accept"][text].flatMap { names.contains($0) ? $0 : nil }
        let near = twin ?? Spelling.nearest(to: text, among: names)
        diagnostics.error(
            .invalidValue, node,
            "Unsupported value: \"\(DocumentNode.shortened(text))\": supported values: \(quoted)",
            near.map { "write \($0)" } ?? "choose one of these")
        return nil
    }

    private static func decodeName(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector) -> String {
        guard let node, let text = diagnostics.string(node) else { return "" }
        if text.unicodeScalars.count > longestName {
            diagnostics.error(
                .invalidValue, node, "Too long: may not be more than \(longestName) characters", "write a shorter name")
        }
        return text
    }

    /// Combinations of peers with ports or the action that are not allowed.
    private func checkNames(_ fields: Fields, _ kind: ClusterPolicy.Kind, _ diagnostics: inout DiagnosticCollector) {
        let hasNamedPort = ports?.contains { if case .named = $0 { true } else { false } } ?? false
        let hasForeignPeer = peers.contains { if case .pods = $0 { false } else { true } }
        if hasNamedPort, hasForeignPeer {
            diagnostics.error(
                .conflict, fields[kind.portsMember] ?? fields.node,
                "networks/nodes/domainNames peer cannot be set with namedPorts since there are no namedPorts for "
                    + "networks/nodes/domainNames",
                "write the port number, or a separate rule for the pods")
        }
        if action != .allow, peers.contains(where: { if case .names = $0 { true } else { false } }) {
            diagnostics.error(
                .conflict, fields["to"] ?? fields.node,
                "domainNames is only supported for \(kind.actions[0].name) rules",
                "accept the names, and deny the rest in a later rule")
        }
    }
}
