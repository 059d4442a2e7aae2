import NetTypes

extension ClusterPolicyPeer {
    /// Most elements of `networks` and `domainNames`.
    private static let listLimit = 25

    private static let ingressTable = FieldTable(
        "spec.ingress[].from[]",
        rows: [
            .enforced("namespaces", "pods"),
            .refused(
                "networks", "nodes", "domainNames",
                why: "an ingress rule knows its peers by namespaces and pods only",
                instead: "use ipBlock in a NetworkPolicy for addresses"),
        ])
    private static let egressTable = FieldTable(
        "spec.egress[].to[]",
        rows: [
            .enforced("namespaces", "pods", "nodes", "networks"),
            .enforced("domainNames", note: "the agent does not learn addresses of names yet: there it allows nothing"),
        ])
    private static let baselineEgressTable = FieldTable(
        "spec.egress[].to[]",
        rows: [
            .enforced("namespaces", "pods", "nodes", "networks"),
            .refused(
                "domainNames", why: "a BaselineAdminNetworkPolicy has no domainNames",
                instead: "use a ClusterNetworkPolicy of tier Baseline"),
        ])

    static func table(_ kind: ClusterPolicy.Kind, _ direction: Direction) -> FieldTable {
        if direction == .ingress { return ingressTable }
        return kind == .baselineAdminNetworkPolicy ? baselineEgressTable : egressTable
    }

    /// Reads an element of `from` or `to`. An empty one is an error: "unknown or empty peer: fail closed".
    static func decode(
        _ node: DocumentNode, _ kind: ClusterPolicy.Kind, _ direction: Direction, _ findings: inout Findings
    ) -> ClusterPolicyPeer? {
        let before = findings.errors
        guard let fields = table(kind, direction).read(node, &findings) else { return nil }
        let names = ["namespaces", "pods"] + (direction == .ingress ? [] : ["nodes", "networks", "domainNames"])
        // A peer that is wrong already needs no second complaint about what it lacks.
        guard findings.errors == before || names.contains(where: { fields[$0] != nil }) else { return nil }
        guard let (name, value) = findings.exactlyOne(of: names, in: fields, hint: "every pod is `namespaces: {}`")
        else { return nil }
        switch name {
        case "nodes": return .nodes(LabelSelector.decodeReadable(value, .plain, &findings))
        case "networks": return .networks(networks(value, &findings))
        case "domainNames": return .names(domainNames(value, &findings))
        default: return PodSelection.decode(name, value, &findings).map { .pods($0) }
        }
    }

    private static func networks(_ node: DocumentNode, _ findings: inout Findings) -> [IPPrefix] {
        var prefixes: [IPPrefix] = []
        for element in findings.filledList(node, upTo: listLimit, ifEmpty: "list a prefix") ?? [] {
            if let text = element.string, text.contains(":"), text.contains(".") {
                findings.error(
                    .invalidValue, element,
                    "CIDR must be either an IPv4 or IPv6 address. IPv4 address embedded in IPv6 addresses are not supported",
                    "write the IPv4 prefix")
                continue
            }
            guard let prefix = IPPrefix.decode(element, &findings) else { continue }
            if prefixes.contains(prefix) { duplicate(element, "\(prefix)", &findings) }
            prefixes.append(prefix)
        }
        return prefixes
    }

    private static func domainNames(_ node: DocumentNode, _ findings: inout Findings) -> [FQDNSelector] {
        var names: [FQDNSelector] = []
        for element in findings.filledList(node, upTo: listLimit, ifEmpty: "list a name") ?? [] {
            guard let text = findings.string(element) else { continue }
            guard let name = DomainName.selector(text) else {
                findings.error(
                    .invalidValue, element, "\"\(DocumentNode.shortened(text))\" is no domain name",
                    "write a name of two or more labels, with *. before it for every name below it")
                continue
            }
            if names.contains(name) { duplicate(element, DocumentNode.shortened(text), &findings) }
            names.append(name)
        }
        return names
    }

    private static func duplicate(_ node: DocumentNode, _ text: String, _ findings: inout Findings) {
        findings.error(.conflict, node, "Duplicate value: \"\(text)\"", "keep one of them")
    }
}

extension PodSelection {
    static let subjectTable = FieldTable("spec.subject", rows: [.enforced("namespaces", "pods")])
    static let podsTable = FieldTable(
        "spec.subject.pods", "spec.ingress[].from[].pods", "spec.egress[].to[].pods",
        rows: [.enforced("namespaceSelector", "podSelector")])

    /// Reads `spec.subject`; `nil` with an error when it is not one selection.
    static func decodeSubject(_ node: DocumentNode, _ findings: inout Findings) -> PodSelection? {
        let before = findings.errors
        guard let fields = subjectTable.read(node, &findings), findings.errors == before else { return nil }
        guard
            let (name, value) = findings.exactlyOne(
                of: ["namespaces", "pods"], in: fields, hint: "every pod is `namespaces: {}`")
        else { return nil }
        return decode(name, value, &findings)
    }

    /// Reads the value of `namespaces` (a selector) or `pods` (two). Conditions that cannot be read are left out, each with its
    /// error: then it selects more, never less.
    static func decode(_ member: String, _ node: DocumentNode, _ findings: inout Findings) -> PodSelection? {
        guard member == "pods" else {
            return PodSelection(namespaces: LabelSelector.decodeReadable(node, .plain, &findings))
        }
        guard let fields = podsTable.read(node, &findings) else { return nil }
        var selection = PodSelection()
        // "+optional; if empty, it selects all Namespaces".
        if let namespaces = fields["namespaceSelector"] {
            selection.namespaces = LabelSelector.decodeReadable(namespaces, .plain, &findings)
        }
        guard let pods = fields["podSelector"] else {
            findings.error(
                .missingField, node, "`podSelector` is missing",
                "write podSelector: {} for every pod, or use namespaces")
            return selection
        }
        selection.pods = LabelSelector.decodeReadable(pods, .plain, &findings)
        return selection
    }
}
