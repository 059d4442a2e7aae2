extension FQDNSelector {
    static let table = FieldTable(
        "spec.egress[].toFQDNs[]", "spec.egress[].toPorts[].rules.dns[]",
        rows: [.enforced("matchName", "matchPattern")])
    /// Characters of a name or pattern.
    static let longest = 255

    /// Reads an element of `toFQDNs` or `rules.dns` (V36, V37 and the schema's oneOf).
    static func decode(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> FQDNSelector? {
        guard let fields = table.read(node, &diagnostics) else { return nil }
        switch (fields["matchName"], fields["matchPattern"]) {
        case (nil, nil):
            diagnostics.error(
                .missingField, node, "exactly one of matchName and matchPattern is required", "write matchName:")
            return nil
        case (.some, .some(let pattern)):
            diagnostics.error(
                .conflict, pattern, "matchName and matchPattern are mutually exclusive", "write two elements")
            return nil
        case (.some(let name), nil):
            return text(name, allowStars: false, &diagnostics).map { .name($0) }
        case (nil, .some(let pattern)):
            return text(pattern, allowStars: true, &diagnostics).map { .pattern($0) }
        }
    }

    /// A DNS name, or with stars a pattern: labels of letters, digits, `-` and `_`, single dots between them, and at most
    /// one final dot.
    static func text(_ node: DocumentNode, allowStars: Bool, _ diagnostics: inout DiagnosticCollector) -> String? {
        guard let text = diagnostics.string(node) else { return nil }
        guard (1...longest).contains(text.utf8.count) else {
            diagnostics.error(
                .invalidValue, node, "the name has \(text.utf8.count) characters, not 1 to \(longest)",
                "write a shorter name")
            return nil
        }
        var labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if labels.last?.isEmpty == true { labels.removeLast() }
        let isGood =
            !labels.isEmpty
            && labels.allSatisfy { label in
                !label.isEmpty && label.allSatisfy { isNameByte($0) || (allowStars && $0 == UInt8(ascii: "*")) }
            }
        guard isGood else {
            let hint =
                text.contains("*") && !allowStars
                ? "write matchPattern for a pattern"
                : "use letters, digits, - and _, separated by single dots"
                    + (allowStars ? ", and * as a wildcard" : "")
            diagnostics.error(.invalidValue, node, "\"\(DocumentNode.shortened(text))\" is not a DNS name", hint)
            return nil
        }
        return text
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
