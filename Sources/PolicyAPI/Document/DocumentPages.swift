/// Standard input in parts that can be read one after the other: its documents, and the items of a `List` as kubectl writes it. So a whole
/// cluster takes no more memory than its bytes and what is made of it.
struct DocumentPages {
    /// A part.
    struct Page {
        /// Its text, alone.
        let bytes: [UInt8]
        /// The line of its first byte, from 1.
        let firstLine: Int
    }

    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Calls `body` with each part, in order. What is no list of that form is one part.
    func forEach(_ body: (Page) -> Void) {
        for chunk in DocumentChunk.split(bytes) {
            guard let items = DocumentPages.items(of: chunk) else {
                body(Page(bytes: Array(chunk.bytes), firstLine: chunk.firstLine))
                continue
            }
            for item in items {
                var text = Array(chunk.bytes[item.range])
                // The dash of the list: what is behind it is a map of its own, at the same columns.
                text[0] = UInt8(ascii: " ")
                body(Page(bytes: text, firstLine: item.line))
            }
        }
    }

    /// The items of a chunk that is a `List` written in block style with its items at the left edge; `nil` for any other.
    ///
    /// A line at the left edge that begins with a dash begins an item, unless it is inside quotes or brackets, which are then without
    /// their end: that is an error of the item before.
    private static func items(of chunk: DocumentChunk) -> [(range: Range<Int>, line: Int)]? {
        let bytes = chunk.bytes
        // JSON, and lists that are small enough to be read at once by what they say.
        guard bytes.contains(UInt8(ascii: "-")),
            chunk.content.first(where: { !DocumentReader.isSpace($0) }) != UInt8(ascii: "{")
        else { return nil }
        var items: [(range: Range<Int>, line: Int)] = []
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
                items.append((index..<end, line))
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
        guard head.diagnostics.isEmpty, head.documents.count == 1, head.documents[0]["kind"]?.string == "List",
            head.documents[0]["apiVersion"]?.string != nil
        else { return nil }
        return items
    }

    private static func isItems(_ line: ArraySlice<UInt8>) -> Bool {
        let word = "items:".utf8
        return line.starts(with: word) && line.dropFirst(word.count).allSatisfy(DocumentReader.isSpace)
    }
}
