extension LabelSelector {
    /// Selectors are used in many places; this path is in every NetworkPolicy.
    static let table = FieldTable("spec.podSelector", rows: [.enforced("matchLabels", "matchExpressions")])
    static let expressionTable = FieldTable(
        "spec.podSelector.matchExpressions[]", rows: [.enforced("key", "operator", "values")])

    /// How the keys of a selector are spelled.
    enum KeyStyle {
        /// Kubernetes: a label key.
        case plain
        /// Cilium: `source:key`, `$name` for `reserved:name`, or a bare key, which gets the default source.
        case sourced(default: String)
        /// Kubernetes, and `reserved:name` for ends that are no pods.
        case plainOrReserved

        /// Before the name of an end that is no pod.
        static let reservedPrefix = "reserved:"
    }

    /// Reads a selector; `nil` with an error when any part is wrong, so that a half-read selector never selects too much.
    static func decode(_ node: DocumentNode, _ style: KeyStyle, _ diagnostics: inout DiagnosticCollector)
        -> LabelSelector?
    {
        let before = diagnostics.errorCount
        let readable = decodeReadable(node, style, &diagnostics)
        return diagnostics.errorCount == before ? readable : nil
    }

    /// Reads the valid conditions of a selector, with an error for each of the others. It selects what the whole selector
    /// would, or more: fit to isolate pods, not to allow peers.
    static func decodeReadable(_ node: DocumentNode, _ style: KeyStyle, _ diagnostics: inout DiagnosticCollector)
        -> LabelSelector
    {
        // It is unknown which value of a repeated key is meant.
        let hasRepeatedKey = node.isFaulty
        guard let fields = table.read(node, &diagnostics) else { return LabelSelector(location: node.location) }
        var requirements: [LabelRequirement] = []
        if let labels = fields["matchLabels"] {
            if labels.members == nil {
                diagnostics.error(
                    .wrongType, labels, "must be a map, not \(labels.kindDescription)", "write key: value")
            }
            for member in (labels.members ?? []).sorted(by: { $0.key < $1.key }) {
                let key = decodeKey(member.key, style, at: member.location, member.value.path, &diagnostics)
                let value = labelValue(member.value, &diagnostics)
                guard let key, let value else { continue }
                requirements.append(
                    LabelRequirement(
                        source: key.source, key: key.key, operator: .isIn, values: [value], location: member.location))
            }
        }
        for element in diagnostics.list(fields["matchExpressions"]) ?? [] {
            if let requirement = decodeExpression(element, style, &diagnostics) { requirements.append(requirement) }
        }
        return LabelSelector(hasRepeatedKey ? [] : requirements, location: node.location)
    }

    private static func decodeExpression(
        _ node: DocumentNode, _ style: KeyStyle, _ diagnostics: inout DiagnosticCollector
    ) -> LabelRequirement? {
        let before = diagnostics.errorCount
        guard let fields = expressionTable.read(node, &diagnostics) else { return nil }
        let keyText = required("key", fields, &diagnostics)
        let key = keyText.flatMap { decodeKey($0.string, style, at: $0.node.location, $0.node.path, &diagnostics) }
        var values: [String] = []
        for value in diagnostics.list(fields["values"]) ?? [] {
            if let text = labelValue(value, &diagnostics) { values.append(text) }
        }
        guard let name = required("operator", fields, &diagnostics) else { return nil }
        guard let kind = LabelRequirement.Operator(rawValue: name.string) else {
            let known = ["In", "NotIn", "Exists", "DoesNotExist"]
            let near = Spelling.nearest(to: name.string, among: known).map { "did you mean \"\($0)\"?" }
            diagnostics.error(
                .invalidValue, name.node,
                "\"\(DocumentNode.shortened(name.string))\" is not a valid label selector operator",
                near ?? "write In, NotIn, Exists or DoesNotExist")
            return nil
        }
        let hasValues = !(fields["values"]?.elements?.isEmpty ?? true)
        switch kind {
        case .isIn, .notIn:
            if fields["values"].map({ $0.elements?.isEmpty == true }) ?? true {
                diagnostics.error(
                    .missingField, fields["values"] ?? node, "must be specified when `operator` is 'In' or 'NotIn'",
                    "list the values, or write operator Exists or DoesNotExist")
            }
        case .exists, .doesNotExist:
            if hasValues, let node = fields["values"] {
                diagnostics.error(
                    .conflict, node, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                    "remove the values, or write operator In or NotIn")
            }
        }
        guard let key, diagnostics.errorCount == before else { return nil }
        return LabelRequirement(
            source: key.source, key: key.key, operator: kind, values: values, location: node.location)
    }

    private static func required(
        _ name: String, _ fields: Fields, _ diagnostics: inout DiagnosticCollector
    ) -> (string: String, node: DocumentNode)? {
        guard let node = fields[name] else {
            diagnostics.error(.missingField, fields.node, "`\(name)` is missing", "write \(name):")
            return nil
        }
        return diagnostics.string(node).map { ($0, node) }
    }

    private static func labelValue(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> String? {
        guard let text = diagnostics.string(node) else { return nil }
        guard let problem = NameSyntax.labelValue(text) else { return text }
        diagnostics.error(
            .invalidValue, node, "the label value \(problem)", "no label can have this value, so nothing would match")
        return nil
    }

    private static func decodeKey(
        _ text: String, _ style: KeyStyle, at location: SourceLocation, _ path: DocumentPath,
        _ diagnostics: inout DiagnosticCollector
    ) -> (source: String, key: String)? {
        var source = "any"
        var key = text
        switch style {
        case .plain: break
        case .plainOrReserved:
            if text.hasPrefix(KeyStyle.reservedPrefix) {
                source = "reserved"
                key = String(text.dropFirst(KeyStyle.reservedPrefix.count))
            }
        case .sourced(let standard):
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
                "has an invalid source before the colon"
            } else {
                NameSyntax.labelKey(key)
            }
        guard let problem else { return (source, key) }
        diagnostics.error(
            .invalidValue, at: location, path: path, "the label key \"\(DocumentNode.shortened(text))\" \(problem)",
            "write a label key" + (text.contains(":") ? ", with at most one source: before it" : ""))
        return nil
    }
}
