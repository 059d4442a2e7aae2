import NetTypes

extension IPPrefix {
    /// Reads an element of `fromCIDR` or `toCIDR`: a prefix, or a bare address, which means that address alone (V9).
    static func decodeAddressOrPrefix(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> IPPrefix? {
        if let text = node.string, !text.contains("/"), let address = IPAddress(parsing: text),
            !(address.isIPv4 && text.contains(":"))
        {
            return IPPrefix(host: address)
        }
        return decode(node, &diagnostics)
    }
}

extension CIDRRule {
    static let table = FieldTable(
        paths: ElementList.allCases.map { "\($0.path).\($0.prefix)CIDRSet[]" },
        rows: [.enforced("cidr", "cidrGroupRef", "cidrGroupSelector", "except")])

    /// Reads an element of `fromCIDRSet` or `toCIDRSet` (V10-V12).
    static func decode(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> CIDRRule? {
        guard let fields = table.read(node, &diagnostics) else { return nil }
        let names = ["cidr", "cidrGroupRef", "cidrGroupSelector"]
        let written = names.filter { fields[$0] != nil }
        guard written.count == 1, let source = decodeSource(fields, &diagnostics) else {
            if written.count != 1 {
                diagnostics.error(
                    .conflict, node,
                    "exactly one of \(names.joined(separator: ", ")) must be set, not \(written.count)",
                    written.isEmpty ? "write cidr: with a prefix" : "write one element for each")
            }
            for element in diagnostics.list(fields["except"]) ?? [] { _ = IPPrefix.decode(element, &diagnostics) }
            return nil
        }
        var rule = CIDRRule(source: source)
        for element in diagnostics.list(fields["except"]) ?? [] {
            guard let prefix = IPPrefix.decode(element, &diagnostics) else { continue }
            if case .prefix(let cidr) = source, !cidr.contains(prefix) {
                diagnostics.error(
                    .invalidValue, element, "the exception \(prefix) is not inside \(cidr)",
                    "write a prefix inside \(cidr), or remove it")
            }
            rule.except.append(prefix)
        }
        return rule
    }

    private static func decodeSource(_ fields: Fields, _ diagnostics: inout DiagnosticCollector) -> Source? {
        if let node = fields["cidr"] { return IPPrefix.decode(node, &diagnostics).map { .prefix($0) } }
        if let node = fields["cidrGroupSelector"] {
            return LabelSelector.decode(node, .sourced(default: "cidrgroup"), &diagnostics).map { .groups($0) }
        }
        guard let node = fields["cidrGroupRef"], let name = diagnostics.string(node) else { return nil }
        if let problem = NameSyntax.dnsSubdomain(name) {
            diagnostics.error(
                .invalidValue, node, "the name of the group \(problem)", "write the name of a CiliumCIDRGroup")
        }
        return .group(name)
    }
}
