/// What files of a repository are that are no manifests: values, charts, CI, dashboards, patches, templates.
enum RepositoryFile {
    /// Whether a document is meant as an object: without apiVersion and kind, and unless it has what only policies have, it is not.
    static func isMeantAsObject(_ document: DocumentNode, isItem: Bool) -> Bool {
        // Policies without a list around them, as `jq .items` leaves them.
        if let elements = document.elements {
            return elements.contains { $0.members != nil && isMeantAsObject($0, isItem: false) }
        }
        guard document.members != nil else { return false }
        // The placeholder of a patch that kustomize applies to objects by its own selector.
        if document["metadata"]?["name"]?.string == "_" { return false }
        let kind = document["kind"]?.string
        if isItem || (kind != nil && document["apiVersion"]?.string != nil) { return true }
        if let kind, KnownKind(rawValue: kind) != nil || KnownKind.diagnostic(apiVersion: "", kind: kind) != nil {
            return true
        }
        if document["items"]?.elements?.contains(where: { $0["kind"] != nil }) == true { return true }
        let spec = document["spec"]
        return ["podSelector", "endpointSelector", "nodeSelector", "policyTypes", "subject"]
            .contains { spec?[$0]?.members != nil || spec?[$0]?.elements != nil }
            && (spec?["ingress"] != nil || spec?["egress"] != nil || spec?["policyTypes"] != nil)
    }

    /// Whether a file that cannot be read as a whole may hold an object: each has a kind, and an apiVersion before it. In what is no text
    /// (UTF-16, an archive) neither would be found.
    static func mayHoldObject(_ bytes: [UInt8]) -> Bool {
        contains(bytes, "kind") || contains(bytes, "apiVersion") || bytes.contains(0)
            || String(validating: bytes, as: UTF8.self) == nil
    }

    /// Whether the text of a file names a kind of policy.
    static func namesPolicy(_ bytes: [UInt8]) -> Bool { contains(bytes, "NetworkPolicy") }

    /// Where a placeholder of a template stands: `{{ .Values.x }}`, `${NAME}`. `nil` without any.
    static func placeholder(in bytes: [UInt8], file: String, firstLine: Int = 1) -> SourceLocation? {
        var line = firstLine
        var start = 0
        var index = 0
        while index + 1 < bytes.count {
            let byte = bytes[index]
            let next = bytes[index + 1]
            if byte == UInt8(ascii: "\n") {
                line += 1
                start = index + 1
            } else if byte == UInt8(ascii: "{"), next == UInt8(ascii: "{"), closes(bytes, from: index + 2, twice: true)
            {
                return SourceLocation(file: file, line: line, column: index - start + 1)
            } else if byte == UInt8(ascii: "$"), next == UInt8(ascii: "{"), index + 2 < bytes.count,
                isLetter(bytes[index + 2]), closes(bytes, from: index + 2, twice: false)
            {
                return SourceLocation(file: file, line: line, column: index - start + 1)
            }
            index += 1
        }
        return nil
    }

    /// Whether a placeholder ends: in its line, for one of a shell; anywhere within some lines, for one of Helm.
    private static func closes(_ bytes: [UInt8], from start: Int, twice: Bool) -> Bool {
        let brace = UInt8(ascii: "}")
        for index in start..<min(bytes.count, start + 4096) {
            if !twice, bytes[index] == UInt8(ascii: "\n") { return false }
            if bytes[index] == brace, !twice || (index + 1 < bytes.count && bytes[index + 1] == brace) { return true }
        }
        return false
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || byte == UInt8(ascii: "_")
    }

    private static func contains(_ bytes: [UInt8], _ word: StaticString) -> Bool {
        word.withUTF8Buffer { word in
            guard let first = word.first, bytes.count >= word.count else { return false }
            return bytes.withUnsafeBufferPointer { all in
                (0...all.count - word.count).contains { start in
                    all[start] == first && all[start..<start + word.count].elementsEqual(word)
                }
            }
        }
    }
}
