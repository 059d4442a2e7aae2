public import HTTPScan
internal import PolicyIR

/// The HTTP and DNS rules of one end of a flow, a union: "a request is allowed if any allow rule applicable matches".
public struct CompiledSide: Sendable {
    private let rules: [CompiledRule]
    private let hasActions: Bool
    private let names: [CompiledNames]
    /// The names of the fields that rules ask for or write, folded.
    let headerNames: Set<[UInt8]>

    /// A union of HTTP rules. An empty one denies everything.
    public init(_ rules: [CompiledRule]) { self.init(rules, dns: []) }

    /// A union of rules. An empty one denies everything.
    init(_ rules: [CompiledRule], dns names: [CompiledNames]) {
        self.rules = rules
        self.names = names
        hasActions = rules.contains(where: \.hasActions)
        headerNames = Set(rules.flatMap(\.headerNames))
    }

    /// Decides a request whose head was scanned in these bytes. A path that can be written otherwise must be allowed as sent and in
    /// its normal form, each by some rule.
    public func decide(_ bytes: Span<UInt8>, _ head: RequestHead) -> SideAnswer {
        let answer = decide(bytes, head, path: bytes.extracting(head.path))
        guard head.pathHasOtherForms, answer.isPermitted else { return answer }
        var normal: [UInt8] = []
        NormalPath.append(bytes, head.path, to: &normal)
        let other = decide(bytes, head, path: normal.span)
        return other.isPermitted ? answer : other
    }

    /// The first DNS rule that allows a query for a name, written as `QueryName` does; `nil`: none does.
    func rule(forQuery name: String) -> CompiledNameRule? {
        for rule in names { if let found = rule.first(forQuery: name) { return found } }
        return nil
    }

    private func decide(_ bytes: Span<UInt8>, _ head: RequestHead, path: Span<UInt8>) -> SideAnswer {
        var actions: [HeaderAction] = []
        var first: CompiledRule?
        for rule in rules where rule.matches(bytes, head, path: path, &actions) {
            first = first ?? rule
            // "If any rule has a header side effect, all rules applicable to the request are evaluated."
            if !hasActions { break }
        }
        if let first { return .permitted(by: first, actions: actions) }
        var nearest: (rule: CompiledRule, failed: FailedConditions)?
        for rule in rules {
            let failed = rule.failures(bytes, head, path: path)
            if failed.count < nearest?.failed.count ?? .max { nearest = (rule, failed) }
            // None comes nearer: it would have matched.
            if failed.count == 1 { break }
        }
        return .denied(nearest: nearest?.rule, nearest?.failed ?? [])
    }
}
