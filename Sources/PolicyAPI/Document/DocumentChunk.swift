/// A part of a stream between two document markers.
struct DocumentChunk {
    /// The bytes, the leading `---` included.
    let bytes: ArraySlice<UInt8>
    /// The line of its first byte, from 1.
    let firstLine: Int

    /// The bytes after a leading bare `---` line.
    var content: ArraySlice<UInt8> {
        bytes.starts(with: "---".utf8) ? bytes.dropFirst(3) : bytes
    }

    /// Splits a stream before each line that begins with `---` and after each line `...`: YAML ends a document there in any
    /// context, and no JSON text can contain such a line. Directives (`%YAML 1.2`) stay with the document they precede.
    static func split(_ bytes: [UInt8], firstLine: Int = 1) -> [DocumentChunk] {
        let all = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes[3...] : bytes[...]
        var chunks: [DocumentChunk] = []
        var start = all.startIndex
        var startLine = firstLine
        var line = firstLine
        var index = all.startIndex
        var hasDirective = false
        var hasContent = false

        func cut(before end: Int) {
            if end > start, hasContent || hasDirective {
                chunks.append(DocumentChunk(bytes: all[start..<end], firstLine: startLine))
            }
            start = end
            startLine = line
            hasDirective = false
            hasContent = false
        }

        while index < all.endIndex {
            let end = all[index...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? all.endIndex
            if isMarker(all[index..<end], "---") {
                // A chunk with only directives belongs to the document that this line begins.
                if hasContent || !hasDirective { cut(before: index) }
                hasContent = true
            } else if isMarker(all[index..<end], "...") {
                line += 1
                cut(before: end)
                index = end
                continue
            } else {
                switch all[index..<end].first(where: { !DocumentReader.isSpace($0) }) {
                case nil, UInt8(ascii: "#"): break
                case UInt8(ascii: "%") where !hasContent && all[index] == UInt8(ascii: "%"): hasDirective = true
                default: hasContent = true
                }
            }
            line += 1
            index = end
        }
        cut(before: all.endIndex)
        return chunks
    }

    private static func isMarker(_ line: ArraySlice<UInt8>, _ marker: StaticString) -> Bool {
        guard line.count >= 3, line.prefix(3).allSatisfy({ $0 == marker.utf8Start.pointee }) else { return false }
        return line.dropFirst(3).first.map(DocumentReader.isSpace) ?? true
    }
}
