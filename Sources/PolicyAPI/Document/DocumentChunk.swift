/// A part of a stream between two document markers.
struct DocumentChunk {
    /// The bytes, the leading `---` included.
    let bytes: ArraySlice<UInt8>
    /// The line of its first byte, from 1.
    let firstLine: Int
    /// The column of its first byte, from 1: of a part of a line another one.
    var firstColumn = 1

    /// The bytes after a leading bare `---` line.
    var content: ArraySlice<UInt8> {
        bytes.starts(with: "---".utf8) ? bytes.dropFirst(3) : bytes
    }

    /// Splits a stream before each line that begins with `---` and after each line `...`: YAML ends a document there in any
    /// context, and no JSON text can contain such a line. Directives (`%YAML 1.2`) stay with the document they precede.
    static func split(_ bytes: [UInt8], firstLine: Int = 1, firstColumn: Int = 1) -> [DocumentChunk] {
        bytes.withUnsafeBufferPointer { all in
            let start = all.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
            var splitter = Splitter(start: start, firstLine: firstLine)
            splitter.split(all)
            return splitter.found.map { found in
                DocumentChunk(
                    bytes: bytes[found.range], firstLine: found.firstLine,
                    firstColumn: found.range.lowerBound == start ? firstColumn : 1)
            }
        }
    }

    /// Goes through a stream line by line.
    private struct Splitter {
        var found: [(range: Range<Int>, firstLine: Int)] = []
        /// Where the current chunk begins.
        private var start: Int
        private var startLine: Int
        private var line: Int
        private var hasDirective = false
        private var hasContent = false

        init(start: Int, firstLine: Int) {
            self.start = start
            startLine = firstLine
            line = firstLine
        }

        mutating func split(_ all: UnsafeBufferPointer<UInt8>) {
            var index = start
            while index < all.count {
                var end = index
                while end < all.count, all[end] != UInt8(ascii: "\n") { end += 1 }
                end = min(end + 1, all.count)
                let text = UnsafeBufferPointer(rebasing: all[index..<end])
                if Self.isMarker(text, UInt8(ascii: "-")) {
                    // A chunk with only directives belongs to the document that this line begins.
                    if hasContent || !hasDirective { cut(before: index) }
                    hasContent = true
                } else if Self.isMarker(text, UInt8(ascii: ".")) {
                    line += 1
                    cut(before: end)
                    index = end
                    continue
                } else {
                    switch text.first(where: { !DocumentReader.isSpace($0) }) {
                    case nil, UInt8(ascii: "#"): break
                    case UInt8(ascii: "%") where !hasContent && text.first == UInt8(ascii: "%"): hasDirective = true
                    default: hasContent = true
                    }
                }
                line += 1
                index = end
            }
            cut(before: all.count)
        }

        private mutating func cut(before end: Int) {
            if end > start, hasContent || hasDirective { found.append((start..<end, startLine)) }
            start = end
            startLine = line
            hasDirective = false
            hasContent = false
        }

        /// Whether a line is three of a character, alone or before a space.
        private static func isMarker(_ line: UnsafeBufferPointer<UInt8>, _ character: UInt8) -> Bool {
            guard line.count >= 3, line[0] == character, line[1] == character, line[2] == character else {
                return false
            }
            return line.count == 3 || DocumentReader.isSpace(line[3])
        }
    }
}
