public import NIOCore
public import ProxyRules

/// What the proxy must know of a connection that it accepted.
public struct ProxiedFlow: Sendable {
    /// Where the client wanted to go.
    public var destination: SocketAddress
    /// The sockets' options and the address to connect from belong to the resolver; `nil` to connect from any.
    public var source: SocketAddress?
    /// The sender's pod, for the log.
    public var client = ""
    /// The receiver's pod, for the log.
    public var server = ""
    /// The rules of the sender's end; `nil` without L7 rules there.
    public var egress: RuleBook.Selection?
    /// The rules of the receiver's end.
    public var ingress: RuleBook.Selection?

    /// A flow to an address.
    public init(destination: SocketAddress) { self.destination = destination }
}

/// Knows the flows of accepted connections: where they go, and which rules hold for them.
public protocol FlowResolver: Sendable {
    /// The flow of a connection; `nil` when it is not known, then it is closed. Asked again when the rules have changed: only
    /// `egress` and `ingress` count then.
    func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow?
}

/// Every connection goes to one address under the same rules: for tests and the developer form of `netpold proxy`.
public struct FixedFlowResolver: FlowResolver {
    private let fixed: ProxiedFlow

    /// A resolver of one flow.
    public init(_ flow: ProxiedFlow) { fixed = flow }

    /// The flow, whoever asks.
    public func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow? { fixed }
}
