/// What a message may be at most; beyond it is refused by name.
public struct ScanLimits: Hashable, Sendable {
    /// Bytes of a method.
    public var method = 32
    /// Bytes of a request target.
    public var target = 16 << 10
    /// Bytes of a head, with its last empty line.
    public var head = 32 << 10
    /// Fields of a head.
    public var fields = 100
    /// Bytes of a body or chunk that is announced at once: what a double holds exactly, as some servers keep it in one.
    public var body: UInt64 = (1 << 53) - 1
    /// Bytes of the extensions of one chunk.
    public var chunkExtensions = 256
    /// Bytes of all chunk extensions of a body.
    public var extensionsOfBody = 16 << 10
    /// Bytes of a trailer section, with its last empty line.
    public var trailers = 8 << 10
    /// Interim responses (1xx) before a response: `102 Processing` comes each 20 s or so.
    public var interims = 100

    /// The default limits.
    public init() {}
}
