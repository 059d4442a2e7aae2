/// How the kinds differ in spelling and limits (docs/spec/network-policy.md 2.1, 2.2).
extension ClusterPolicy.Kind {
    /// "Accept|Deny|Pass", "actions Allow/Deny/Pass", "Allow/Deny only".
    var actions: [(name: String, action: RuleAction)] {
        switch self {
        case .clusterNetworkPolicy: [("Accept", .allow), ("Deny", .deny), ("Pass", .pass)]
        case .adminNetworkPolicy: [("Allow", .allow), ("Deny", .deny), ("Pass", .pass)]
        case .baselineAdminNetworkPolicy: [("Allow", .allow), ("Deny", .deny)]
        }
    }

    /// Most elements of `ingress`, `egress`, `from`, `to` and the list of ports: "<=25 rules each", "<=100 rules".
    var limit: Int { self == .clusterNetworkPolicy ? 25 : 100 }

    /// The member of a rule that lists ports.
    var portsMember: String { self == .clusterNetworkPolicy ? "protocols" : "ports" }

    /// The tier, where the kind determines it.
    var fixedTier: Tier? {
        switch self {
        case .clusterNetworkPolicy: nil
        case .adminNetworkPolicy: .admin
        case .baselineAdminNetworkPolicy: .baseline
        }
    }
}

extension DiagnosticCollector {
    /// The elements of a list of 1 to `limit`; `nil` when it is absent or is not a list.
    mutating func filledList(_ node: DocumentNode?, upTo limit: Int, ifEmpty hint: String) -> [DocumentNode]? {
        guard let node, let elements = list(node) else { return nil }
        if node.elements?.isEmpty == true { error(.missingField, node, "the list is empty", hint) }
        checkCount(node, upTo: limit)
        return elements
    }

    /// An error when a list is longer than the API allows.
    mutating func checkCount(_ node: DocumentNode?, upTo limit: Int) {
        guard let node, let count = node.elements?.count, count > limit else { return }
        error(
            .tooMany, node, "Too many: \(count): must have at most \(limit) items",
            "split it over several elements or policies")
    }

    /// The one field of several that is set; `nil` with an error when none or several are.
    mutating func exactlyOne(
        of names: [String], in fields: Fields, hint: String
    ) -> (name: String, node: DocumentNode)? {
        let written = names.compactMap { name in fields[name].map { (name: name, node: $0) } }
        if written.count == 1 { return written[0] }
        let choice = "exactly one of \(names.joined(separator: ", ")) must be set"
        if written.isEmpty {
            error(.missingField, fields.node, choice, hint)
        } else {
            error(
                .conflict, fields.node, "\(choice), not \(written.map(\.name).joined(separator: " and "))",
                "write an element for each")
        }
        return nil
    }
}
