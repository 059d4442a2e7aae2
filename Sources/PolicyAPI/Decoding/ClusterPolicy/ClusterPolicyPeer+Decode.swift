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
                why: "ingress peers are selected by namespaces and pods only",
                instead: "use ipBlock in a NetworkPolicy for addresses"),
        ])
    private static let egressTable = FieldTable(
        "spec.egress[].to[]",
        rows: [
            .enforced("namespaces", "pods", "nodes", "networks", "domainNames")
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
        _ node: DocumentNode, _ kind: ClusterPolicy.Kind, _ direction: Direction,
        _ diagnostics: inout DiagnosticCollector
    ) -> ClusterPolicyPeer? {
        let before = diagnostics.errorCount
        guard let fields = table(kind, direction).read(node, &diagnostics) else { return nil }
        let names = ["namespaces", "pods"] + (direction == .ingress ? [] : ["nodes", "networks", "domainNames"])
        // A peer that is already wrong needs no second diagnostic about what it lacks.
        guard diagnostics.errorCount == before || names.contains(where: { fields[$0] != nil }) else { return nil }
        guard let (name, value) = diagnostics.exactlyOne(of: names, in: fields, hint: "every pod is `namespaces: {}`")
        else { return nil }
        switch name {
        case "nodes": return .nodes(LabelSelector.decodeReadable(value, .plain, &diagnostics))
        case "networks": return .networks(networks(value, &diagnostics))
        case "domainNames": return .names(domainNames(value, &diagnostics))
        // Cilium accepts its own keys for ends that are no pods.
        default:
            return PodSelection.decode(name, value, of: kind, podKeys: .plainOrReserved, &diagnostics).map { .pods($0) }
        }
    }

    private static func networks(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> [IPPrefix] {
        var prefixes: [IPPrefix] = []
        for element in diagnostics.filledList(node, upTo: listLimit, ifEmpty: "list a prefix") ?? [] {
            if let text = element.string, text.contains(":"), text.contains(".") {
                diagnostics.error(
                    .invalidValue, element,
                    "CIDR must be either an IPv4 or IPv6 address. IPv4 address embedded in IPv6 addresses are not supported",
                    "write the IPv4 prefix")
                continue
            }
            guard let prefix = IPPrefix.decode(element, &diagnostics) else { continue }
            if prefixes.contains(prefix) { duplicate(element, "\(prefix)", &diagnostics) }
            prefixes.append(prefix)
        }
        return prefixes
    }

    private static func domainNames(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> [FQDNSelector] {
        var names: [FQDNSelector] = []
        for element in diagnostics.filledList(node, upTo: listLimit, ifEmpty: "list a name") ?? [] {
            guard let text = diagnostics.string(element) else { continue }
            guard let name = DomainName.selector(text) else {
                diagnostics.error(
                    .invalidValue, element, "\"\(DocumentNode.shortened(text))\" is not a domain name",
                    "write a name of two or more labels; a leading *. matches every name below it")
                continue
            }
            if names.contains(name) { duplicate(element, DocumentNode.shortened(text), &diagnostics) }
            if isOfCluster(text) {
                diagnostics.warn(
                    .noEffect, element, "names of the cluster's DNS stand for pods, which domainNames never match",
                    "select the pods with `pods`")
            }
            names.append(name)
        }
        return names
    }

    /// Whether a name is one that the cluster's own DNS gives Services and pods.
    private static func isOfCluster(_ text: String) -> Bool {
        let name = (text.hasSuffix(".") ? String(text.dropLast()) : text).lowercased()
        return name.hasSuffix(".svc") || name.hasSuffix(".cluster.local")
    }

    private static func duplicate(_ node: DocumentNode, _ text: String, _ diagnostics: inout DiagnosticCollector) {
        diagnostics.error(.conflict, node, "Duplicate value: \"\(text)\"", "keep one of them")
    }
}

extension PodSelection {
    static let subjectTable = FieldTable("spec.subject", rows: [.enforced("namespaces", "pods")])
    static let podsTable = FieldTable(
        "spec.subject.pods", "spec.ingress[].from[].pods", "spec.egress[].to[].pods",
        rows: [.enforced("namespaceSelector", "podSelector")])

    /// Reads `spec.subject`; `nil` with an error when it is not exactly one selection.
    static func decodeSubject(
        _ node: DocumentNode, of kind: ClusterPolicy.Kind, _ diagnostics: inout DiagnosticCollector
    ) -> PodSelection? {
        let before = diagnostics.errorCount
        guard let fields = subjectTable.read(node, &diagnostics), diagnostics.errorCount == before else { return nil }
        guard
            let (name, value) = diagnostics.exactlyOne(
                of: ["namespaces", "pods"], in: fields, hint: "every pod is `namespaces: {}`")
        else { return nil }
        return decode(name, value, of: kind, podKeys: .plain, &diagnostics)
    }

    /// Reads the value of `namespaces` (a selector) or `pods` (two). Conditions that cannot be read are left out, each with its
    /// error: then it selects more, never less.
    static func decode(
        _ member: String, _ node: DocumentNode, of kind: ClusterPolicy.Kind, podKeys: LabelSelector.KeyStyle,
        _ diagnostics: inout DiagnosticCollector
    ) -> PodSelection? {
        guard member == "pods" else {
            return PodSelection(namespaces: LabelSelector.decodeReadable(node, .plain, &diagnostics))
        }
        guard let fields = podsTable.read(node, &diagnostics) else { return nil }
        var selection = PodSelection()
        // v1alpha2: "+optional; if empty, it selects all Namespaces". The schema of v1alpha1 requires it.
        if let namespaces = fields["namespaceSelector"] {
            selection.namespaces = LabelSelector.decodeReadable(namespaces, .plain, &diagnostics)
        } else if kind != .clusterNetworkPolicy {
            diagnostics.error(
                .missingField, node, "`namespaceSelector` is missing",
                "write namespaceSelector: {} for every namespace, or use namespaces")
        }
        guard let pods = fields["podSelector"] else {
            diagnostics.error(
                .missingField, node, "`podSelector` is missing",
                "write podSelector: {} for every pod, or use namespaces")
            return selection
        }
        selection.pods = LabelSelector.decodeReadable(pods, podKeys, &diagnostics)
        return selection
    }
}
