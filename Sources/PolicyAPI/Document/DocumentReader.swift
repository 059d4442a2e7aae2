/// Reads YAML streams and JSON into documents in which every value has its location.
///
/// A stream is split at its `---` lines first, so that a syntax error affects only the document it is in.
public enum DocumentReader {
    /// The content of one input.
    public struct Output: Sendable {
        /// The documents that could be read; empty ones are left out.
        public var documents: [DocumentNode] = []
        /// What is wrong, in source order.
        public var diagnostics: [Diagnostic] = []

        mutating func append(_ more: Output) {
            documents += more.documents
            diagnostics += more.diagnostics
        }
    }

    /// Reads one input. `file` is the name used in messages, `-` for standard input; one that ends in `.json` is read as JSON only.
    public static func read(_ bytes: [UInt8], file: String) -> Output {
        var budget = DocumentBudget(file: file)
        return read(bytes, firstLine: 1, &budget)
    }

    /// Reads a part of an input that begins at a line of it, within what is left of a budget.
    static func read(_ bytes: [UInt8], firstLine: Int, _ budget: inout DocumentBudget) -> Output {
        let file = budget.file
        var output = Output()
        guard bytes.count <= DocumentLimits.bytes else {
            output.diagnostics.append(
                Diagnostic(
                    id: .limit, location: SourceLocation(file: file, line: firstLine, column: 1),
                    message: file == "-"
                        ? "a document has \(bytes.count) bytes, more than \(DocumentLimits.bytes)"
                        : "the file has \(bytes.count) bytes, more than \(DocumentLimits.bytes)",
                    hint: file == "-"
                        ? "a list is read item by item as kubectl get -o yaml writes it"
                        : "split it into several files, or give it as standard input"))
            return output
        }
        for chunk in DocumentChunk.split(bytes, firstLine: firstLine) where !budget.isSpent {
            let mustBeJSON = file.hasSuffix(".json")
            let first = chunk.content.first { !isSpace($0) }
            if mustBeJSON || first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
                // YAML allows braces too, with unquoted words: what is not JSON is read again as YAML.
                var json = JSONReader(chunk, budget)
                let found = json.read()
                if mustBeJSON || json.isWellFormed {
                    budget = json.budget
                    output.append(found)
                    continue
                }
            }
            var yaml = YAMLReader(chunk, budget)
            output.append(yaml.read())
            budget = yaml.budget
        }
        return output
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
            || byte == UInt8(ascii: "\r")
    }
}

/// Why a document could not be read.
struct DocumentFailure: Error {
    let id: DiagnosticID
    let location: SourceLocation
    let message: String
    let hint: String

    /// As a diagnostic.
    var diagnostic: Diagnostic { Diagnostic(id: id, location: location, message: message, hint: hint) }
}
