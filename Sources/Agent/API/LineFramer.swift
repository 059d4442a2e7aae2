/// Cuts a stream of bytes into lines. Holds at most `limit` bytes of an unfinished line.
public struct LineFramer: Sendable {
    private let limit: Int
    private var pending: [UInt8] = []

    /// A framer for lines of at most `limit` bytes, newline not counted.
    public init(limit: Int) {
        self.limit = limit
    }

    /// Whether the stream would end inside a line.
    public var isInsideLine: Bool { !pending.isEmpty }

    /// Takes bytes; returns the lines they complete, without newlines.
    ///
    /// - Throws: `oversize` when a line outgrows the limit; the framer is of no use after that.
    public mutating func feed(_ bytes: some Sequence<UInt8>) throws(MessageError) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines.append(pending)
                pending = []
            } else {
                guard pending.count < limit else { throw MessageError.oversize(limit: limit) }
                pending.append(byte)
            }
        }
        return lines
    }
}
