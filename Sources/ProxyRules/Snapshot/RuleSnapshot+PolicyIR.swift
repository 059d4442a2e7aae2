public import NetTypes
public import PolicyAPI
public import PolicyIR

extension RuleSnapshot.Policy {
    /// The HTTP and DNS rules of a subject's policy; `nil` when it has none. Rule i of the policy is rule number i.
    public init?(id: UInt32, _ policy: SubjectPolicy, direction: Direction) {
        let rules = policy.rules.enumerated().compactMap { number, rule in
            RuleSnapshot.Rule(number: UInt32(number), rule)
        }
        guard !rules.isEmpty else { return nil }
        self.init(id: id, direction: direction, rules: rules)
    }
}

extension RuleSnapshot.Rule {
    /// A rule with HTTP or DNS conditions; `nil` for others.
    public init?(number: UInt32, _ rule: PolicyRule) { self.init(number: number, l7: rule.l7, origin: rule.origin) }

    /// The HTTP or DNS conditions of a rule; `nil` where it has others, or none.
    public init?(number: UInt32, l7: L7Match?, origin: RuleOrigin) {
        switch l7 {
        case .http(let elements):
            self.init(number: number, http: elements.map { RuleSnapshot.Element($0, of: origin) })
        case .dns(let elements):
            self.init(number: number, http: [], dns: elements.map { RuleSnapshot.DNSElement($0, of: origin) })
        case .serverNames, nil: return nil
        }
    }
}

extension RuleSnapshot.Origin {
    init(_ rule: RuleOrigin, _ path: String, _ location: SourceLocation?) {
        let place = location ?? rule.location
        self.init(
            kind: rule.kind, namespace: rule.namespace, name: rule.name, path: path.isEmpty ? rule.path : path,
            file: place?.file, line: place?.line, column: place?.column)
    }

    var rule: RuleOrigin {
        let location = file.map { SourceLocation(file: $0, line: line ?? 0, column: column ?? 0) }
        return RuleOrigin(kind: kind, namespace: namespace, name: name, path: path, location: location)
    }
}

extension RuleSnapshot.DNSElement {
    init(_ written: Located<FQDNSelector>, of rule: RuleOrigin) {
        origin = RuleSnapshot.Origin(rule, written.path, written.location)
        switch written.value {
        case .name(let name): matchName = name
        case .pattern(let pattern): matchPattern = pattern
        }
    }

    /// Compiles the element; `nil` unless it has either a name or a pattern.
    func compiled() -> CompiledNameRule? {
        switch (matchName, matchPattern) {
        case (let name?, nil): CompiledNameRule(.name(name), origin: origin.rule)
        case (nil, let pattern?): CompiledNameRule(.pattern(pattern), origin: origin.rule)
        case (nil, nil), (_?, _?): nil
        }
    }
}

extension RuleSnapshot.Element {
    init(_ written: Located<HTTPRule>, of rule: RuleOrigin) {
        self.init(
            method: written.value.method, path: written.value.path, host: written.value.host,
            headers: written.value.headers,
            headerMatches: written.value.headerMatches.map {
                RuleSnapshot.HeaderCheck(name: $0.name, value: $0.value, mismatch: $0.mismatch, secret: $0.secret)
            },
            origin: RuleSnapshot.Origin(rule, written.path, written.location))
    }

    /// Compiles the element.
    func compiled() -> CompiledRule {
        CompiledRule(
            HTTPRule(
                method: method, path: path, host: host, headers: headers,
                headerMatches: headerMatches.map {
                    HeaderMatch(name: $0.name, value: $0.value, mismatch: $0.mismatch, secret: $0.secret)
                }),
            origin: origin.rule)
    }
}
