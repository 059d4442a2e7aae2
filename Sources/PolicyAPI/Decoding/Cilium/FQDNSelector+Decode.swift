extension FQDNSelector {
    static let table = FieldTable(
        "spec.egress[].toFQDNs[]", "spec.egress[].toPorts[].rules.dns[]",
        rows: [.enforced("matchName", "matchPattern")])
    /// Characters of a name or pattern.
    static let longest = 255

    /// Reads an element of `toFQDNs` or `rules.dns` (V36, V37 and the schema's oneOf).
    static func decode(_ node: DocumentNode, _ findings: inout Findings) -> FQDNSelector? {
        guard let fields = table.read(node, &findings) else { return nil }
        switch (fields["matchName"], fields["matchPattern"]) {
        case (nil, nil):
            findings.error(
                .missingField, node, "exactly one of matchName and matchPattern must be written", "write matchName:")
            return nil
        case (.some, .some(let pattern)):
            findings.error(
                .conflict, pattern, "matchName and matchPattern exclude each other", "write two elements")
            return nil
        case (.some(let name), nil):
            return text(name, allowStars: false, &findings).map { .name($0) }
        case (nil, .some(let pattern)):
            return text(pattern, allowStars: true, &findings).map { .pattern($0) }
        }
    }

    /// A DNS name, or with stars a pattern: labels of letters, digits, `-` and `_`, single dots between them, and at most
    /// one final dot.
    static func text(_ node: DocumentNode, allowStars: Bool, _ findings: inout Findings) -> String? {
        guard let text = findings.string(node) else { return nil }
        guard (1...longest).contains(text.utf8.count) else {
            findings.error(
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
                : "write letters, digits, - and _ with single dots between"
                    + (allowStars ? ", and * for any of them" : "")
            findings.error(.invalidValue, node, "\"\(DocumentNode.shortened(text))\" is no DNS name", hint)
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
