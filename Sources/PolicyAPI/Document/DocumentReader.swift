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

        fileprivate func map<Value>(_ make: (DocumentNode) -> Value) -> Part<Value> {
            Part(values: documents.map(make), diagnostics: diagnostics)
        }
    }

    /// Reads one input. `file` is the name used in messages, `-` for standard input; one that ends in `.json` is read as JSON only.
    public static func read(_ bytes: [UInt8], file: String) -> Output {
        var budget = DocumentBudget(file: file)
        return read(bytes, firstLine: 1, &budget)
    }

    /// Reads a part of an input that begins at a line of it, within what is left of a budget.
    static func read(_ bytes: [UInt8], firstLine: Int, _ budget: inout DocumentBudget) -> Output {
        let found = read(bytes, firstLine: firstLine, &budget) { $0 }
        return Output(documents: found.values, diagnostics: found.diagnostics)
    }

    /// The same, and makes something else of each document: of a big input on all CPUs, so `make` must not depend on what was
    /// read before.
    ///
    /// What was read ahead counts only if it fits what the documents before it have left of the file's budget, so the result is that
    /// of reading one document after the other.
    static func read<Value: Sendable>(
        _ bytes: [UInt8], firstLine: Int, firstColumn: Int = 1, _ budget: inout DocumentBudget,
        making make: @Sendable (DocumentNode) -> Value
    ) -> (values: [Value], diagnostics: [Diagnostic]) {
        let file = budget.file
        guard bytes.count <= DocumentLimits.bytes else {
            let tooLong = Diagnostic(
                id: .limit, location: SourceLocation(file: file, line: firstLine, column: firstColumn),
                message: file == "-"
                    ? "a document has \(bytes.count) bytes, more than \(DocumentLimits.bytes)"
                    : "the file has \(bytes.count) bytes, more than \(DocumentLimits.bytes)",
                hint: file == "-"
                    ? "a List is read item by item as kubectl get -o yaml or -o json writes it"
                    : "split it into several files, or give it as standard input")
            return ([], [tooLong])
        }
        var values: [Value] = []
        var diagnostics: [Diagnostic] = []
        var rest = DocumentChunk.split(bytes, firstLine: firstLine, firstColumn: firstColumn)[...]
        while !rest.isEmpty, !budget.isSpent {
            let wave = ReadAhead.wave(of: &rest)
            let ahead = ReadAhead.read(wave, file: file) { chunk, budget in
                read(chunk, &budget).map(make)
            }
            for (number, chunk) in wave.enumerated() where !budget.isSpent {
                let part: Part<Value>
                if let known = ahead[number], budget.spend(known.nodes) {
                    part = known.content
                } else {
                    part = read(chunk, &budget).map(make)
                }
                values += part.values
                diagnostics += part.diagnostics
            }
        }
        return (values, diagnostics)
    }

    /// What one chunk holds.
    struct Part<Value: Sendable>: Sendable {
        var values: [Value]
        var diagnostics: [Diagnostic]
    }

    private static func read(_ chunk: DocumentChunk, _ budget: inout DocumentBudget) -> Output {
        let mustBeJSON = budget.file.hasSuffix(".json")
        let first = chunk.content.first { !isSpace($0) }
        if mustBeJSON || first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
            // YAML allows braces too, with unquoted words: what is not JSON is read again as YAML.
            var json = JSONReader(chunk, budget)
            let found = json.read()
            if mustBeJSON || json.isWellFormed {
                budget = json.budget
                return found
            }
        }
        var yaml = YAMLReader(chunk, budget)
        let found = yaml.read()
        budget = yaml.budget
        return found
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
