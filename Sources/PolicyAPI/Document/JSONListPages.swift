/// Finds the items of a `List` in JSON, indented or all in one line, so that they can be read one after the other.
enum JSONListPages {
    /// Finds the items of the list that a chunk is. Fails for what is no `List` from end to end; what is wrong inside an item is for whoever
    /// reads it.
    static func items(of chunk: DocumentChunk) -> Result<[DocumentPages.Item], DocumentFailure> {
        chunk.bytes.withUnsafeBytes { all in
            let text = UnsafeRawBufferPointer(rebasing: all[(chunk.content.startIndex - chunk.bytes.startIndex)...])
            do throws(ListItems.Failure) {
                return .success(places(of: try ranges(in: text, behind: all.count - text.count), in: all, chunk))
            } catch {
                return .failure(
                    DocumentFailure(
                        id: .limit,
                        location: SourceLocation(file: "-", line: chunk.firstLine, column: chunk.firstColumn),
                        message:
                            "a document has \(all.count) bytes, more than \(DocumentLimits.bytes), and is no List that can be read item by item: \(error)",
                        hint:
                            "give a List as kubectl get -o json writes it, and see whether kubectl ended with an error")
                )
            }
        }
    }

    /// Where items of a list lie in a chunk in which it begins behind some bytes.
    private static func ranges(
        in text: UnsafeRawBufferPointer, behind start: Int
    ) throws(ListItems.Failure) -> [Range<Int>] {
        let items = try ListItems(in: text)
        guard DocumentPages.isList(try items.document()) else {
            throw ListItems.Failure(description: "its kind is another one")
        }
        return items.ranges.map { (start + $0.lowerBound)..<(start + $0.upperBound) }
    }

    /// The maps at the top level of a chunk, each as a chunk of its own; what is behind the last, and is no map, stays with it.
    static func values(of chunk: DocumentChunk) -> [DocumentChunk] {
        let places = chunk.bytes.withUnsafeBytes {
            starts(in: $0, behind: chunk.content.startIndex - chunk.bytes.startIndex)
        }
        let ranges = zip(places, places.dropFirst() + [chunk.bytes.count]).map { $0..<$1 }
        return chunk.bytes.withUnsafeBytes { all in
            JSONListPages.places(of: ranges, in: all, chunk).map { item in
                DocumentChunk(bytes: chunk.bytes[item.range], firstLine: item.line, firstColumn: item.column)
            }
        }
    }

    /// Where the maps at the top level begin.
    private static func starts(in all: UnsafeRawBufferPointer, behind first: Int) -> [Int] {
        var starts: [Int] = []
        var depth = 0
        var isInString = false
        var index = first
        while index < all.count {
            let byte = all[index]
            if isInString {
                // What is behind a backslash ends no string.
                if byte == UInt8(ascii: "\\") { index += 1 } else if byte == UInt8(ascii: "\"") { isInString = false }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    if depth == 0, byte == UInt8(ascii: "{") { starts.append(index) }
                    depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                default: break
                }
            }
            index += 1
        }
        return starts
    }

    private static func places(
        of ranges: [Range<Int>], in all: UnsafeRawBufferPointer, _ chunk: DocumentChunk
    ) -> [DocumentPages.Item] {
        var known = 0
        var line = chunk.firstLine
        var column = chunk.firstColumn
        return ranges.map { range in
            for byte in all[known..<range.lowerBound] {
                if byte == UInt8(ascii: "\n") {
                    line += 1
                    column = 1
                } else if byte & 0xc0 != 0x80 {
                    // Columns count characters.
                    column += 1
                }
            }
            known = range.lowerBound
            let start = chunk.bytes.startIndex
            return DocumentPages.Item(
                range: (start + range.lowerBound)..<(start + range.upperBound), line: line, column: column)
        }
    }
}
