/// The documents of a file that are templates: each has an error, and a placeholder that nobody has filled in.
struct TemplateDocuments {
    private let file: String
    private let chunks: [DocumentChunk]
    /// By document: whether it is one.
    private var isTemplate: [Bool]
    /// The first placeholder of the first of them; `nil`: there are none.
    private(set) var placeholder: SourceLocation?
    /// Whether one of them names a kind of policy.
    private(set) var namePolicy = false

    /// The templates of a file with these errors.
    init(_ bytes: [UInt8], file: String, firstLine: Int, firstColumn: Int, errors: [Diagnostic]) {
        self.file = file
        chunks = DocumentChunk.split(bytes, firstLine: firstLine, firstColumn: firstColumn)
        isTemplate = Array(repeating: false, count: chunks.count)
        let wrong = Set(errors.compactMap { document(at: $0.location) })
        for number in wrong.sorted() {
            let text = Array(chunks[number].bytes)
            guard let place = RepositoryFile.placeholder(in: text, file: file, firstLine: chunks[number].firstLine)
            else { continue }
            isTemplate[number] = true
            if placeholder == nil { placeholder = place }
            if RepositoryFile.namesPolicy(text) { namePolicy = true }
        }
    }

    /// Whether one of them holds a place.
    func hold(_ location: SourceLocation?) -> Bool { document(at: location).map { isTemplate[$0] } ?? false }

    /// The number of the document that holds a place; `nil`: it is of another file, or not known.
    private func document(at location: SourceLocation?) -> Int? {
        guard let location, location.file == file, !chunks.isEmpty else { return nil }
        var (low, high) = (0, chunks.count)
        while low < high {
            let middle = (low + high) / 2
            if DocumentChunk.begins(chunks[middle], behind: location) { high = middle } else { low = middle + 1 }
        }
        return max(low - 1, 0)
    }
}

extension DocumentChunk {
    /// Whether a place is before a document. What is wrong at the end of the one before it is said of the `---` between them.
    fileprivate static func begins(_ chunk: DocumentChunk, behind location: SourceLocation) -> Bool {
        if location.line != chunk.firstLine { return location.line < chunk.firstLine }
        return location.column <= 1 && chunk.bytes.starts(with: "---".utf8)
    }
}
