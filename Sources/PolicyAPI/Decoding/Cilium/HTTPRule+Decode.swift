extension HTTPRule {
    static let table = FieldTable(
        "spec.ingress[].toPorts[].rules.http[]", "spec.egress[].toPorts[].rules.http[]",
        rows: [.enforced("method", "path", "host", "headers", "headerMatches")])

    /// Reads an element of `rules.http` (V28, V29). `{}` matches every request.
    static func decode(_ node: DocumentNode, _ findings: inout Findings) -> HTTPRule? {
        guard let fields = table.read(node, &findings) else { return nil }
        var rule = HTTPRule()
        rule.method = pattern(fields["method"], &findings)
        rule.path = pattern(fields["path"], &findings)
        // Cilium does not check the host; a pattern that cannot be compiled could match nothing.
        rule.host = pattern(fields["host"], &findings)
        for element in findings.list(fields["headers"]) ?? [] {
            guard let text = findings.string(element) else { continue }
            if HTTPRule.splitHeader(text).name.isEmpty {
                findings.error(
                    .invalidValue, element, "the header has no name", "write \"Name: value\", or \"Name\" for presence")
            } else if !text.contains(" "), text.contains(":") {
                findings.warn(
                    .noEffect, element, "without a space this asks for a header whose name contains a colon",
                    "write \"Name: value\", or \"Name\" for presence")
            }
            rule.headers.append(text)
        }
        for element in findings.list(fields["headerMatches"]) ?? [] {
            if let match = HeaderMatch.decode(element, &findings) { rule.headerMatches.append(match) }
        }
        return rule
    }

    private static func pattern(_ node: DocumentNode?, _ findings: inout Findings) -> String {
        guard let node, let text = findings.string(node) else { return "" }
        do {
            try findings.regexes.check(text)
        } catch {
            switch error {
            case .pattern(.syntax(let words)):
                findings.error(
                    .invalidValue, node, "\(RegexPattern.Problem.syntax(words))",
                    "correct it, or escape the character with \\")
            case .pattern(let problem):
                findings.error(
                    .invalidValue, node, "\(problem)",
                    "write it shorter, with smaller repeat counts, or as several rules")
            case .exhausted:
                findings.error(
                    .tooMany, node, "with this pattern the regular expressions of the object are too large together",
                    "write smaller patterns, or several objects")
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
    static func decode(_ node: DocumentNode, _ findings: inout Findings) -> HeaderMatch? {
        guard let fields = table.read(node, &findings) else { return nil }
        guard let nameNode = fields["name"], nameNode.string != "" else {
            findings.error(.missingField, fields["name"] ?? node, "the header has no name", "write name:")
            return nil
        }
        guard let name = findings.string(nameNode) else { return nil }
        var match = HeaderMatch(name: name)
        match.value = findings.string(fields["value"])
        if let mismatch = fields["mismatch"], let text = findings.string(mismatch) {
            match.mismatch = text
            if !["", "LOG", "ADD", "DELETE", "REPLACE"].contains(text) {
                findings.error(
                    .invalidValue, mismatch, "\"\(DocumentNode.shortened(text))\" is no action for a mismatch",
                    "write LOG, ADD, DELETE or REPLACE, or remove it to deny the request")
            }
        }
        if let secret = fields["secret"], let parts = secretTable.read(secret, &findings) {
            let namespace = findings.string(parts["namespace"]) ?? ""
            if let nameNode = parts["name"], nameNode.string != "" {
                match.secret = findings.string(nameNode).map { "\(namespace)/\($0)" }
            } else {
                findings.error(.missingField, parts["name"] ?? secret, "the secret has no name", "write name:")
            }
            findings.warn(
                .noEffect, secret,
                "secrets are not read: " + (match.value == nil ? "the rule matches no request" : "value is expected"),
                "write the expected value in value")
        }
        return match
    }
}
