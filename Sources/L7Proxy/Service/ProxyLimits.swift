public import HTTPScan
public import NIOCore

/// What a connection may take at most.
public struct ProxyLimits: Sendable {
    /// What a message may be.
    public var scan = ScanLimits()
    /// From the first byte of a head to its end.
    public var headTimeout = TimeAmount.seconds(10)
    /// Without a byte in either direction, between requests and inside them.
    public var idleTimeout = TimeAmount.seconds(60)
    /// For a connection to the server.
    public var connectTimeout = TimeAmount.seconds(5)
    /// For the client to take the last answer.
    public var lingerTimeout = TimeAmount.seconds(2)
    /// Requests of one connection that wait for their responses.
    public var pipelined = 32
    /// Bytes read at once.
    public var readSize = 16 << 10
    /// Bytes that wait to be written before no more are read from the other side.
    public var waterMark = 64 << 10

    /// The default limits.
    public init() {}
}
