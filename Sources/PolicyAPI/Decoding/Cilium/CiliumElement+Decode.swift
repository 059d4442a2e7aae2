import NetTypes

extension CiliumElement {
    /// Reads one element of a rule list. Every list keeps whether it is absent, empty or filled (spec 4.5).
    static func decode(
        _ node: DocumentNode, _ list: ElementList, isNodeRule: Bool, _ diagnostics: inout DiagnosticCollector
    ) -> CiliumElement? {
        guard let fields = list.table.read(node, &diagnostics) else { return nil }
        var element = CiliumElement(path: node.path.description, location: node.location)
        let prefix = list.prefix
        let selector = { (node: DocumentNode, diagnostics: inout DiagnosticCollector) in
            LabelSelector.decode(node, .sourced(default: "any"), &diagnostics)
        }
        element.endpoints = diagnostics.presence(fields[prefix + "Endpoints"], selector)
        element.nodes = diagnostics.presence(fields[prefix + "Nodes"], selector)
        element.entities = diagnostics.presence(fields[prefix + "Entities"]) { Entity.decode($0, &$1) }
        element.cidrs = diagnostics.presence(fields[prefix + "CIDR"]) { IPPrefix.decodeAddressOrPrefix($0, &$1) }
        element.cidrSet = diagnostics.presence(fields[prefix + "CIDRSet"]) { CIDRRule.decode($0, &$1) }
        element.services = diagnostics.presence(fields["toServices"]) { ServiceReference.decode($0, &$1) }
        element.fqdns = diagnostics.presence(fields["toFQDNs"]) { FQDNSelector.decode($0, &$1) }
        element.toPorts = diagnostics.presence(fields["toPorts"]) {
            PortRule.decode($0, list, isNodeRule: isNodeRule, &$1)
        }
        switch diagnostics.presence(fields["icmps"], { ICMPField.decodeRule($0, list, &$1) }) {
        case .absent: element.icmps = .absent
        case .empty: element.icmps = .empty
        case .some(let rules): element.icmps = .some(rules.flatMap(\.self))
        }
        checkCombinations(fields, prefix, &diagnostics)
        let members =
            ["Endpoints", "Nodes", "Entities", "CIDR", "CIDRSet"].map { prefix + $0 }
            + ["toServices", "toPorts", "icmps"] + (list.isDeny ? [] : ["toFQDNs"])
        for name in members {
            guard let empty = fields.null(name) else { continue }
            // An API server leaves such a field out, so its absence is what it means.
            diagnostics.warn(
                .noEffect, empty, "\(name) without a value is as if it were not written: it narrows nothing",
                "write \(name): [] to select nothing, or remove it")
        }
        return element
    }

    /// V6: at most one L3 member with content. V13: ports and ICMP types do not go together.
    private static func checkCombinations(_ fields: Fields, _ prefix: String, _ diagnostics: inout DiagnosticCollector)
    {
        let names = ["Endpoints", "CIDR", "CIDRSet", "Entities", "Services", "FQDNs", "Nodes"].map { prefix + $0 }
        let written = names.filter { fields[$0]?.elements?.isEmpty == false }
        if written.count > 1, let second = fields[written[1]] {
            diagnostics.error(
                .conflict, second,
                "\(written[0]) and \(written.dropFirst().joined(separator: ", ")) cannot be used in one element",
                "write one element for each: elements are ORed")
        }
        if fields["toPorts"]?.elements?.isEmpty == false, let icmps = fields["icmps"], icmps.elements?.isEmpty == false
        {
            diagnostics.error(
                .conflict, icmps, "icmps and toPorts cannot be used in one element",
                "write one element for each: elements are ORed")
        }
    }
}

extension Entity {
    /// Reads an element of `fromEntities` or `toEntities`.
    static func decode(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> Entity? {
        guard let text = diagnostics.string(node) else { return nil }
        if let entity = Entity(rawValue: text) { return entity }
        let names = allCases.map(\.rawValue)
        diagnostics.error(
            .invalidValue, node, "\"\(DocumentNode.shortened(text))\" is not an entity",
            Spelling.nearest(to: text, among: names).map { "did you mean \($0)?" }
                ?? "the entities are \(names.joined(separator: ", "))")
        return nil
    }
}
