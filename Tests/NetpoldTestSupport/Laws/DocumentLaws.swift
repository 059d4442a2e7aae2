import PolicyAPI

/// What must hold of documents: the two readers agree, and what was read can be written and read again.
enum DocumentLaws {
    /// Checks the documents of one input.
    static func check(_ read: DocumentReader.Output) throws(BrokenLaw) {
        for document in read.documents where !document.isFaulty {
            let text = JSONWriting.text(of: document)
            guard text.utf8.count < DocumentLimits.bytes else { continue }
            try same(text, file: "f.json", as: document, "JSON")
            // libyaml reads JSON as YAML where no escape differs and no key is longer than its limit (1,024 characters).
            if text.utf8.count < 1_000, text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) && $0 != UInt8(ascii: "\\") })
            {
                try same("# YAML\n" + text, file: "f.yaml", as: document, "YAML")
            }
        }
    }

    /// Values of a document, lists and maps themselves counted too.
    static func values(in node: DocumentNode) -> Int {
        switch node.content {
        case .null, .scalar: 1
        case .list(let elements): elements.reduce(1) { $0 + values(in: $1) }
        case .map(let members): members.reduce(1) { $0 + values(in: $1.value) }
        }
    }

    private static func same(
        _ text: String, file: String, as document: DocumentNode, _ form: String
    ) throws(BrokenLaw) {
        let again = DocumentReader.read(Array(text.utf8), file: file)
        try BrokenLaw.unless(
            again.documents.map(JSONWriting.text(of:)) == [JSONWriting.text(of: document)],
            "read again as \(form) it is something else: \(text)\n\(again.diagnostics)")
        func diagnostics(_ document: DocumentNode) -> [String] {
            var decoder = ManifestDecoder()
            decoder.add(document)
            return decoder.finish().diagnostics.map { "\($0.id.rawValue) \($0.path)" }.sorted()
        }
        try BrokenLaw.unless(
            again.documents.flatMap(diagnostics) == diagnostics(document),
            "as \(form) it has other diagnostics: \(text)")
    }
}
