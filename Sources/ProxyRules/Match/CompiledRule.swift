internal import HTTPScan
public import PolicyAPI
internal import PolicyIR

/// One element of `rules.http`, compiled for requests as bytes.
public final class CompiledRule: Sendable {
    /// Where it is written.
    public let origin: RuleOrigin
    /// `origin` as logs write it, made once.
    public let text: String
    private let method: FieldMatch
    private let path: FieldMatch
    private let host: FieldMatch
    /// `nil` when a header action cannot be carried out, so that the rule matches nothing.
    private let headers: [HeaderMatching]?
    /// Whether the rule may change or log a request that it matches.
    let hasActions: Bool

    /// Compiles an element.
    public init(_ rule: HTTPRule, origin: RuleOrigin) {
        self.origin = origin
        text = "\(origin)"
        let matcher = HTTPMatcher(rule)
        method = FieldMatch(matcher.method)
        path = FieldMatch(matcher.path)
        host = FieldMatch(matcher.host)
        let compiled = matcher.headers.compactMap(HeaderMatching.init)
        headers = compiled.count == matcher.headers.count ? compiled : nil
        hasActions = matcher.hasActions
    }

    /// The names of the fields that the rule asks for or writes, folded.
    var headerNames: [[UInt8]] { (headers ?? []).map(\.foldedName) }

    /// Whether a request matches; the actions of its headers are added to a list.
    func matches(_ bytes: Span<UInt8>, _ head: RequestHead, path text: Span<UInt8>, _ actions: inout [HeaderAction])
        -> Bool
    {
        guard method.accepts(bytes.extracting(head.method)), path.accepts(text),
            host.accepts(bytes.extracting(head.host)), let headers
        else { return false }
        let before = actions.count
        for header in headers where !header.accepts(bytes, head) {
            // "For all four the request is not denied because of this header."
            guard let kind = header.condition.action, !header.condition.isUnknown else {
                actions.removeSubrange(before...)
                return false
            }
            // Nothing can be removed from a request that has no such header.
            if kind == .delete, !header.isPresent(bytes, head) { continue }
            let action = HeaderAction(kind, name: header.condition.name, value: header.condition.value ?? "")
            if !actions.contains(action) { actions.append(action) }
        }
        return true
    }

    /// The conditions that a request fails.
    func failures(_ bytes: Span<UInt8>, _ head: RequestHead, path text: Span<UInt8>) -> FailedConditions {
        var failed: FailedConditions = []
        if !method.accepts(bytes.extracting(head.method)) { failed.insert(.method) }
        if !path.accepts(text) { failed.insert(.path) }
        if !host.accepts(bytes.extracting(head.host)) { failed.insert(.host) }
        guard let headers else { return failed.union(.header) }
        for header in headers where !header.accepts(bytes, head) {
            if header.condition.action == nil || header.condition.isUnknown { failed.insert(.header) }
        }
        return failed
    }
}
