public import HTTPScan

/// What happened, in numbers.
public struct ProxyCounters: Hashable, Sendable {
    /// Accepted connections.
    public var connections: UInt64 = 0
    /// Connections that are open now.
    public var open = 0
    /// Requests that rules allow, and that were forwarded.
    public var allowed: UInt64 = 0
    /// Requests that rules deny.
    public var denied: UInt64 = 0
    /// Bytes that are not understood, by reason.
    public var refused: [Refusal: UInt64] = [:]
    /// DNS messages that are not exactly a query: each ended its connection.
    public var badQueries: UInt64 = 0
    /// DNS answers that were learnt from.
    public var learnt: UInt64 = 0
    /// DNS answers that were to be learnt from, and could not.
    public var unlearnt: UInt64 = 0
    /// Responses that are not understood, or that nothing asked for.
    public var badResponses: UInt64 = 0
    /// Connections to servers that failed.
    public var noServer: UInt64 = 0
    /// Connections closed because a head, a body or another request took too long.
    public var timeouts: UInt64 = 0
    /// Connections that spoke HTTP/2.
    public var http2: UInt64 = 0
    /// Errors in their frames, floods among them: each ended its connection.
    public var http2Errors: UInt64 = 0
    /// Connections whose flow nobody knows.
    public var unknownFlows: UInt64 = 0

    /// All zero.
    public init() {}

    /// Adds another event loop's.
    mutating func add(_ other: ProxyCounters) {
        connections += other.connections
        open += other.open
        allowed += other.allowed
        denied += other.denied
        refused.merge(other.refused, uniquingKeysWith: +)
        badQueries += other.badQueries
        learnt += other.learnt
        unlearnt += other.unlearnt
        badResponses += other.badResponses
        noServer += other.noServer
        timeouts += other.timeouts
        http2 += other.http2
        http2Errors += other.http2Errors
        unknownFlows += other.unknownFlows
    }
}
