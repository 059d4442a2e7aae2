extension HTTPRule {
    static let table = FieldTable(
        "spec.ingress[].toPorts[].rules.http[]", "spec.egress[].toPorts[].rules.http[]",
        rows: [.enforced("method", "path", "host", "headers", "headerMatches")])

    /// Reads an element of `rules.http` (V28, V29). `{}` matches every request.
    static func decode(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> HTTPRule? {
        guard let fields = table.read(node, &diagnostics) else { return nil }
        var rule = HTTPRule()
        rule.method = pattern(fields["method"], &diagnostics)
        rule.path = pattern(fields["path"], &diagnostics)
        // Cilium does not check the host; a pattern that cannot be compiled would match nothing.
        rule.host = pattern(fields["host"], &diagnostics)
        for element in diagnostics.list(fields["headers"]) ?? [] {
            guard let text = diagnostics.string(element) else { continue }
            if HTTPRule.splitHeader(text).name.isEmpty {
                diagnostics.error(
                    .invalidValue, element, "the header has no name", "write \"Name: value\", or \"Name\" for presence")
            } else if !text.contains(" "), text.contains(":") {
                diagnostics.warn(
                    .noEffect, element, "without a space this matches a header whose name contains a colon",
                    "write \"Name: value\", or \"Name\" for presence")
            }
            rule.headers.append(text)
        }
        for element in diagnostics.list(fields["headerMatches"]) ?? [] {
            if let match = HeaderMatch.decode(element, &diagnostics) { rule.headerMatches.append(match) }
        }
        return rule
    }

    private static func pattern(_ node: DocumentNode?, _ diagnostics: inout DiagnosticCollector) -> String {
        guard let node, let text = diagnostics.string(node) else { return "" }
        do {
            try diagnostics.regexes.check(text)
        } catch {
            switch error {
            case .pattern(.syntax(let words)):
                diagnostics.error(
                    .invalidValue, node, "\(RegexPattern.Problem.syntax(words))",
                    "fix it, or escape the character with \\")
            case .pattern(let problem):
                diagnostics.error(
                    .invalidValue, node, "\(problem)",
                    "shorten it, use smaller repeat counts, or write several rules")
            case .exhausted:
                diagnostics.error(
                    .tooMany, node, "with this pattern, the regular expressions of the object are too large in total",
                    "write smaller patterns, or split the object")
            }
        }
        return text
    }
}

extension HeaderMatch {
    static let table = FieldTable(
        "spec.ingress[].toPorts[].rules.http[].headerMatches[]", "spec.egress[].toPorts[].rules.http[].headerMatches[]",
        rows: [
            .enforced("name", "value", "mismatch"),
            .enforced("secret", note: "secrets are not read: without `value` the rule matches no request"),
        ])
    static let secretTable = FieldTable(
        paths: table.paths.map { $0 + ".secret" }, rows: [.enforced("name", "namespace")])

    /// Reads an element of `headerMatches`.
    static func decode(_ node: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> HeaderMatch? {
        guard let fields = table.read(node, &diagnostics) else { return nil }
        guard let nameNode = fields["name"], nameNode.string != "" else {
            diagnostics.error(.missingField, fields["name"] ?? node, "the header has no name", "write name:")
            return nil
        }
        guard let name = diagnostics.string(nameNode) else { return nil }
        var match = HeaderMatch(name: name)
        match.value = diagnostics.string(fields["value"])
        if let mismatch = fields["mismatch"], let text = diagnostics.string(mismatch) {
            match.mismatch = text
            if !["", "LOG", "ADD", "DELETE", "REPLACE"].contains(text) {
                diagnostics.error(
                    .invalidValue, mismatch, "\"\(DocumentNode.shortened(text))\" is not a mismatch action",
                    "write LOG, ADD, DELETE or REPLACE, or remove it to deny the request")
            }
        }
        if let secret = fields["secret"], let parts = secretTable.read(secret, &diagnostics) {
            let namespace = diagnostics.string(parts["namespace"]) ?? ""
            if let nameNode = parts["name"], nameNode.string != "" {
                match.secret = diagnostics.string(nameNode).map { "\(namespace)/\($0)" }
            } else {
                diagnostics.error(.missingField, parts["name"] ?? secret, "the secret has no name", "write name:")
            }
            diagnostics.warn(
                .noEffect, secret,
                "secrets are not read: " + (match.value == nil ? "the rule matches no request" : "`value` is used"),
                "write the expected value in `value`")
        }
        return match
    }
}
