/// Cuts the bytes of a watch into lines: chunks of HTTP are no events, a burst is packed and split anywhere.
public struct LineSplitter: Sendable {
    /// A line is longer than any object can be.
    public struct TooLong: Error, Hashable, CustomStringConvertible {
        /// Bytes that a line may have.
        public let limit: Int

        /// In words.
        public var description: String { "an event of more than \(limit) bytes" }
    }

    private let limit: Int
    private var rest: [UInt8] = []

    /// Nothing has come yet.
    ///
    /// - Parameter limit: bytes that a line may have. An object of etcd has 1.5 MB by default; as JSON, with what the
    ///   server adds, it may be a few times that.
    public init(limit: Int = 16 << 20) {
        self.limit = limit
    }

    /// Bytes that wait for the end of their line.
    public var pending: Int { rest.count }

    /// Takes the next bytes; returns the lines that end in them, without newlines, empty ones left out.
    ///
    /// - Throws: when a line is too long. Nothing more can be read of the stream then.
    public mutating func take(_ bytes: some Collection<UInt8>) throws(TooLong) -> [ArraySlice<UInt8>] {
        var searched = rest.count
        rest += bytes
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while let end = rest[searched...].firstIndex(of: UInt8(ascii: "\n")) {
            guard end - start <= limit else { throw TooLong(limit: limit) }
            if end > start { lines.append(rest[start..<end]) }
            start = end + 1
            searched = start
        }
        guard rest.count - start <= limit else { throw TooLong(limit: limit) }
        // The lines keep the buffer alive; what waits begins a new one.
        if start > 0 { rest = Array(rest[start...]) }
        return lines
    }
}
