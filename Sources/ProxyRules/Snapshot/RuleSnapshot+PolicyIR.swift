public import NetTypes
internal import PolicyAPI
public import PolicyIR

extension RuleSnapshot.Policy {
    /// The HTTP rules of a subject's policy; `nil` when it has none. Rule i of the policy is rule number i.
    public init?(id: UInt32, _ policy: SubjectPolicy, direction: Direction) {
        let rules = policy.rules.enumerated().compactMap { number, rule in
            RuleSnapshot.Rule(number: UInt32(number), rule)
        }
        guard !rules.isEmpty else { return nil }
        self.init(id: id, direction: direction, rules: rules)
    }
}

extension RuleSnapshot.Rule {
    /// A rule with HTTP conditions; `nil` for others.
    public init?(number: UInt32, _ rule: PolicyRule) {
        switch rule.l7 {
        case .http(let elements):
            self.init(number: number, http: elements.map { RuleSnapshot.Element($0, of: rule.origin) })
        case .dns, .serverNames, nil: return nil
        }
    }
}

extension RuleSnapshot.Element {
    init(_ written: Located<HTTPRule>, of rule: RuleOrigin) {
        let place = written.location ?? rule.location
        self.init(
            method: written.value.method, path: written.value.path, host: written.value.host,
            headers: written.value.headers,
            headerMatches: written.value.headerMatches.map {
                RuleSnapshot.HeaderCheck(name: $0.name, value: $0.value, mismatch: $0.mismatch, secret: $0.secret)
            },
            origin: RuleSnapshot.Origin(
                kind: rule.kind, namespace: rule.namespace, name: rule.name,
                path: written.path.isEmpty ? rule.path : written.path, file: place?.file, line: place?.line,
                column: place?.column))
    }

    /// Compiles the element.
    func compiled() -> CompiledRule {
        let location = origin.file.map { SourceLocation(file: $0, line: origin.line ?? 0, column: origin.column ?? 0) }
        return CompiledRule(
            HTTPRule(
                method: method, path: path, host: host, headers: headers,
                headerMatches: headerMatches.map {
                    HeaderMatch(name: $0.name, value: $0.value, mismatch: $0.mismatch, secret: $0.secret)
                }),
            origin: RuleOrigin(
                kind: origin.kind, namespace: origin.namespace, name: origin.name, path: origin.path,
                location: location))
    }
}
