import NetTypes

extension ICMPField {
    static let ruleTable = FieldTable(
        paths: ElementList.allCases.map { "\($0.path).icmps[]" }, rows: [.enforced("fields")])
    static let table = FieldTable(
        paths: ElementList.allCases.map { "\($0.path).icmps[].fields[]" }, rows: [.enforced("family", "type")])
    /// Elements of `fields`.
    private static let fieldLimit = 40

    /// Reads an element of `icmps` (V15).
    static func decodeRule(
        _ node: DocumentNode, _ list: ElementList, _ diagnostics: inout DiagnosticCollector
    ) -> [ICMPField]? {
        guard let rule = ruleTable.read(node, &diagnostics) else { return nil }
        let elements = diagnostics.list(rule["fields"]) ?? []
        if elements.count > fieldLimit, let fields = rule["fields"] {
            diagnostics.error(
                .tooMany, fields, "\(elements.count) fields are too many, at most \(fieldLimit) are allowed",
                "write several elements of icmps")
        }
        if elements.isEmpty {
            diagnostics.warn(
                .noEffect, rule["fields"] ?? node,
                list.isDeny ? "a deny without fields denies nothing" : "an element without fields matches nothing",
                "list types")
        }
        return elements.compactMap { decode($0, &diagnostics) }
    }

    private static func decode(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> ICMPField? {
        guard let fields = table.read(node, &diagnostics) else { return nil }
        var isIPv6 = false
        if let family = fields["family"] {
            guard let text = diagnostics.string(family) else { return nil }
            guard text.isEmpty || text == "IPv4" || text == "IPv6" else {
                diagnostics.error(
                    .invalidValue, family, "\"\(DocumentNode.shortened(text))\" is not a family", "write IPv4 or IPv6")
                return nil
            }
            isIPv6 = text == "IPv6"
        }
        guard let type = fields["type"] else {
            diagnostics.error(
                .missingField, node, "`type` is missing", "write type: with a number or a name, such as EchoRequest")
            return nil
        }
        return decodeType(type, isIPv6: isIPv6, &diagnostics).map {
            ICMPField(protocol: isIPv6 ? .icmpv6 : .icmp, type: $0)
        }
    }

    private static func decodeType(_ node: DocumentNode, isIPv6: Bool, _ diagnostics: inout DiagnosticCollector)
        -> UInt8?
    {
        if let text = node.string {
            if let number = ICMPTypeNames.number(text, isIPv6: isIPv6) { return number }
            if let number = DecimalText.parse(text.utf8, atMost: 255) { return UInt8(number) }
            let names = ICMPTypeNames.all(isIPv6: isIPv6)
            diagnostics.error(
                .invalidValue, node,
                "\"\(DocumentNode.shortened(text))\" is not an ICMP type of \(isIPv6 ? "IPv6" : "IPv4")",
                Spelling.nearest(to: text, among: names).map { "did you mean \($0)?" } ?? "write its number")
            return nil
        }
        guard let value = diagnostics.integer(node) else { return nil }
        guard let type = UInt8(exactly: value) else {
            diagnostics.error(.invalidValue, node, "\(value) is not an ICMP type", "write 0 to 255")
            return nil
        }
        return type
    }
}
