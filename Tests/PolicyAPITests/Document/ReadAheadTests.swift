import Testing

@testable import PolicyAPI

/// A big stream, which is read on several CPUs, says what it says document by document.
@Suite struct ReadAheadTests {
    /// Documents of four lines and six values, enough for several waves of several pieces.
    private static let count = 40_000
    private static func document(_ number: Int) -> String {
        "---\nname: object-\(number)\nlist: [a, \(number), true]\nlast: \"yes\"\n"
    }

    private static func read(_ documents: [String]) -> DocumentReader.Output {
        DocumentReader.read(Array(documents.joined().utf8), file: "big.yaml")
    }

    @Test func documentsStandInTheirOrderAtTheirLines() {
        let read = Self.read((0..<Self.count).map(Self.document))
        #expect(read.diagnostics.isEmpty)
        #expect(read.documents.count == Self.count)
        var wrong = 0
        for (number, document) in read.documents.enumerated() {
            if document["name"]?.string != "object-\(number)" { wrong += 1 }
            if document["list"]?.elements?[1].integer != Int64(number) { wrong += 1 }
            if document["last"]?.location != SourceLocation(file: "big.yaml", line: 4 * number + 4, column: 7) {
                wrong += 1
            }
            if document["list"]?.elements?[2].path.description != "list[2]" { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test func aBrokenDocumentCostsNoOther() throws {
        var documents = (0..<Self.count).map(Self.document)
        let broken = 12_345
        documents[broken] = "---\nname: [\n---\nname: b\n"
        let read = Self.read(documents)
        #expect(read.documents.count == Self.count)
        #expect(read.diagnostics.count == 1)
        let found = try #require(read.diagnostics.first)
        #expect(found.id == .syntax)
        #expect((4 * broken + 1...4 * broken + 3).contains(found.location?.line ?? 0))
    }

    /// An alias is looked up in its own document only, and JSON may stand between YAML.
    @Test func aliasesAndJSONAreReadAsElsewhere() {
        var documents = (0..<Self.count).map(Self.document)
        documents[100] = "---\nname: &a object-100\nlist: [*a, 100, true]\nlast: y\n"
        documents[30_000] = "---\n{\"name\": \"object-30000\",\n\"list\": [1, 30000],\n\"last\": \"\\ud83d\\ude00\"}\n"
        documents[30_001] = "---\nname: *a\nlist: [a]\nlast: b\n"
        let read = Self.read(documents)
        #expect(read.diagnostics.map(\.id) == [.syntax])
        #expect(read.diagnostics.first?.location?.line == 4 * 30_001 + 2)
        #expect(read.documents.count == Self.count - 1)
        #expect(read.documents[100]["list"]?.elements?[0].string == "object-100")
        #expect(read.documents[30_000]["last"]?.string == "😀")
    }

    /// The budget is that of the file: reading ends in the document in which it is spent, and nothing behind it counts.
    @Test func theBudgetIsThatOfReadingOneAfterTheOther() {
        // 1,001 values each.
        let wide = "---\n[" + String(repeating: "1,", count: 1_000) + "]\n"
        let read = Self.read(Array(repeating: wide, count: 1_500))
        #expect(read.diagnostics.map(\.id) == [.limit])
        #expect(read.diagnostics.first?.location?.line == 2 * 999 + 2)
        #expect(read.documents.count == DocumentLimits.nodes / 1_001)
    }

    @Test func theLimitOfAliasesIsThatOfTheFile() {
        let document = "---\na: &a 1\nb: [*a, *a]\n# \(String(repeating: "x", count: 4_000))\n"
        let read = Self.read(Array(repeating: document, count: 600))
        #expect(read.diagnostics.map(\.id) == [.limit])
        #expect(read.documents.count == DocumentLimits.aliases / 2)
    }
}
