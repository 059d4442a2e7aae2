/// A response's head, as places in the bytes that were scanned.
public struct ResponseHead: Hashable, Sendable {
    /// The number after `HTTP/1.`: 0 or 1.
    public internal(set) var minorVersion = 1
    /// The status, 100 to 599.
    public internal(set) var status = 0
    /// The field lines, without the empty line.
    public internal(set) var fields = 0..<0
    /// The bytes of the head, with the empty line.
    public internal(set) var count = 0
    /// How the body ends.
    public internal(set) var framing = BodyFraming.none
    /// Whether the server keeps the connection for another response.
    public internal(set) var keepsConnection = true

    /// Whether another response to the same request follows: 1xx but for 101.
    public var isInterim: Bool { status < 200 && status != 101 }
    /// Whether the connection speaks another protocol from here on.
    public var switchesProtocol: Bool { status == 101 }
}
