/// Cuts a body into chunks where the recorded server does: it writes through a buffer of 2048 bytes, what is larger than an empty
/// buffer goes out as it is, and each event of a quiet watch alone.
struct ChunkWriter {
    /// The size of its buffer.
    static let size = 2048

    private var buffer: [UInt8] = []

    /// Chunks that are full after some more bytes.
    mutating func write(_ bytes: [UInt8]) -> [[UInt8]] {
        var chunks: [[UInt8]] = []
        var rest = bytes[...]
        while rest.count > ChunkWriter.size - buffer.count {
            if buffer.isEmpty {
                chunks.append(Array(rest))
                rest = []
            } else {
                let room = ChunkWriter.size - buffer.count
                chunks.append(buffer + rest.prefix(room))
                rest = rest.dropFirst(room)
                buffer = []
            }
        }
        buffer += rest
        return chunks
    }

    /// What is left.
    mutating func flush() -> [[UInt8]] {
        defer { buffer = [] }
        return buffer.isEmpty ? [] : [buffer]
    }
}
