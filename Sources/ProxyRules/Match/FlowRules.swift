public import HTTPScan

/// The HTTP rules of a flow. A request passes when each end that has rules has one that allows it. A class: they are handed on for each
/// request.
public final class FlowRules: Sendable {
    /// The sender's rules; `nil` without L7 rules at that end.
    public let egress: CompiledSide?
    /// The receiver's.
    public let ingress: CompiledSide?

    /// Whether a flow of which no end has rules may pass: policies have come to allow everything of it since it came to the proxy.
    public let isUnrestricted: Bool

    /// The names of the fields that rules of either end ask for or write, in lower case and with hyphens: no trailer may have them, and no
    /// option of Connection, by which the next proxy would take them out.
    public let headerNames: [[UInt8]]

    /// The rules of both ends.
    public init(egress: CompiledSide?, ingress: CompiledSide?, isUnrestricted: Bool = false) {
        self.egress = egress
        self.ingress = ingress
        self.isUnrestricted = isUnrestricted && egress == nil && ingress == nil
        headerNames = Array((egress?.headerNames ?? []).union(ingress?.headerNames ?? []))
    }

    /// What became of a request.
    public struct Answer: Sendable {
        /// The sender's end.
        public var egress: SideAnswer?
        /// The receiver's end: about the request after the sender's header actions. `nil` also when it does not arrive.
        public var ingress: SideAnswer?
        /// The head after the actions of both ends; `nil` when it stays as it is.
        public var rewritten: [UInt8]?
        /// Whether actions would make another message of the request (`HeadRewriting`): then it is denied.
        public var actionsBreakRequest = false
        /// Whether an option of Connection names a field that rules ask for or write: then it is denied.
        public var namesRuleField = false

        /// Whether no end has rules and the flow may pass (`FlowRules.isUnrestricted`).
        public var isUnrestricted = false

        /// Whether the request is allowed. One that no end was asked about is not, unless it is unrestricted.
        public var isPermitted: Bool {
            // Without a copy of what the ends say.
            switch (egress, ingress) {
            case (nil, nil): isUnrestricted
            case (.denied?, _), (_, .denied?): false
            case (.permitted?, .permitted?), (.permitted?, nil), (nil, .permitted?):
                !actionsBreakRequest && !namesRuleField
            }
        }
    }

    /// Decides a request whose head was scanned in these bytes.
    public func decide(_ bytes: Span<UInt8>, _ head: RequestHead, limits: ScanLimits) -> Answer {
        var answer = Answer(egress: egress?.decide(bytes, head), isUnrestricted: isUnrestricted)
        if case .denied? = answer.egress { return answer }
        if !headerNames.isEmpty, ConnectionFields.name(anyOf: headerNames, bytes, head) {
            answer.namesRuleField = true
            return answer
        }
        guard case .permitted(_, let actions)? = answer.egress, actions.contains(where: { $0.kind != .log }) else {
            answer.ingress = ingress?.decide(bytes, head)
            rewrite(&answer, bytes, head, limits)
            return answer
        }
        guard let arriving = HeadRewriting.apply(actions, bytes, head, limits: limits) else {
            answer.actionsBreakRequest = true
            return answer
        }
        answer.rewritten = arriving.bytes
        answer.ingress = ingress?.decide(arriving.bytes.span, arriving.head)
        rewrite(&answer, arriving.bytes.span, arriving.head, limits)
        return answer
    }

    private func rewrite(_ answer: inout Answer, _ bytes: Span<UInt8>, _ head: RequestHead, _ limits: ScanLimits) {
        guard case .permitted(_, let actions)? = answer.ingress, actions.contains(where: { $0.kind != .log }) else {
            return
        }
        guard let changed = HeadRewriting.apply(actions, bytes, head, limits: limits) else {
            answer.actionsBreakRequest = true
            return
        }
        answer.rewritten = changed.bytes
    }
}
