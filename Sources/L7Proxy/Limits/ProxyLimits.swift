public import HTTPScan
public import NIOCore

/// What connections may take at most.
public struct ProxyLimits: Sendable {
    /// Connections of clients at once.
    public var connections = 20_000
    /// Of one client: a pod, or an address.
    public var connectionsOfClient = 5_000
    /// What a message may be.
    public var scan = ScanLimits()
    /// From the first byte of a head to its end.
    public var headTimeout = TimeAmount.seconds(10)
    /// Without a byte in either direction, between requests.
    public var idleTimeout = TimeAmount.seconds(60)
    /// Without a byte in either direction, inside a request, its response or another protocol: as Cilium's
    /// `http-stream-idle-timeout`.
    public var streamIdleTimeout = TimeAmount.seconds(300)
    /// For a connection to the server.
    public var connectTimeout = TimeAmount.seconds(5)
    /// For the ends of a connection to the server, which another socket still has.
    public var rebindTimeout = TimeAmount.seconds(1)
    /// For the client to end its side behind the last answer.
    public var lingerTimeout = TimeAmount.seconds(2)
    /// How often the timeouts are looked at.
    public var tick = TimeAmount.seconds(1)
    /// Requests of one connection that wait for their responses.
    public var pipelined = 32
    /// Streams of one connection at once, of HTTP/2.
    public var streams = 100
    /// Bytes of HTTP/2 bodies of one connection that wait for the other side, in each direction, before their sender is granted no more.
    public var waitingBodies = 512 << 10
    /// Of all connections: while more wait, each has one window in place of `waitingBodies`.
    public var waitingBodiesOfAll = 256 << 20
    /// For the receiver of a stream to take what waits for it, while other streams are granted nothing for that.
    public var stallTimeout = TimeAmount.seconds(10)
    /// Streams that a peer may reset or break in 30 s.
    public var resets = 1_000
    /// Frames that carry nothing (PING, SETTINGS, PRIORITY) in a second.
    public var controlFrames = 10_000
    /// WINDOW_UPDATE frames that a peer may send beyond those that DATA frames sent to it, and its streams, account for.
    public var windowUpdates = 1_000
    /// Bytes read at once, at most: a connection begins with `smallestRead` and has more while it brings more.
    public var largestRead = 64 << 10
    /// Bytes that a connection keeps room for in each direction.
    public var smallestRead = 2 << 10
    /// Bytes that wait to be written before no more are read from the other side.
    public var waterMark = 64 << 10

    /// The default limits.
    public init() {}

    /// How much is read at once.
    var reads: AdaptiveRecvByteBufferAllocator {
        AdaptiveRecvByteBufferAllocator(minimum: smallestRead, initial: smallestRead, maximum: largestRead)
    }
}
