public import NetTypes
public import PolicyIR

extension L7Match {
    /// Whether `netpold proxy` decides what these rules are about, sent over a protocol: HTTP, and DNS over TCP. Queries over UDP and
    /// server names of TLS the kernel decides.
    public func needsProxy(over protocol: L4Protocol) -> Bool {
        switch self {
        case .http: true
        case .dns: `protocol` == .tcp
        case .serverNames: false
        }
    }
}

extension SideExplanation {
    /// Whether the side hands the flow to a proxy.
    var needsProxy: Bool {
        guard case .l7(let matches) = decision.verdict else { return false }
        return matches.contains { $0.needsProxy(over: side?.protocol ?? .tcp) }
    }
}

extension DecisionExplanation {
    /// Whether a side hands the flow to a proxy.
    var needsProxy: Bool { egress.needsProxy || ingress.needsProxy }

    /// How a verdict that hangs on what is sent begins, and who decides that.
    static func conditional(_ flow: String, needsProxy: Bool) -> String {
        needsProxy
            ? "TO PROXY \(flow): the connection is allowed, the proxy decides each request"
            : "BY NAME \(flow): it is allowed for names that the rules allow, as the kernel decides"
    }
}
