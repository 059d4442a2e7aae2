import NetTypes

extension IPPrefix {
    /// Reads an element of `fromCIDR` or `toCIDR`: a prefix, or a bare address, which means that address alone (V9).
    static func decodeAddressOrPrefix(_ node: DocumentNode, _ findings: inout Findings) -> IPPrefix? {
        if let text = node.string, !text.contains("/"), let address = IPAddress(parsing: text),
            !(address.isIPv4 && text.contains(":"))
        {
            return IPPrefix(host: address)
        }
        return decode(node, &findings)
    }
}

extension CIDRRule {
    static let table = FieldTable(
        paths: ElementList.allCases.map { "\($0.path).\($0.prefix)CIDRSet[]" },
        rows: [.enforced("cidr", "cidrGroupRef", "cidrGroupSelector", "except")])

    /// Reads an element of `fromCIDRSet` or `toCIDRSet` (V10-V12).
    static func decode(_ node: DocumentNode, _ findings: inout Findings) -> CIDRRule? {
        guard let fields = table.read(node, &findings) else { return nil }
        let names = ["cidr", "cidrGroupRef", "cidrGroupSelector"]
        let written = names.filter { fields[$0] != nil }
        guard written.count == 1, let source = decodeSource(fields, &findings) else {
            if written.count != 1 {
                findings.error(
                    .conflict, node,
                    "exactly one of \(names.joined(separator: ", ")) must be written, not \(written.count)",
                    written.isEmpty ? "write cidr: with a prefix" : "write one element for each")
            }
            for element in findings.list(fields["except"]) ?? [] { _ = IPPrefix.decode(element, &findings) }
            return nil
        }
        var rule = CIDRRule(source: source)
        for element in findings.list(fields["except"]) ?? [] {
            guard let prefix = IPPrefix.decode(element, &findings) else { continue }
            if case .prefix(let cidr) = source, !cidr.contains(prefix) {
                findings.error(
                    .invalidValue, element, "the exception \(prefix) does not lie inside \(cidr)",
                    "write a prefix inside \(cidr), or remove it")
            }
            rule.except.append(prefix)
        }
        return rule
    }

    private static func decodeSource(_ fields: Fields, _ findings: inout Findings) -> Source? {
        if let node = fields["cidr"] { return IPPrefix.decode(node, &findings).map { .prefix($0) } }
        if let node = fields["cidrGroupSelector"] {
            return LabelSelector.decode(node, .sourced(default: "cidrgroup"), &findings).map { .groups($0) }
        }
        guard let node = fields["cidrGroupRef"], let name = findings.string(node) else { return nil }
        if let problem = NameSyntax.dnsSubdomain(name) {
            findings.error(
                .invalidValue, node, "the name of the group \(problem)", "write the name of a CiliumCIDRGroup")
        }
        return .group(name)
    }
}
