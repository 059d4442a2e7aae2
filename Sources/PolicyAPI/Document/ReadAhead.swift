import Dispatch

/// Reads the chunks of a big input on all CPUs, before it is known what those before them leave of the budget.
enum ReadAhead {
    /// Chunks of so many bytes are read at once: what is read in vain is bounded by it.
    private static let waveBytes = 1 << 20
    /// A CPU takes chunks of so many bytes at a time; of less, nothing is read ahead.
    private static let pieceBytes = 1 << 16

    /// What was made of a chunk, and how many values of the budget it took.
    struct Read<Value: Sendable>: Sendable {
        var content: DocumentReader.Part<Value>
        var nodes: Int
    }

    /// Takes the next chunks that are read at once; at least one.
    static func wave(of rest: inout ArraySlice<DocumentChunk>) -> ArraySlice<DocumentChunk> {
        take(waveBytes, of: &rest)
    }

    /// Reads chunks; `nil` for each that is better read after the one before it.
    static func read<Value: Sendable>(
        _ chunks: ArraySlice<DocumentChunk>, file: String,
        _ read: @Sendable (DocumentChunk, inout DocumentBudget) -> DocumentReader.Part<Value>
    ) -> [Read<Value>?] {
        var rest = chunks
        var pieces: [ArraySlice<DocumentChunk>] = []
        while !rest.isEmpty { pieces.append(take(pieceBytes, of: &rest)) }
        guard pieces.count > 1 else { return Array(repeating: nil, count: chunks.count) }
        var found: [[Read<Value>?]] = Array(repeating: [], count: pieces.count)
        found.withUnsafeMutableBufferPointer { buffer in
            // Each piece is an element of its own.
            nonisolated(unsafe) let found = buffer
            let pieces = pieces
            DispatchQueue.concurrentPerform(iterations: pieces.count) { piece in
                // A copy of the name: that its references are counted on several CPUs would be most of the time.
                let name = String(decoding: Array(file.utf8), as: UTF8.self)
                found[piece] = pieces[piece].map { chunk in
                    var budget = DocumentBudget.ahead(file: name)
                    let before = budget.nodes
                    let content = read(chunk, &budget)
                    return budget.isSpent ? nil : Read(content: content, nodes: before - budget.nodes)
                }
            }
        }
        return found.flatMap(\.self)
    }

    private static func take(_ bytes: Int, of rest: inout ArraySlice<DocumentChunk>) -> ArraySlice<DocumentChunk> {
        var sum = 0
        var end = rest.startIndex
        repeat {
            sum += rest[end].bytes.count
            end += 1
        } while end < rest.endIndex && sum + rest[end].bytes.count <= bytes
        defer { rest = rest[end...] }
        return rest[..<end]
    }
}
