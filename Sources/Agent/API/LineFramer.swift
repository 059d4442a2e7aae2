/// Cuts a stream of bytes into lines, handed out one at a time. Holds at most `limit` bytes of an unfinished line beside what
/// one `feed` brought.
public struct LineFramer: Sendable {
    private let limit: Int
    private var bytes: [UInt8] = []
    /// Where the next line begins.
    private var start = 0
    /// Up to where there is no newline, from `start` on.
    private var searched = 0

    /// A framer for lines of at most `limit` bytes, newline not counted.
    public init(limit: Int) {
        self.limit = limit
    }

    /// Whether a whole line is there.
    public var hasLine: Bool {
        mutating get { newline() != nil }
    }

    /// Takes bytes.
    public mutating func feed(_ more: some Sequence<UInt8>) {
        bytes.removeFirst(start)
        searched -= start
        start = 0
        bytes.append(contentsOf: more)
    }

    /// The next line without its newline; `nil` when there is no whole one.
    ///
    /// - Throws: `oversize` when the line outgrows the limit; the framer is of no use after that.
    public mutating func next() throws(MessageError) -> [UInt8]? {
        let end = newline()
        guard (end ?? bytes.count) - start <= limit else { throw MessageError.oversize(limit: limit) }
        guard let end else { return nil }
        defer {
            start = end + 1
            searched = start
        }
        return Array(bytes[start..<end])
    }

    private mutating func newline() -> Int? {
        let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n"))
        searched = end ?? bytes.count
        return end
    }
}
