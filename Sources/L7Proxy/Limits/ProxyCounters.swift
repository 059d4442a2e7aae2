public import HTTPScan

/// What happened, in numbers.
public struct ProxyCounters: Hashable, Sendable {
    /// Accepted connections.
    public var connections: UInt64 = 0
    /// Connections that are open now.
    public var open = 0
    /// Connections that were closed since there was no room, by reason.
    public var refusedConnections: [ConnectionRefusal: UInt64] = [:]
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
    /// Responses that are not understood, were cut before they began, or that nothing asked for.
    public var badResponses: UInt64 = 0
    /// Those of HTTP/1 that were not forwarded, by reason.
    public var responseFaults: [ResponseFault: UInt64] = [:]
    /// Connections to servers that failed.
    public var noServer: UInt64 = 0
    /// Connections closed because a head, a body or another request took too long.
    public var timeouts: UInt64 = 0
    /// Connections that spoke HTTP/2.
    public var http2: UInt64 = 0
    /// What clients sent in them that ended the connection: frames that are none, and floods.
    public var http2Faults: [HTTP2Fault: UInt64] = [:]
    /// The same of servers' connections.
    public var serverFaults: [HTTP2Fault: UInt64] = [:]
    /// Connections whose flow nobody knows.
    public var unknownFlows: UInt64 = 0

    /// All zero.
    public init() {}

    /// Adds another event loop's.
    mutating func add(_ other: ProxyCounters) {
        connections += other.connections
        open += other.open
        refusedConnections.merge(other.refusedConnections, uniquingKeysWith: +)
        allowed += other.allowed
        denied += other.denied
        refused.merge(other.refused, uniquingKeysWith: +)
        badQueries += other.badQueries
        learnt += other.learnt
        unlearnt += other.unlearnt
        badResponses += other.badResponses
        responseFaults.merge(other.responseFaults, uniquingKeysWith: +)
        noServer += other.noServer
        timeouts += other.timeouts
        http2 += other.http2
        http2Faults.merge(other.http2Faults, uniquingKeysWith: +)
        serverFaults.merge(other.serverFaults, uniquingKeysWith: +)
        unknownFlows += other.unknownFlows
    }
}
