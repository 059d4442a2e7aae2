/// Standard input in parts that can be read one after the other: its documents, and the items of a `List` as kubectl writes it. So a whole
/// cluster takes no more memory than its bytes and what is made of it.
struct DocumentPages {
    /// A part.
    struct Page {
        /// Its text, alone.
        let bytes: [UInt8]
        /// The line of its first byte, from 1.
        let firstLine: Int
        /// The column of its first byte, from 1.
        var firstColumn = 1
    }

    /// Where an item of a list lies.
    struct Item {
        /// Its bytes, of those of the whole.
        var range: Range<Int>
        /// The line of the first, from 1.
        let line: Int
        /// The column of the first, from 1.
        var column = 1
    }

    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Calls `body` with each part, in order. What is no list of that form is one part.
    ///
    /// Returns what is wrong with lists of which no part was handed over, for they are too long to be read at once.
    func forEach(_ body: (Page) -> Void) -> [Diagnostic] {
        DocumentChunk.split(bytes).flatMap { forEach(of: $0, body) }
    }

    private func forEach(of chunk: DocumentChunk, _ body: (Page) -> Void) -> [Diagnostic] {
        if chunk.content.first(where: { !DocumentReader.isSpace($0) }) == UInt8(ascii: "{") {
            switch JSONListPages.items(of: chunk) {
            // A list of nothing is a document all the same.
            case .success(let items) where items.isEmpty && chunk.bytes.count <= DocumentLimits.bytes:
                body(Page(bytes: Array(chunk.bytes), firstLine: chunk.firstLine, firstColumn: chunk.firstColumn))
                return []
            case .success(let items):
                for item in items {
                    body(
                        Page(bytes: Array(chunk.bytes[item.range]), firstLine: item.line, firstColumn: item.column))
                }
                return []
            // What is no list, and small enough: whoever reads it whole says what is wrong, if anything is.
            case .failure where chunk.bytes.count <= DocumentLimits.bytes:
                body(Page(bytes: Array(chunk.bytes), firstLine: chunk.firstLine, firstColumn: chunk.firstColumn))
                return []
            case .failure(let failure):
                // Answers of several kubectl calls, one behind the other.
                let values = JSONListPages.values(of: chunk)
                return values.count > 1 ? values.flatMap { forEach(of: $0, body) } : [failure.diagnostic]
            }
        }
        guard let items = DocumentPages.items(of: chunk) else {
            body(Page(bytes: Array(chunk.bytes), firstLine: chunk.firstLine, firstColumn: chunk.firstColumn))
            return []
        }
        for item in items {
            var text = Array(chunk.bytes[item.range])
            // The dash of the list: what is behind it is a map of its own, at the same columns.
            text[0] = UInt8(ascii: " ")
            body(Page(bytes: text, firstLine: item.line))
        }
        return []
    }

    /// The items of a chunk that is a `List` written in block style with its items at the left edge; `nil` for any other.
    ///
    /// A line at the left edge that begins with a dash begins an item, unless it is inside quotes or brackets, which are then without
    /// their end: that is an error of the item before.
    private static func items(of chunk: DocumentChunk) -> [Item]? {
        let bytes = chunk.bytes
        guard bytes.contains(UInt8(ascii: "-")) else { return nil }
        var items: [Item] = []
        var envelope: [UInt8] = []
        var isInside = false
        var hasItems = false
        var line = chunk.firstLine
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let end = bytes[index...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.endIndex
            let text = bytes[index..<end]
            let isDash = text.first == UInt8(ascii: "-") && (text.dropFirst().first.map(DocumentReader.isSpace) ?? true)
            let isIndented = text.first.map(DocumentReader.isSpace) ?? true
            if isInside, isDash {
                items.append(Item(range: index..<end, line: line))
            } else if isInside, isIndented || text.first == UInt8(ascii: "#") {
                guard let last = items.last else { return nil }
                items[items.count - 1].range = last.range.lowerBound..<end
            } else {
                isInside = false
                if isItems(text) {
                    guard !hasItems else { return nil }
                    hasItems = true
                    isInside = true
                } else {
                    envelope += text
                }
            }
            line += 1
            index = end
        }
        guard !items.isEmpty, envelope.count < 1 << 16 else { return nil }
        var budget = DocumentBudget(file: "-")
        let head = DocumentReader.read(envelope, firstLine: 1, &budget)
        guard head.diagnostics.isEmpty, head.documents.count == 1, isList(head.documents[0]) else { return nil }
        return items
    }

    /// Whether a document says that its items are objects of their own.
    static func isList(_ head: DocumentNode) -> Bool {
        head["kind"]?.string == "List" && head["apiVersion"]?.string != nil
    }

    private static func isItems(_ line: ArraySlice<UInt8>) -> Bool {
        let word = "items:".utf8
        return line.starts(with: word) && line.dropFirst(word.count).allSatisfy(DocumentReader.isSpace)
    }
}
