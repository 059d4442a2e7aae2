import NetTypes

extension CiliumElement {
    /// Reads one element of a rule list. Every list keeps whether it is absent, empty or written (spec 4.5).
    static func decode(
        _ node: DocumentNode, _ list: ElementList, isNodeRule: Bool, _ findings: inout Findings
    ) -> CiliumElement? {
        guard let fields = list.table.read(node, &findings) else { return nil }
        var element = CiliumElement(path: node.path.description, location: node.location)
        let prefix = list.prefix
        let selector = { (node: DocumentNode, findings: inout Findings) in
            LabelSelector.decode(node, .sourced(default: "any"), &findings)
        }
        element.endpoints = findings.presence(fields[prefix + "Endpoints"], selector)
        element.nodes = findings.presence(fields[prefix + "Nodes"], selector)
        element.entities = findings.presence(fields[prefix + "Entities"]) { Entity.decode($0, &$1) }
        element.cidrs = findings.presence(fields[prefix + "CIDR"]) { IPPrefix.decodeAddressOrPrefix($0, &$1) }
        element.cidrSet = findings.presence(fields[prefix + "CIDRSet"]) { CIDRRule.decode($0, &$1) }
        element.services = findings.presence(fields["toServices"]) { ServiceReference.decode($0, &$1) }
        element.fqdns = findings.presence(fields["toFQDNs"]) { FQDNSelector.decode($0, &$1) }
        element.toPorts = findings.presence(fields["toPorts"]) {
            PortRule.decode($0, list, isNodeRule: isNodeRule, &$1)
        }
        switch findings.presence(fields["icmps"], { ICMPField.decodeRule($0, &$1) }) {
        case .absent: element.icmps = .absent
        case .empty: element.icmps = .empty
        case .some(let rules): element.icmps = .some(rules.flatMap(\.self))
        }
        checkCombinations(fields, prefix, &findings)
        return element
    }

    /// V6: at most one L3 member with content. V13: ports and ICMP types do not go together.
    private static func checkCombinations(_ fields: Fields, _ prefix: String, _ findings: inout Findings) {
        let names = ["Endpoints", "CIDR", "CIDRSet", "Entities", "Services", "FQDNs", "Nodes"].map { prefix + $0 }
        let written = names.filter { fields[$0]?.elements?.isEmpty == false }
        if written.count > 1, let second = fields[written[1]] {
            findings.error(
                .conflict, second,
                "\(written[0]) and \(written.dropFirst().joined(separator: ", ")) cannot stand in one element",
                "write one element for each: elements are ORed")
        }
        if fields["toPorts"]?.elements?.isEmpty == false, let icmps = fields["icmps"], icmps.elements?.isEmpty == false
        {
            findings.error(
                .conflict, icmps, "icmps and toPorts cannot stand in one element",
                "write one element for each: elements are ORed")
        }
    }
}

extension Entity {
    /// Reads an element of `fromEntities` or `toEntities`.
    static func decode(_ node: DocumentNode, _ findings: inout Findings) -> Entity? {
        guard let text = findings.string(node) else { return nil }
        if let entity = Entity(rawValue: text) { return entity }
        let names = allCases.map(\.rawValue)
        findings.error(
            .invalidValue, node, "\"\(DocumentNode.shortened(text))\" is no entity",
            Spelling.nearest(to: text, among: names).map { "did you mean \($0)?" }
                ?? "the entities are \(names.joined(separator: ", "))")
        return nil
    }
}
