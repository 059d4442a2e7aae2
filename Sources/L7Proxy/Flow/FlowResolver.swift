public import NIOCore
public import ProxyRules

/// What the proxy must know of a connection that it accepted.
public struct ProxiedFlow: Sendable {
    /// Where the client wanted to go.
    public var destination: SocketAddress
    /// The address to connect from; `nil` to connect from any.
    public var source: SocketAddress?
    /// Whether `source` is another host's, so that the socket must be transparent (which takes CAP_NET_ADMIN).
    public var isTransparent = false
    /// The sender's pod, for the log; empty when it is not known.
    public var client = ""
    /// The receiver's pod, for the log; empty when it is not known.
    public var server = ""
    /// The rules of the sender's end; `nil` without L7 rules there.
    public var egress: RuleBook.Selection?
    /// The rules of the receiver's end.
    public var ingress: RuleBook.Selection?
    /// Whether the flow passes though no end has rules for it: policies allow everything of it since it came to the proxy. Without this,
    /// a flow without rules passes nothing.
    public var isUnrestricted = false
    /// Whether both ends are known. That of the receiver may be known only when its host has answered: then the resolver is asked
    /// again once the server is connected, and no request is forwarded before.
    public var isComplete = true

    /// A flow to an address.
    public init(destination: SocketAddress) { self.destination = destination }
}

/// Knows the flows of accepted connections: where they go, and which rules hold for them.
public protocol FlowResolver: Sendable {
    /// The flow of a connection; `nil` when it is not known, then it is closed. Called on an event loop: must not block. Asked again
    /// when the rules have changed, and when the server is connected of a flow that was not complete: only `egress`, `ingress`,
    /// `isUnrestricted`, `client`, `server` and `isComplete` count then.
    func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow?

    /// Whether a flow's selections may change while the book of rules stays the same: then they are asked for before each request.
    var selectionsChange: Bool { get }
}

extension FlowResolver {
    /// They do, where nothing else is known.
    public var selectionsChange: Bool { true }
}

/// Every connection goes to one address under the same rules: for tests and the developer form of `netpold proxy`.
public struct FixedFlowResolver: FlowResolver {
    private let fixed: ProxiedFlow

    /// They never do.
    public var selectionsChange: Bool { false }

    /// A resolver of one flow.
    public init(_ flow: ProxiedFlow) { fixed = flow }

    /// The flow, whoever asks.
    public func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow? { fixed }
}
