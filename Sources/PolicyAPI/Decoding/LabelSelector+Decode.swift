extension LabelSelector {
    /// Selectors stand in many places; the one named here is in every NetworkPolicy.
    static let table = FieldTable("spec.podSelector", rows: [.enforced("matchLabels", "matchExpressions")])
    static let expressionTable = FieldTable(
        "spec.podSelector.matchExpressions[]", rows: [.enforced("key", "operator", "values")])

    /// How the keys of a selector are written.
    enum KeyStyle {
        /// Kubernetes: a label key.
        case plain
        /// Cilium: `source:key`, `$name` for `reserved:name`, or a bare key, which gets the default source.
        case sourced(default: String)
    }

    /// Reads a selector; `nil` with an error when any part is wrong, so a half-read selector never selects too much.
    static func decode(_ node: DocumentNode, _ style: KeyStyle, _ findings: inout Findings) -> LabelSelector? {
        let before = findings.errors
        let readable = decodeReadable(node, style, &findings)
        return findings.errors == before ? readable : nil
    }

    /// Reads the conditions of a selector that can be read, with an error for each other. It selects what the whole selector
    /// would, or more: for whom to isolate, not for whom to allow.
    static func decodeReadable(_ node: DocumentNode, _ style: KeyStyle, _ findings: inout Findings) -> LabelSelector {
        // Of a key written twice, nobody knows which is meant.
        let hasRepeatedKey = node.isFaulty
        guard let fields = table.read(node, &findings) else { return LabelSelector(location: node.location) }
        var requirements: [LabelRequirement] = []
        if let labels = fields["matchLabels"] {
            if labels.members == nil {
                findings.error(.wrongType, labels, "must be a map, not \(labels.kindInWords)", "write key: value")
            }
            for member in (labels.members ?? []).sorted(by: { $0.key < $1.key }) {
                let key = decodeKey(member.key, style, at: member.location, member.value.path, &findings)
                let value = labelValue(member.value, &findings)
                guard let key, let value else { continue }
                requirements.append(
                    LabelRequirement(
                        source: key.source, key: key.key, operator: .isIn, values: [value], location: member.location))
            }
        }
        for element in findings.list(fields["matchExpressions"]) ?? [] {
            if let requirement = decodeExpression(element, style, &findings) { requirements.append(requirement) }
        }
        return LabelSelector(hasRepeatedKey ? [] : requirements, location: node.location)
    }

    private static func decodeExpression(
        _ node: DocumentNode, _ style: KeyStyle, _ findings: inout Findings
    ) -> LabelRequirement? {
        let before = findings.errors
        guard let fields = expressionTable.read(node, &findings) else { return nil }
        let keyText = required("key", fields, &findings)
        let key = keyText.flatMap { decodeKey($0.string, style, at: $0.node.location, $0.node.path, &findings) }
        var values: [String] = []
        for value in findings.list(fields["values"]) ?? [] {
            if let text = labelValue(value, &findings) { values.append(text) }
        }
        guard let name = required("operator", fields, &findings) else { return nil }
        guard let kind = LabelRequirement.Operator(rawValue: name.string) else {
            let known = ["In", "NotIn", "Exists", "DoesNotExist"]
            let near = Spelling.nearest(to: name.string, among: known).map { "did you mean \"\($0)\"?" }
            findings.error(
                .invalidValue, name.node,
                "\"\(DocumentNode.shortened(name.string))\" is not a valid label selector operator",
                near ?? "write In, NotIn, Exists or DoesNotExist")
            return nil
        }
        let hasValues = !(fields["values"]?.elements?.isEmpty ?? true)
        switch kind {
        case .isIn, .notIn:
            if fields["values"].map({ $0.elements?.isEmpty == true }) ?? true {
                findings.error(
                    .missingField, fields["values"] ?? node, "must be specified when `operator` is 'In' or 'NotIn'",
                    "list the values, or write operator Exists or DoesNotExist")
            }
        case .exists, .doesNotExist:
            if hasValues, let node = fields["values"] {
                findings.error(
                    .conflict, node, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                    "remove the values, or write operator In or NotIn")
            }
        }
        guard let key, findings.errors == before else { return nil }
        return LabelRequirement(
            source: key.source, key: key.key, operator: kind, values: values, location: node.location)
    }

    private static func required(
        _ name: String, _ fields: Fields, _ findings: inout Findings
    ) -> (string: String, node: DocumentNode)? {
        guard let node = fields[name] else {
            findings.error(.missingField, fields.node, "`\(name)` is missing", "write \(name):")
            return nil
        }
        return findings.string(node).map { ($0, node) }
    }

    private static func labelValue(_ node: DocumentNode, _ findings: inout Findings) -> String? {
        guard let text = findings.string(node) else { return nil }
        guard let problem = NameSyntax.labelValue(text) else { return text }
        findings.error(
            .invalidValue, node, "the label value \(problem)", "labels cannot have this value, so nothing would match")
        return nil
    }

    private static func decodeKey(
        _ text: String, _ style: KeyStyle, at location: SourceLocation, _ path: DocumentPath, _ findings: inout Findings
    ) -> (source: String, key: String)? {
        var source = "any"
        var key = text
        if case .sourced(let standard) = style {
            source = standard
            if text.hasPrefix("$") {
                source = "reserved"
                key = String(text.dropFirst())
            } else if let colon = text.firstIndex(of: ":") {
                source = String(text[..<colon])
                key = String(text[text.index(after: colon)...])
            }
        }
        let problem =
            if NameSyntax.labelKey(source) != nil || source.contains("/") {
                "has no good source before the colon"
            } else {
                NameSyntax.labelKey(key)
            }
        guard let problem else { return (source, key) }
        findings.error(
            .invalidValue, at: location, path: path, "the label key \"\(DocumentNode.shortened(text))\" \(problem)",
            "write the key of a label" + (text.contains(":") ? ", with at most one source: before it" : ""))
        return nil
    }
}
